"""The network thread: waits on all RTP and RTCP sockets and on the sessions' timers.

Everything about sessions and streams happens in this thread, unless its docstring says otherwise; other threads hand
work over by `call_soon` or `call`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from firmware.media.border import attempt

logger = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")

MAX_DATAGRAM = 2_048
"""Bytes; a longer datagram is dropped."""
BURST = 64
"""Datagrams read from a socket before the others have their turn."""
MAX_FAILURES = 20
"""Errors of our own that a stream survives: a packet that we can't digest is dropped, but not for ever."""
LONGEST_WAIT = 0.25
"""Seconds, so that `beat` tells a thread that waits from one that hangs."""


class Member(Protocol):
    """Something with sockets and a timer."""

    def receive(self, sock: socket.socket, data: bytes, source: tuple[str, int], now: float) -> None:
        """Take a datagram."""

    def timer(self) -> float:
        """When handle_timer is wanted, s; infinity: never."""

    def handle_timer(self, now: float) -> None:
        """Do what is due."""

    def failed(self, error: Exception) -> None:
        """Learn that it failed too often, and is forgotten."""


class Network:
    """One thread for all sockets."""

    def __init__(self) -> None:
        self.beat = time.monotonic()
        """When the thread was last seen going round."""
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._sockets: dict[int, tuple[socket.socket, Member]] = {}
        self._members: list[Member] = []
        self._work: deque[tuple[Member | None, Callable[[], object]]] = deque()
        self._failures: dict[Member, int] = {}
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)
        self._thread.start()

    def call_soon(self, member: Member, work: Callable[[], object]) -> None:
        """Have this done for a member, unless it is forgotten by then; any thread may ask."""
        self._work.append((member, work))
        os.eventfd_write(self._wake, 1)

    def call(self, work: Callable[[], T]) -> T:
        """Have this done by the network thread and give what it gives (or raises); any other thread may ask."""
        results: list[T] = []
        errors: list[Exception | None] = []
        done = threading.Event()

        def run() -> None:
            errors.append(attempt("A command", lambda: results.append(work())))
            done.set()

        self._work.append((None, run))
        os.eventfd_write(self._wake, 1)
        done.wait()
        if errors[0] is not None:
            raise errors[0]
        return results[0]

    def add(self, member: Member, sockets: tuple[socket.socket, ...]) -> None:
        """Watch these sockets for a member."""
        self._members.append(member)
        for sock in sockets:
            self._sockets[sock.fileno()] = sock, member
            self._epoll.register(sock, select.EPOLLIN)

    def remove(self, member: Member) -> None:
        """Forget a member and its sockets."""
        if member not in self._members:
            return
        self._members.remove(member)
        self._failures.pop(member, None)
        for number, (_, owner) in list(self._sockets.items()):
            if owner is member:
                del self._sockets[number]
                self._epoll.unregister(number)

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        os.eventfd_write(self._wake, 1)
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stopped:
            self.beat = now = time.monotonic()
            due = min((member.timer() for member in self._members), default=float("inf"))
            for number, _ in self._epoll.poll(min(LONGEST_WAIT, max(0.0, due - now))):
                if number == self._wake:
                    self._do_work()
                elif number in self._sockets:
                    self._read(*self._sockets[number])
            now = time.monotonic()
            for member in [member for member in self._members if member.timer() <= now]:
                self._guard(member, member.handle_timer, now)

    def _do_work(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while self._work:
            member, work = self._work.popleft()
            if member is None:
                work()
            elif member in self._members:
                self._guard(member, work)

    def _read(self, sock: socket.socket, member: Member) -> None:
        for _ in range(BURST):
            try:
                data, source = sock.recvfrom(MAX_DATAGRAM + 1)
            except BlockingIOError:
                return
            except OSError as error:
                logger.debug("%s: %s", sock, error)
                return
            if len(data) > MAX_DATAGRAM:
                continue
            self._guard(member, member.receive, sock, data, source[:2], time.monotonic())
            if member not in self._members:
                return

    def _guard(self, member: Member, work: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> None:
        """Do a member's work.  One that fails again and again is stopped; all others go on."""
        error = attempt("A stream", work, *arguments, **named)
        if error is not None:
            failures = self._failures[member] = self._failures.get(member, 0) + 1
            if failures >= MAX_FAILURES and member in self._members:
                self.remove(member)
                member.failed(error)
