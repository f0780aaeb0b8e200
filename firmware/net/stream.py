"""One TCP connection: ours, or one that somebody made to us."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, cast

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


class Stream(asyncio.Protocol):
    """A connection, from before it is made until it is lost.

    The owner gives four callbacks: *on_opened(stream)*, which may refuse by returning False, *on_data(stream, data)*,
    *on_closed(stream, words)* - called once, and not after `close` -, and ``flow`` once it knows.
    """

    def __init__(
        self,
        on_opened: Callable[[Stream], bool],
        on_data: Callable[[Stream, bytes], None],
        on_closed: Callable[[Stream, str], None],
        flow: Flow | None = None,
    ) -> None:
        self.flow = flow
        """None until an accepted connection is known."""
        self.accepted: Final = flow is None
        self.transport: asyncio.Transport | None = None
        self.lost: Final = asyncio.Event()
        """Set when the connection that was made is gone."""
        self._on_opened, self._on_data, self._on_closed = on_opened, on_data, on_closed
        self._waiting: list[bytes] = []
        self._unsent = 0
        self._silence: asyncio.TimerHandle | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._closing = False

    def write(self, data: bytes) -> bool:
        """Send, or keep until connected; False: too much waits already, the connection is to be given up."""
        if self.transport is None:
            self._waiting.append(data)
            self._unsent += len(data)
            return self._unsent <= MAX_UNSENT
        self.transport.write(data)
        return self.transport.get_write_buffer_size() <= MAX_UNSENT

    def close(self) -> None:
        """Close once all is written; on_closed will not be called."""
        self._forget()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()
            self._linger = asyncio.get_running_loop().call_later(LINGER_TIME, self.transport.abort)

    def abort(self) -> None:
        """Close at once; on_closed will not be called."""
        self._forget()
        if self.transport is not None:
            self.transport.abort()

    def fail(self, words: str) -> None:
        """Report once that the connection is over."""
        if not self._closing:
            self._forget()
            self._on_closed(self, words)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the owner, and send what waited."""
        # uvloop's transports are no subclasses of asyncio's.
        self.transport = transport = cast("asyncio.Transport", transport)
        if self._closing or not self._on_opened(self):
            self.abort()
            return
        prepare(transport)
        if self.accepted:
            self._silence = asyncio.get_running_loop().call_later(SILENCE_TIME, self._silent)
        for data in self._waiting:
            transport.write(data)
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Pass on what came."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if not self._closing:
            self._on_data(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner why, unless it was its own wish."""
        self.lost.set()
        if self._linger is not None:
            self._linger.cancel()  # it would keep what thousands of connections a second leave behind
        self.fail(str(exc) if exc else "closed by the far end")

    def _silent(self) -> None:
        self.fail(f"nothing came for {SILENCE_TIME:.0f} s")
        self.abort()

    def _forget(self) -> None:
        self._closing = True
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None


def prepare(transport: asyncio.Transport) -> None:
    """Let the kernel send what is written at once, and find out about a far end that vanished without a word."""
    connection = transport.get_extra_info("socket")
    # asyncio, unlike uvloop, sees to this only where it made the listening socket itself.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEP_ALIVE:
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
