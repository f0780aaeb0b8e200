"""Commands on their way to a worker that has no turn for a moment.

Rule 1: commands arrive in the order in which they were given, with the descriptors that they had then.
Rule 2: what finds no room in the socket waits, for at most `PATIENCE` seconds in which nothing is taken, and no more of
them than `MAX_WAITING`: then the worker is given up.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from firmware.media.link import send_command
from firmware.media.message import Command

PATIENCE = 2.5
"""Seconds in which a worker takes none of the commands that wait; a machine with more to do than it can may hold it
up, as it may its signs of life."""
MAX_WAITING = 256
"""Commands that wait."""


class Backlog:
    """For the event loop's thread.  *on_failed* is called once, with why the worker gets no more commands."""

    def __init__(self, sock: socket.socket, on_failed: Callable[[str], None]) -> None:
        """*sock* does not block, and is closed by the caller, after `close`."""
        self._socket = sock
        self._on_failed = on_failed
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[Command, list[int]]] = deque()
        """With copies of their descriptors."""
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def send(self, command: Command, descriptors: Sequence[int] = ()) -> None:
        """Give the worker a command, now or soon; the caller keeps its descriptors."""
        if self._closed:
            return
        try:
            if not self._waiting and self._sent(command, descriptors):
                return
            if len(self._waiting) == MAX_WAITING:
                self._give_up()
                return
            self._waiting.append((command, _copies(descriptors)))
        except OSError as error:
            self._fail(str(error))
            return
        if self._timer is None:
            self._loop.add_writer(self._socket, self._go_on)
            self._timer = self._loop.call_later(PATIENCE, self._look)

    def close(self) -> None:
        """Send nothing more of what waits."""
        self._closed = True
        self._rest()
        while self._waiting:
            _close(self._waiting.popleft()[1])

    def _sent(self, command: Command, descriptors: Sequence[int]) -> bool:
        try:
            send_command(self._socket, command, descriptors)
        except BlockingIOError:
            return False
        return True

    def _go_on(self) -> None:
        """Send what there is room for now."""
        before = len(self._waiting)
        try:
            while self._waiting and self._sent(*self._waiting[0]):
                _close(self._waiting.popleft()[1])
        except OSError as error:
            self._fail(str(error))
            return
        if not self._waiting:
            self._rest()
        elif len(self._waiting) < before and self._timer is not None:
            self._timer.cancel()
            self._timer = self._loop.call_later(PATIENCE, self._look)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._loop.remove_writer(self._socket)

    def _look(self) -> None:
        """Give the worker up, unless there is room by now: the kernel says so only once there is much of it."""
        waiting = len(self._waiting)
        self._go_on()
        if len(self._waiting) == waiting:
            self._give_up()

    def _give_up(self) -> None:
        self._fail("takes no commands")

    def _fail(self, why: str) -> None:
        self.close()
        self._on_failed(why)


def _copies(descriptors: Sequence[int]) -> list[int]:
    """Copy them: the originals may be closed before they are sent.  OSError: there can be no more."""
    copies: list[int] = []
    try:
        copies.extend(os.dup(each) for each in descriptors)
    except OSError:
        _close(copies)
        raise
    return copies


def _close(descriptors: Sequence[int]) -> None:
    for each in descriptors:
        with suppress(OSError):
            os.close(each)
