"""What lasts longer than an answer: the events on a WebSocket, and the live screen as a stream of JPEG pictures.

Rule 1: a client gets the newest; what it was too slow for is gone, and one that takes nothing for long is dropped.
Rule 2: the screen is read only while somebody watches, once for all who do, at most ten times a second.
Rule 3: the numbers of both are bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import WSCloseCode, web

from firmware.errors import DeviceError
from firmware.web import body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from firmware.room import Room, RoomState

logger = logging.getLogger(__name__)

MAX_LISTENERS: Final = 16
MAX_VIEWERS: Final = 4
FRAME_TIME: Final = 0.1
"""Between two pictures of the live screen, s."""
VIEW_SIZE: Final = (960, 540)
"""Of the live screen, pixels."""
SEND_TIME: Final = 10.0
"""How long a client may take to take a message, s."""
HEARTBEAT: Final = 15.0
"""Between two pings on a WebSocket, s; a client that doesn't answer is gone."""
BOUNDARY: Final = "visavis-picture-5d1f0c9a7be34e62"
"""Between two parts of the stream; no JPEG contains it."""
PART: Final = f"\r\n--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n\r\n".encode()
"""What stands before each picture.  Also sent after it: a browser shows one when the head of the next has come."""
REPEAT_TIME: Final = 5.0
"""After how long an unchanged picture is sent again, s: a viewer who has gone is noticed."""


class Live:
    """The listeners to a room's events and the viewers of its screen."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._listeners: set[web.WebSocketResponse] = set()
        self._viewers: dict[asyncio.Event, asyncio.WriteTransport | None] = {}
        self._picture = b""
        self._camera: asyncio.Task[None] | None = None
        self._stopped = False

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Send the state on connecting and at each change."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise web.HTTPServiceUnavailable(text="too many listeners")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=4096, timeout=1.0, compress=False)
        self._listeners.add(socket)
        try:
            await socket.prepare(request)
            changed = asyncio.Event()
            changed.set()
            unsubscribe = self._room.subscribe(lambda _: changed.set())
            sender = asyncio.create_task(self._send_states(socket, changed))
            try:
                async for _ in socket:  # a client has nothing to say here; reading also answers pings and sees the end
                    pass
            finally:
                unsubscribe()
                sender.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await sender
        finally:
            self._listeners.discard(socket)
        return socket

    async def _send_states(self, socket: web.WebSocketResponse, changed: asyncio.Event) -> None:
        sent: RoomState | None = None
        try:
            while await changed.wait():
                changed.clear()
                state = self._room.state
                if state != sent:
                    sent = state
                    now = asyncio.get_running_loop().time()
                    text = msgspec.json.encode(body.room(state, now)).decode()
                    async with asyncio.timeout(SEND_TIME):
                        await socket.send_str(text)
        except (TimeoutError, ConnectionError):
            logger.info("a listener to the events reads too slowly: dropped")
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, drain=False)

    async def screen(self, request: web.Request) -> web.StreamResponse:
        """Send pictures of the screen, each in the place of the one before."""
        if len(self._viewers) >= MAX_VIEWERS:
            raise web.HTTPServiceUnavailable(text="too many viewers")
        response = web.StreamResponse(headers={"Cache-Control": "no-store"})
        response.content_type = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        with self._viewer(request.transport) as arrived:
            await response.prepare(request)
            with contextlib.suppress(TimeoutError, ConnectionError):
                await response.write(PART)
                async for picture in self._pictures(arrived):
                    async with asyncio.timeout(SEND_TIME):
                        await response.write(picture + PART)
        return response

    @contextlib.contextmanager
    def _viewer(self, transport: asyncio.WriteTransport | None) -> Iterator[asyncio.Event]:
        arrived = asyncio.Event()
        if self._picture and self._viewers:
            arrived.set()
        self._viewers[arrived] = transport
        if self._camera is None or self._camera.done():
            self._picture = b""
            self._camera = asyncio.create_task(self._watch())
        try:
            yield arrived
        finally:
            del self._viewers[arrived]

    async def _pictures(self, arrived: asyncio.Event) -> AsyncIterator[bytes]:
        while not self._stopped:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(arrived.wait(), REPEAT_TIME)
            arrived.clear()
            if self._picture and not self._stopped:
                yield self._picture

    async def _watch(self) -> None:
        """Read the screen as long as somebody watches; tell the viewers only of what differs."""
        loop = asyncio.get_running_loop()
        while self._viewers:
            started = loop.time()
            try:
                picture = await self._room.screenshot("jpeg", *VIEW_SIZE)
            except DeviceError:
                picture = b""  # the media process is just being started again
            if picture and picture != self._picture:
                self._picture = picture
                for arrived in self._viewers:
                    arrived.set()
            await asyncio.sleep(max(FRAME_TIME / 4, started + FRAME_TIME - loop.time()))

    async def stop(self) -> None:
        """Say goodbye to all."""
        self._stopped = True
        for arrived, transport in self._viewers.items():
            arrived.set()
            if transport is not None and transport.get_write_buffer_size():
                transport.abort()  # it doesn't read, and would not take the end either
        if self._camera is not None:
            self._camera.cancel()
        await asyncio.gather(
            *(
                socket.close(code=WSCloseCode.GOING_AWAY, message=b"the unit stops")
                for socket in tuple(self._listeners)
            ),
            return_exceptions=True,
        )
