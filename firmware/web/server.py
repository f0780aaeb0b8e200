"""The HTTP server: where it listens, what it bounds, and how the table of the API becomes routes."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from firmware.errors import FirmwareError
from firmware.web import openapi
from firmware.web.api import BASE, OPERATIONS, Ask, Operation, Unit, json_response
from firmware.web.auth import Gate
from firmware.web.guard import add_headers, guard
from firmware.web.live import Live

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firmware import config
    from firmware.ports import Board
    from firmware.room import Room

logger = logging.getLogger(__name__)
_http_logger = logging.getLogger(f"{__name__}.http")
# What is no HTTP is answered with 400; that a stranger sent it deserves no traceback of ours.
_http_logger.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))

MAX_CONNECTIONS: Final = 64
MAX_SILENT: Final = 256
"""Connections of the last seconds on which no request has arrived, be they still there or not."""
MAX_BODY: Final = 16 * 1024
"""Bytes of a request's body."""
REQUEST_TIME: Final = 10.0
"""How long a client may take to send the head, and again the body, of a request, s."""
KEEP_ALIVE: Final = 30.0
"""How long a connection may wait for its next request, s."""
STOP_TIME: Final = 0.3
"""How long requests may go on when the server stops, s."""
PANEL: Final = Path(__file__).with_name("panel")
_SCRIPTS: Final = ("panel", "api", "calls", "camera", "registrations", "television", "health")
FILES: Final = {"/": "index.html"} | {
    f"/{name}": name for name in ("panel.css", "icon.svg", *(f"{script}.js" for script in _SCRIPTS))
}
"""What is served of PANEL, by path."""


class Server:
    """The web server of one room."""

    def __init__(self, settings: config.Web, room: Room, board: Board | None = None) -> None:
        self._settings = settings
        self._live = Live(room)
        self._gate = Gate(settings.password_hash)
        self._unit = Unit(room, self._live, self._gate, board, asyncio.Semaphore(2))
        self._silent: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}
        """Connections of the last REQUEST_TIME seconds on which no request has arrived."""
        self._runner: web.AppRunner | None = None
        self._servers: list[asyncio.Server] = []

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where browsers find the panel."""
        found: dict[str, None] = {}
        for host, port, *_ in (sock.getsockname() for server in self._servers for sock in server.sockets):
            name = socket.gethostname() if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
            found[f"http://{name}:{port}/"] = None
        return tuple(found)

    async def start(self) -> None:
        """Listen.  FirmwareError: an address can't be listened on, and why."""
        host_names = {socket.gethostname(), f"{socket.gethostname()}.local", *self._settings.host_names}
        application = web.Application(middlewares=[self._note, guard(self._gate, host_names)], client_max_size=MAX_BODY)
        for operation in OPERATIONS:
            application.router.add_route(operation.method, BASE + operation.path, self._route(operation))
        application.router.add_get(f"{BASE}/openapi.json", _describe)
        for path in FILES:
            application.router.add_get(path, _file)
        application.on_response_prepare.append(add_headers)
        application.on_shutdown.append(lambda _: self._live.stop())
        self._runner = web.AppRunner(
            application,
            access_log=None,
            logger=_http_logger,
            auto_decompress=False,
            keepalive_timeout=KEEP_ALIVE,
            handler_cancellation=True,
            shutdown_timeout=STOP_TIME,
        )
        await self._runner.setup()
        for address in listen_addresses(self._settings):
            await self._listen(address)
        if not self._servers:
            raise FirmwareError("the panel has no address to listen on")

    async def stop(self) -> None:
        """Close all connections."""
        for server in self._servers:
            server.close()
        for timer in self._silent.values():
            timer.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        self._servers.clear()

    async def _listen(self, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        loop = asyncio.get_running_loop()
        port = self._settings.port
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind((address, port))
                self._servers.append(await loop.create_server(self._accept, sock=sock, backlog=16))
            except OSError:
                sock.close()
                raise
        except OSError as error:
            if family == socket.AF_INET6 and address in ("::", "::1"):
                logger.debug("no panel on %s: %s", address, error)  # this machine has no IPv6
                return
            await self.stop()
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise FirmwareError(f"the panel can't listen on {address} port {port}: {reason}") from None

    def _accept(self) -> asyncio.Protocol:
        runner = self._runner
        if runner is None or runner.server is None or len(runner.server.connections) >= MAX_CONNECTIONS:
            return _Refusing()
        if len(self._silent) >= MAX_SILENT:  # each is kept for its timer, though most may be gone
            return _Refusing()
        connection = runner.server()
        timer = asyncio.get_running_loop().call_later(REQUEST_TIME, self._close_silent, connection)
        self._silent[connection] = timer
        return connection

    def _close_silent(self, connection: web.RequestHandler) -> None:
        del self._silent[connection]
        if connection.transport is not None:
            connection.transport.abort()

    @web.middleware
    async def _note(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        timer = self._silent.pop(request.protocol, None)
        if timer is not None:
            timer.cancel()
        return await handler(request)

    def _route(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            result = await operation.do(Ask(self._unit, request, await _wanted(operation, request)))
            if isinstance(result, web.StreamResponse):
                return result
            if result is None:
                return web.Response(status=operation.status)
            return json_response(result, operation.status)

        return handle


class _Refusing(asyncio.Protocol):
    """Closes a connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()


async def _wanted(operation: Operation, request: web.Request) -> Any:
    """Decode what the operation's row says comes with a request."""
    try:
        if operation.query is not None:
            return msgspec.convert(dict(request.query), operation.query, strict=False)
        if operation.request is None:
            return None
        async with asyncio.timeout(REQUEST_TIME):
            return msgspec.json.decode(await request.read(), type=operation.request)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the body did not arrive") from None


async def _describe(_: web.Request) -> web.Response:
    return web.Response(body=msgspec.json.encode(openapi.document()), content_type="application/json")


async def _file(request: web.Request) -> web.FileResponse:
    return web.FileResponse(PANEL / FILES[request.path], headers={"Cache-Control": "no-cache"})


def listen_addresses(settings: config.Web) -> tuple[str, ...]:
    """Where to listen: as configured, but on loopback only while no password is set."""
    if settings.password_hash:
        return settings.addresses
    chosen: dict[str, None] = {}
    for address in settings.addresses:
        parsed = ipaddress.ip_address(address)
        chosen[address if parsed.is_loopback else "127.0.0.1" if parsed.version == 4 else "::1"] = None
    if set(chosen) != set(settings.addresses):
        logger.info("no password is set: the panel listens on loopback only (`visavis password` sets one)")
    return tuple(chosen)
