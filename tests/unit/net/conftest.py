"""Both event loops that the driver runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine on each of the loops."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def run_on(coroutine: Coroutine[Any, Any, None]) -> None:
        loop = factory()
        loop.run_until_complete(asyncio.wait_for(coroutine, 20))
        # Not after a failure: uvloop would wait for ever for sockets that the test left open.
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    return run_on
