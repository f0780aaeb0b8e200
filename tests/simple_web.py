"""A room's web server on a loopback port of its own, and a client for it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
from simple_room import CHANNELS, SimpleButtons, SimpleEndpoint, SimpleMedia

from firmware import config
from firmware.call.call import Call
from firmware.room import Room
from firmware.web.server import Server


class Web:
    """What a test sees of it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.endpoint = SimpleEndpoint()
        self.media = SimpleMedia()
        self.board = SimpleButtons()
        self.room = Room(config.Room(name="Aalto"), [self.endpoint], self.media)
        self.session = session
        self.server: Server
        self.url = ""

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Give the status, and the JSON or the bytes."""
        if body is not None:
            options["json"] = body
        async with self.session.request(method, f"{self.url}/api/v1{path}", **options) as response:
            if response.content_type == "application/json":
                return response.status, await response.json()
            return response.status, await response.read()

    def dialled(self) -> Call:
        """Dial, and let the far end answer."""
        self.room.dial("sip:far@example.com")
        call = self.endpoint.calls[-1]
        call.established(CHANNELS)
        return call


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(10):
        for _ in itertools.takewhile(lambda _: not condition(), itertools.count()):
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Web]:
    """Serve a room on 127.0.0.1 and a free port."""
    async with aiohttp.ClientSession() as session:
        web = Web(session)
        await web.room.start()
        web.server = Server(config.Web(addresses=("127.0.0.1",), port=0, **settings), web.room, web.board)  # type: ignore[arg-type]
        await web.server.start()
        web.url = web.server.addresses[0].rstrip("/")
        try:
            yield web
        finally:
            await web.server.stop()
            await web.room.stop()


def run(test: Callable[[Web], Awaitable[None]], **settings: Any) -> None:
    """Run a test against such a server."""

    async def main() -> None:
        async with asyncio.timeout(30), serving(**settings) as web:
            await test(web)

    asyncio.run(main())


def on_web(test: Callable[[Web], Awaitable[None]]) -> Callable[[], None]:
    """Make a test of a coroutine that gets a server."""

    def runner() -> None:
        run(test)

    runner.__name__, runner.__doc__ = test.__name__, test.__doc__
    return runner
