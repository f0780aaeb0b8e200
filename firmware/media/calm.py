"""Commands of which only the newest counts, sent no more often than a worker can take them.

Who is called by a hundred strangers a second has a hundred new scenes to show, and a far end may ask for a key frame as
often as it likes: none of that may fill the socket of a worker that has no turn for a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

from firmware.media.message import Command

INTERVAL = 0.05
"""Seconds between two commands that take one another's place; nobody sees more scenes a second than that."""


class Calm:
    """Sends the first command of a kind at once, and then the newest only.  For the event loop's thread."""

    def __init__(self, send: Callable[[Command], object]) -> None:
        self._send = send
        self._newest: dict[Hashable, Command | None] = {}
        """By kind, for those of which one was sent just now: what goes next."""
        self._timers: dict[Hashable, asyncio.TimerHandle] = {}

    def send(self, kind: Hashable, command: Command) -> None:
        """Send a command, now or soon, unless another of its kind takes its place before."""
        if kind in self._newest:
            self._newest[kind] = command
            return
        self._send(command)
        self._newest[kind] = None
        self._timers[kind] = asyncio.get_running_loop().call_later(INTERVAL, self._go_on, kind)

    def close(self) -> None:
        """Send nothing more of what waits."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._newest.clear()

    def _go_on(self, kind: Hashable) -> None:
        del self._timers[kind]
        newest = self._newest.pop(kind)
        if newest is not None:
            self.send(kind, newest)
