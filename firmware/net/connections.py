"""All streams of one driver: who is listened for, whom we connect to, and how much strangers may hold open.

Rule 1: one host's connections are bounded, so that it takes nothing from others.
Rule 2: a TLS handshake that is not done counts as a connection.  Of those that others began only so many are let wait;
one more ends the oldest, which an honest far end has left behind long ago.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from firmware.errors import FirmwareError
from firmware.net.address import at, kernel_address, own_kernel_address, remote_address, with_scope_of, without_scope
from firmware.net.dscp import mark
from firmware.net.stream import Stream
from firmware.net.tls_layer import TlsLayer
from firmware.net.tls_stream import TlsStream
from firmware.sansio import Flow

if TYPE_CHECKING:
    from firmware.net.tls import Tls
    from firmware.sansio import Address

logger = logging.getLogger(__name__)

MAX_STREAMS: Final = 256
"""Connections at the same time."""
MAX_STREAMS_PER_HOST: Final = 32
"""Accepted connections from one address; a proxy needs one or two."""
MAX_HANDSHAKES: Final = 32
"""Accepted connections whose TLS is not agreed on yet."""
CONNECT_TIME: Final = 5.0
"""Seconds for a connection to be made: SYN is repeated after 1 and 3.  A person waits, and the next address may be
better (RFC 8305)."""
BACKLOG: Final = 64
COMPLAINT_INTERVAL: Final = 10.0
"""Seconds between two lines about strangers whose TLS failed; each would otherwise write one."""


class User(Protocol):
    """Who hears of the flows."""

    def flow_opened(self, flow: Flow) -> None:
        """Take that data can go both ways."""

    def flow_received(self, flow: Flow, data: bytes) -> None:
        """Take what came."""

    def flow_failed(self, flow: Flow, words: str) -> None:
        """Take that it is over, or was never to be."""


class Connections:
    """The streams of one driver, and the sockets that it listens on for them."""

    def __init__(self, user: User, tls: Tls | None, dscp: int = 0) -> None:
        self._user = user
        self._tls = tls
        self._dscp = dscp
        self._loop = asyncio.get_running_loop()
        self._servers: dict[tuple[str, Address], asyncio.Server] = {}
        self._streams: dict[Flow, Stream] = {}
        self._accepted: Counter[str] = Counter()
        self._handshakes: dict[Stream, None] = {}
        """In the order in which they began."""
        self._connecting: set[asyncio.Task[None]] = set()
        self._complained = float("-inf")
        self._stopped = False

    @property
    def listeners(self) -> tuple[tuple[str, Address], ...]:
        """Transport and address of all that is listened on."""
        return tuple(self._servers)

    async def listen(self, transport: str, host: str, port: int) -> None:
        """Listen for ``tcp`` or ``tls``.  OSError, FirmwareError: that can't be done."""
        if transport == "tls":
            _ = self._require_tls().server  # what is wrong with a file of ours is told now
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        there = own_kernel_address((host, port))
        listener = socket.create_server(there, family=family, backlog=BACKLOG)
        mark(listener, self._dscp)
        bound = listener.getsockname()
        address = (without_scope(bound[0]), bound[1])
        self._servers[transport, address] = await self._loop.create_server(
            lambda: self._accept(transport), sock=listener
        )

    def open(self, flow: Flow) -> None:
        """Connect; `User.flow_opened` or `User.flow_failed` follows."""
        there = self._streams.get(flow)
        if there is not None:
            if there.open:
                self._user.flow_opened(flow)
            return
        if len(self._streams) >= MAX_STREAMS:
            self._user.flow_failed(flow, "too many connections")
            return
        try:
            stream = self._new(flow)
        except FirmwareError as error:
            logger.warning("= %s %s: no connection: %s", flow.transport, at(flow.remote), error)
            self._user.flow_failed(flow, str(error))
            return
        self._streams[flow] = stream
        task = self._loop.create_task(self._connect(flow, stream))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def send(self, flow: Flow, data: bytes) -> None:
        """Send, or keep until the stream is open; `User.flow_failed` follows where that can't be."""
        stream = self._streams.get(flow)
        if stream is None:
            self._user.flow_failed(flow, "there is no such connection")
        elif not stream.write(data):
            self.drop(flow)
            self._user.flow_failed(flow, "the far end does not read")

    def unsent(self, flow: Flow) -> int:
        """Give how many bytes wait to be sent, the kernel's excepted."""
        stream = self._streams.get(flow)
        return stream.unsent if stream is not None else 0

    def keep_little_unsent(self, flow: Flow, size: int) -> None:
        """Let the kernel take this many bytes at most that it can't send yet; the others wait here."""
        stream = self._streams.get(flow)
        if stream is not None and stream.transport is not None:
            connection = stream.transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, size)

    def close(self, flow: Flow) -> None:
        """Close once all is written."""
        stream = self._forget(flow)
        if stream is not None:
            stream.close()

    def drop(self, flow: Flow) -> None:
        """Close at once."""
        stream = self._forget(flow)
        if stream is not None:
            stream.abort()

    async def stop(self, seconds: float) -> None:
        """Deliver what is written within that time, then close everything."""
        self._stopped = True
        for server in self._servers.values():
            server.close()
        for task in self._connecting:
            task.cancel()
        streams = [stream for stream in self._streams.values() if stream.transport is not None]
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        # What is written may still leave; a far end that does not read gets no more than this.
        waiting = [asyncio.ensure_future(stream.lost.wait()) for stream in streams]
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        for future in waiting:
            future.cancel()
        for stream in streams:
            stream.abort()
        await asyncio.gather(*waiting, *self._connecting, return_exceptions=True)

    # Stream's owner

    def connected(self, stream: Stream) -> bool:
        """Take a connection in, unless that is one too many."""
        transport = stream.transport
        if self._stopped or transport is None:
            return False
        if stream.flow is not None:
            return True
        remote, local = remote_address(transport.get_extra_info("peername")), transport.get_extra_info("sockname")
        name = "tls" if isinstance(stream, TlsStream) else "tcp"
        flow = Flow(name, (without_scope(local[0]), local[1]), remote)
        if flow in self._streams:
            # It calls from the port at which we have called it: to the core, both would be one and the same.
            logger.debug("= %s %s: refused, there is one already", name, at(remote))
            return False
        if isinstance(stream, TlsStream):
            self._make_room_for_handshake()
        if len(self._streams) >= MAX_STREAMS or self._accepted[remote[0]] >= MAX_STREAMS_PER_HOST:
            logger.debug("= %s %s: refused, too many connections", name, at(remote))
            return False
        stream.flow = flow
        self._streams[flow] = stream
        self._accepted[remote[0]] += 1
        if isinstance(stream, TlsStream):
            self._handshakes[stream] = None
        return True

    def opened(self, stream: Stream) -> None:
        """Take that data can go both ways."""
        assert stream.flow is not None
        self._handshakes.pop(stream, None)
        if isinstance(stream, TlsStream) and stream.accepted and stream.layer.names:
            self._show(stream, stream.flow, stream.layer.names)
        self._user.flow_opened(stream.flow)

    def received(self, stream: Stream, data: bytes) -> None:
        """Pass on what came."""
        assert stream.flow is not None
        self._user.flow_received(stream.flow, data)

    def closed(self, stream: Stream, words: str) -> None:
        """Take that a connection is over."""
        flow = stream.flow
        if flow is None or self._streams.get(flow) is not stream:
            return
        if isinstance(stream, TlsStream) and not stream.open:
            self._complain(stream, flow, words)
        was_told = stream.open or not stream.accepted
        self._forget(flow)
        if was_told:
            self._user.flow_failed(flow, words)

    # What they share

    def _require_tls(self) -> Tls:
        if self._tls is None:
            raise FirmwareError("there is no certificate for TLS")
        return self._tls

    def _new(self, flow: Flow) -> Stream:
        if flow.transport == "tls":
            return TlsStream(self, TlsLayer(self._require_tls(), flow.domain or flow.remote[0]), flow)
        return Stream(self, flow)

    def _accept(self, transport: str) -> Stream:
        return TlsStream(self, TlsLayer(self._require_tls())) if transport == "tls" else Stream(self)

    async def _connect(self, flow: Flow, stream: Stream) -> None:
        try:
            with contextlib.ExitStack() as undo:
                family = socket.AF_INET6 if ":" in flow.remote[0] else socket.AF_INET
                # Made by hand: uvloop forgets the link of a local address.
                connection = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
                connection.setblocking(False)
                mark(connection, self._dscp)
                connection.bind(kernel_address((with_scope_of(flow.local[0], flow.remote[0]), 0)))
                async with asyncio.timeout(CONNECT_TIME):
                    await self._loop.sock_connect(connection, kernel_address(flow.remote))
                undo.pop_all()
            await self._loop.create_connection(lambda: stream, sock=connection)
        except OSError as error:  # TimeoutError is one
            # The event loop's own words would name the address once more.
            words = os.strerror(error.errno) if error.errno else f"not connected within {CONNECT_TIME:.0f} s"
            stream.fail(words)

    def _make_room_for_handshake(self) -> None:
        if len(self._handshakes) >= MAX_HANDSHAKES:
            oldest = next(iter(self._handshakes))
            assert oldest.flow is not None
            self.drop(oldest.flow)

    def _show(self, stream: Stream, flow: Flow, names: tuple[str, ...]) -> None:
        """Write into an accepted flow whose certificate the far end has."""
        del self._streams[flow]
        stream.flow = Flow(flow.transport, flow.local, flow.remote, shown=names)
        self._streams[stream.flow] = stream

    def _complain(self, stream: Stream, flow: Flow, words: str) -> None:
        """Say why there is no TLS: always of a far end that we called, now and then of those that knock."""
        whom = at(flow.remote) + (f" ({flow.domain})" if flow.domain else "")
        if not stream.accepted:
            logger.warning("= tls %s: no connection: %s", whom, words)
            return
        now = self._loop.time()
        level = logging.INFO if now - self._complained >= COMPLAINT_INTERVAL else logging.DEBUG
        if level == logging.INFO:
            self._complained = now
        logger.log(level, "= tls %s: it called, but %s", whom, words)

    def _forget(self, flow: Flow) -> Stream | None:
        """Count a stream out and give it, if there is one."""
        stream = self._streams.pop(flow, None)
        if stream is not None:
            self._handshakes.pop(stream, None)
            if stream.accepted:
                host = flow.remote[0]
                self._accepted[host] -= 1
                if self._accepted[host] <= 0:
                    del self._accepted[host]
        return stream
