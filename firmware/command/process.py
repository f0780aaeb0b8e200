"""What a process that runs for long does at its start and its end: the log, the event loop, the signals.

The event loop is imported only by what runs one: the media process has none, and it would cost it 11 MB.
"""

from __future__ import annotations

import logging
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine


def until_stopped(main: Callable[[asyncio.Event], Awaitable[int]]) -> int:
    """Run *main* on an event loop and give its exit status; the event is set by SIGINT and SIGTERM."""
    import asyncio

    import uvloop

    async def run() -> int:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        return await main(stopped)

    return uvloop.run(run())


async def until(stopped: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do this work until it ends by itself, or cancel it when the event is set."""
    import asyncio

    task, end = asyncio.ensure_future(work), asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait((task, end), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        task.cancel()
        end.cancel()
        await asyncio.gather(task, end, return_exceptions=True)


def start_log(level: str) -> None:
    """Write the log to standard error from now on."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    logging.captureWarnings(True)
