"""How many messages the far end may send: a short burst of many, and a steady few."""

from __future__ import annotations

from typing import Final

BURST: Final = 1000
"""Messages; a large conference tells of all its terminals at once (H.245 conferenceIndication)."""
RATE: Final = 50.0
"""Messages per second for as long as the call lasts."""


class Allowance:
    """A bucket that is full of messages at first, loses one with each, and is filled again as time passes."""

    def __init__(self) -> None:
        self._left = float(BURST)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Count one message; False if that is one too many."""
        if self._at is not None:
            self._left = min(float(BURST), self._left + max(now - self._at, 0.0) * RATE)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
