from __future__ import annotations

import itertools
import signal
import subprocess
import sys

import pytest
from interop.ports import own_address

ARGUMENTS = [sys.executable, "-m", "firmware", "run", "--board", "sim"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_it_is_told_to_stop(number: signal.Signals) -> None:
    process = subprocess.Popen([*ARGUMENTS, "--address", own_address()], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process.stderr as log:
        try:
            begin = list(itertools.takewhile(lambda line: "= panel at http://127." not in line, log))
        finally:
            process.send_signal(number)
        assert "= ready after" in begin[-1]
        assert process.wait(10) == 0
        rest = log.read()
    assert "Traceback" not in rest
    assert "WARNING" not in rest


def test_it_can_be_stopped_while_it_starts() -> None:
    process = subprocess.Popen([*ARGUMENTS, "--address", own_address()], stderr=subprocess.PIPE, text=True)
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=15)
    assert "Traceback" not in said
    assert process.returncode in (0, -signal.SIGTERM)  # the second: before it could listen to signals


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--address", "192.0.2.1"], 1, "192.0.2.1:5060"),
        (["--sip-port", "0"], 2, "sip.port = 0: must be a whole number from 1 to 65535"),
        (["--config", "/nowhere/unit.toml"], 2, "/nowhere/unit.toml: No such file or directory"),
    ],
)
def test_what_cannot_be_is_one_clear_line(options: list[str], status: int, said: str) -> None:
    result = subprocess.run([*ARGUMENTS, *options], capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == status
    lines = [line for line in result.stderr.splitlines() if line.startswith("visavis: ")]
    assert len(lines) == 1
    assert said in lines[0]
    assert "Traceback" not in result.stderr
