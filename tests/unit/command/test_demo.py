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
import virtual_loop
from simple_room import CHANNELS, SimpleEndpoint, SimpleMedia

from firmware import config
from firmware.__main__ import main
from firmware.call.call import EndReason
from firmware.command.demo import Echo, free_port, free_ports, show
from firmware.errors import FirmwareError
from firmware.room import Room


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


def test_a_row_of_ports_begins_where_all_are_free() -> None:
    first, last = free_ports("127.0.0.1", 20_000)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + 2))
        taken.listen()
        assert free_ports("127.0.0.1", first)[0] >= last + 1
    with pytest.raises(FirmwareError, match="in a row"):
        free_ports("127.0.0.1", 65_535)


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(FirmwareError, match="no port is free"):
        free_port("192.0.2.1", 5060)


@pytest.mark.parametrize("port", ["0", "-1", "65536"])
def test_a_port_that_there_is_not(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--web-port", port]) == 2
    assert capsys.readouterr().err == f"visavis: web.port = {port}: must be a whole number from 1 to 65535\n"


def test_what_flows_is_said_and_at_once_when_it_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    async def main_() -> None:
        endpoint = SimpleEndpoint()
        room = Room(config.Room(), [endpoint], SimpleMedia())
        await room.start()
        showing = asyncio.ensure_future(show(room, ["sip:echo@example.com"]))
        await asyncio.sleep(1)
        endpoint.calls[0].established(CHANNELS)
        await asyncio.sleep(70)  # two rounds of figures
        assert capsys.readouterr().out == "Calling an echo far end at sip:echo@example.com ...\nCtrl-C ends it.\n"
        endpoint.calls[0].released(EndReason.LOST)
        await asyncio.sleep(0.1)
        assert capsys.readouterr().out == "The call is over. The connection was lost.\n"
        assert not showing.done()
        showing.cancel()

    virtual_loop.run(main_())


def test_each_address_is_called_and_the_last_call_stays(capsys: pytest.CaptureFixture[str]) -> None:
    async def main_() -> None:
        endpoint = SimpleEndpoint()
        room = Room(config.Room(), [endpoint], SimpleMedia())
        await room.start()
        showing = asyncio.ensure_future(show(room, ["sip:echo@example.com", "sip:more@example.com"]))
        await asyncio.sleep(1)
        endpoint.calls[0].established(CHANNELS)
        await asyncio.sleep(6)
        assert endpoint.calls[0].end_reason is EndReason.HUNG_UP
        endpoint.calls[0].released(EndReason.HUNG_UP)
        await asyncio.sleep(1)
        assert endpoint.calls[1].remote == "sip:more@example.com"
        endpoint.calls[1].established(CHANNELS)
        await asyncio.sleep(70)
        assert endpoint.calls[1].end_reason is None
        said = capsys.readouterr().out.splitlines()
        assert [line for line in said if not line.startswith("  ")] == [
            "Calling an echo far end at sip:echo@example.com ...",
            "Calling an echo far end at sip:more@example.com ...",
            "Ctrl-C ends it.",
        ]
        showing.cancel()

    virtual_loop.run(main_())


def test_a_far_end_that_does_not_answer_is_a_failure() -> None:
    async def main_() -> None:
        room = Room(config.Room(), [SimpleEndpoint()], SimpleMedia())
        await room.start()
        with pytest.raises(FirmwareError, match="has not answered after 10 s"):
            await show(room, ["sip:echo@example.com"])

    virtual_loop.run(main_())


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
