"""One TCP connection: ours, or one that somebody made to us."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sansio import Flow

SILENCE_TIME: Final = 32.0
"""Seconds after which an accepted connection on which nothing came is closed: 64*T1 of RFC 3261."""
LINGER_TIME: Final = 5.0
"""Seconds in which a closed connection may still deliver what was written."""
MAX_UNSENT: Final = 256 * 1024
"""Bytes waiting because the far end does not read; more, and the connection is given up."""
KEEP_ALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 3))
"""Seconds, seconds, times: a far end that vanished is noticed after about two minutes of silence."""


class Owner(Protocol):
    """Who hears of a connection."""

    def connected(self, stream: Stream) -> bool:
        """Take that the far end is there, and give an accepted connection its ``flow``; False refuses it."""

    def opened(self, stream: Stream) -> None:
        """Take that data can go both ways."""

    def received(self, stream: Stream, data: bytes) -> None:
        """Take what came."""

    def closed(self, stream: Stream, words: str) -> None:
        """Take that it is over, and why: once, and not after `Stream.close` or `Stream.abort`."""


class Stream(asyncio.Protocol):
    """A connection, from before it is made until it is lost."""

    def __init__(self, owner: Owner, flow: Flow | None = None) -> None:
        self.flow = flow
        """None until an accepted connection is known."""
        self.accepted: Final = flow is None
        self.open = False
        """Whether data can go both ways."""
        self.transport: asyncio.Transport | None = None
        self.lost: Final = asyncio.Event()
        """Set when the connection that was made is gone."""
        self._owner = owner
        self._waiting: list[bytes] = []
        self._unsent = 0
        self._patience: asyncio.TimerHandle | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._closing = False

    def write(self, data: bytes) -> bool:
        """Send, or keep until open; False: too much waits already, the connection is to be given up."""
        if self.transport is None or not self.open:
            self._waiting.append(data)
            self._unsent += len(data)
            return self._unsent <= MAX_UNSENT
        self._send(self.transport, data)
        return self.transport.get_write_buffer_size() <= MAX_UNSENT

    @property
    def unsent(self) -> int:
        """Bytes that wait, the kernel's excepted."""
        if self.transport is None or not self.open:
            return self._unsent
        return self.transport.get_write_buffer_size()

    def close(self) -> None:
        """Close once all is written; the owner is not told."""
        self._forget()
        if self.transport is not None and not self.transport.is_closing():
            self._say_goodbye(self.transport)
            self.transport.close()
            self._linger = asyncio.get_running_loop().call_later(LINGER_TIME, self.transport.abort)

    def abort(self) -> None:
        """Close at once; the owner is not told."""
        self._forget()
        if self.transport is not None:
            self.transport.abort()

    def fail(self, words: str) -> None:
        """Report once that the connection is over."""
        if not self._closing:
            self._forget()
            self._owner.closed(self, words)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the owner, and begin."""
        # uvloop's transports are no subclasses of asyncio's.
        self.transport = transport = cast("asyncio.Transport", transport)
        if self._closing or not self._owner.connected(self):
            self.abort()
            return
        prepare(transport)
        self._begin(transport)

    def data_received(self, data: bytes) -> None:
        """Pass on what came."""
        if not self._closing:
            self._be_patient(None)
            self._owner.received(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner why, unless it was its own wish."""
        self.lost.set()
        if self._linger is not None:
            self._linger.cancel()  # it would keep what thousands of connections a second leave behind
        self.fail(str(exc) if exc else "closed by the far end")

    # What a stream with a layer of its own does otherwise

    def _begin(self, transport: asyncio.Transport) -> None:  # noqa: ARG002
        """Do what must be done before data can go both ways."""
        self._ready()

    def _send(self, transport: asyncio.Transport, data: bytes) -> None:
        transport.write(data)

    def _say_goodbye(self, transport: asyncio.Transport) -> None:
        """Send a last word."""

    # What they share

    def _ready(self) -> None:
        """Tell the owner that it is open, and send what waited."""
        self.open = True
        if self.accepted:
            self._be_patient(SILENCE_TIME, self._silent)
        self._owner.opened(self)
        for data in self._waiting:
            self.write(data)
        self._waiting.clear()

    def _be_patient(self, seconds: float | None, then: Callable[[], None] | None = None) -> None:
        """Wait for the far end that long; None: as long as it likes."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if seconds is not None and then is not None:
            self._patience = asyncio.get_running_loop().call_later(seconds, then)

    def _silent(self) -> None:
        self._give_up(f"nothing came for {SILENCE_TIME:.0f} s")

    def _give_up(self, words: str) -> None:
        self.fail(words)
        self.abort()

    def _forget(self) -> None:
        self._closing = True
        self._be_patient(None)


def prepare(transport: asyncio.Transport) -> None:
    """Let the kernel send what is written at once, and find out about a far end that vanished without a word."""
    connection = transport.get_extra_info("socket")
    # asyncio, unlike uvloop, sees to this only where it made the listening socket itself.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEP_ALIVE:
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
