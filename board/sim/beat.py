"""The clock of a simulated device: beats at absolute deadlines, so that waiting late never becomes drift."""

from __future__ import annotations

import math
import threading
import time

_SHORT = 0.05
"""Seconds for which a wait need not end at once when it is stopped: sleeping costs half of waiting for an event."""


class Beat:
    """Beat number n is at ``start + n * period`` on CLOCK_MONOTONIC, n = 1, 2, ...

    Whoever comes late gets the missed beats at once, one by one, as long as there are at most ``patience`` of them;
    when there are more, all but the latest are lost, as in a device whose buffer ran over.
    """

    def __init__(self, period: float, patience: int = 0) -> None:
        self.period = period
        self._patience = patience
        self._start = time.monotonic()
        self._number = 0
        self._stopped = threading.Event()

    def time(self, number: int) -> float:
        """When this beat is or was."""
        return self._start + number * self.period

    def wait(self) -> int | None:
        """Wait for the next beat and give its number; None once stopped."""
        latest = math.floor((time.monotonic() - self._start) / self.period)
        number = self._number + 1
        if latest > number + self._patience:
            number = latest
        delay = self.time(number) - time.monotonic()
        if delay > _SHORT:
            self._stopped.wait(delay)
        elif delay > 0:
            time.sleep(delay)
        if self._stopped.is_set():
            return None
        self._number = number
        return number

    @property
    def stopped(self) -> bool:
        """Whether there are no more beats."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Let a wait return; any thread may ask."""
        self._stopped.set()
