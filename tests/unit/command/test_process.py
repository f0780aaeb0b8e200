from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from firmware.command.process import until, until_stopped
from firmware.errors import FirmwareError


def test_work_goes_on_until_it_is_stopped() -> None:
    async def main() -> list[str]:
        done: list[str] = []
        stopped = asyncio.Event()

        async def work() -> None:
            done.append("begun")
            try:
                await asyncio.Event().wait()
            finally:
                done.append("cancelled")

        asyncio.get_running_loop().call_later(0.01, stopped.set)
        await until(stopped, work())
        return done

    assert asyncio.run(main()) == ["begun", "cancelled"]


def test_what_goes_wrong_in_the_work_is_told() -> None:
    async def fail() -> None:
        raise FirmwareError("no answer")

    async def main() -> None:
        await until(asyncio.Event(), fail())

    with pytest.raises(FirmwareError, match="no answer"):
        asyncio.run(main())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    async def serve(stopped: asyncio.Event) -> int:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
        await stopped.wait()
        return 7

    assert until_stopped(serve) == 7


def test_the_log_goes_to_standard_error() -> None:
    code = "import logging; from firmware.command.process import start_log; start_log('warning');"
    code += "logging.info('no'); logging.warning('yes'); import sys; print('asyncio' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
    assert "yes" in result.stderr
    assert "no" not in result.stderr
