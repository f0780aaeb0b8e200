"""The clockwork of a user agent: every deadline in one heap, so that its owner needs to ask for only one.

Rule: a timer is an object that its owner may cancel at any time; a cancelled timer holds on to nothing.
"""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

T1: Final = 0.5
"""Seconds; estimate of the round-trip time (RFC 3261 17.1.1.1)."""
T2: Final = 4.0
"""Seconds; longest interval between retransmissions of non-INVITE requests and INVITE responses (17.1.2.1)."""
T4: Final = 5.0
"""Seconds; how long a message may stay in the network (17.1.2.2)."""

_SWEEP: Final = 256
"""Entries below which cancelled ones are not worth looking for."""


class Timer:
    """A deadline that has not come yet."""

    __slots__ = ("_action", "at")

    def __init__(self, at: float, action: Callable[[float], None]) -> None:
        self.at = at
        self._action: Callable[[float], None] | None = action

    @property
    def running(self) -> bool:
        """Whether it may still fire."""
        return self._action is not None

    def cancel(self) -> None:
        """Never fire; a second time does nothing."""
        self._action = None

    def fire(self, now: float) -> None:
        """Do what was asked for, once."""
        action, self._action = self._action, None
        if action is not None:
            action(now)


class Timers:
    """All timers of one user agent."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._sweep_at = _SWEEP

    def __len__(self) -> int:
        return sum(timer.running for _, _, timer in self._heap)

    def start(self, at: float, action: Callable[[float], None]) -> Timer:
        """Call *action* with the time, once that is *at* or later."""
        timer = Timer(at, action)
        self.add(timer)
        return timer

    def add(self, timer: Timer) -> None:
        """Have a timer that somebody else has made fire at its time."""
        heapq.heappush(self._heap, (timer.at, next(self._order), timer))
        if len(self._heap) > self._sweep_at:
            # Most timers are cancelled long before their time: without this, 32 s of them would pile up.
            self._heap = [entry for entry in self._heap if entry[2].running]
            heapq.heapify(self._heap)
            self._sweep_at = max(_SWEEP, 2 * len(self._heap))

    def next(self) -> float | None:
        """When the first timer fires, or None."""
        while self._heap and not self._heap[0][2].running:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def fire(self, now: float) -> None:
        """Fire all timers whose time has come, in their order; what those start, fires by a later call."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        for timer in due:
            timer.fire(now)
