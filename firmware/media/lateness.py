"""How late a periodic tick is, measured against the clock that drives it.

That clock (a sound card's) is not ours, so when a tick is due is reckoned from the ticks themselves: a period after the
one before, or now, where it comes earlier than that.  Once a second, what even the best tick was late is taken off:
so a slower clock, or time that a device lost, is not held against us for ever.
"""

from __future__ import annotations

from collections.abc import Callable

from firmware.media.message import AudioTick, Report


class Lateness:
    """Counts ticks and reports once a second."""

    def __init__(self, period: float, report: Callable[[Report], None]) -> None:
        self._period = period
        self._report = report
        self._per_report = round(1 / period)
        self._due: float | None = None
        self._late: list[float] = []

    def tick(self, now: float) -> None:
        """Count a tick."""
        due = now if self._due is None else min(now, self._due)
        self._late.append(now - due)
        self._due = due + self._period
        if len(self._late) == self._per_report:
            late = sorted(self._late)
            self._late.clear()
            self._due += late[0]
            self._report(AudioTick(percentile(late, 0.5), percentile(late, 0.99), late[-1]))


def percentile(ordered: list[float], fraction: float) -> float:
    """Give the smallest value that this fraction of them does not exceed."""
    return ordered[max(0, -int(-fraction * len(ordered) // 1) - 1)]
