from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from firmware.__main__ import main
from firmware.command.demo import Echo, free_port
from firmware.errors import FirmwareError


def test_a_port_that_is_free_is_taken_and_another_otherwise() -> None:
    port = free_port("127.0.0.1", 0)
    assert free_port("127.0.0.1", port) == port
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as taken:
            taken.bind(("127.0.0.1", port))
            if kind == socket.SOCK_STREAM:
                taken.listen()
            other = free_port("127.0.0.1", port)
            assert other not in (0, port)


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(FirmwareError, match="no port is free"):
        free_port("192.0.2.1", 5060)


@pytest.mark.parametrize("port", ["0", "-1", "65536"])
def test_a_port_that_there_is_not(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--web-port", port]) == 2
    assert capsys.readouterr().err == f"visavis: web.port = {port}: must be a whole number from 1 to 65535\n"


async def _stopped_early() -> Echo:
    far_end = Echo("error")
    starting = asyncio.ensure_future(far_end.start())
    await asyncio.sleep(0.05)  # the interpreter starts, and has no handler of signals yet
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await far_end.stop()
    return far_end


def test_a_far_end_that_is_stopped_while_it_starts_is_gone() -> None:
    far_end = asyncio.run(_stopped_early())
    assert far_end._process is not None
    assert far_end._process.returncode is not None


def test_ctrl_c_while_the_far_end_starts_is_no_failure() -> None:
    command = [sys.executable, "-m", "firmware", "demo"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0)
    deadline = time.monotonic() + 30
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not children.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0
