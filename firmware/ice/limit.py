"""How much of something a stranger may make us do in a while."""

from __future__ import annotations


class Limit:
    """So many at once, and so many a second after that."""

    def __init__(self, burst: int, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = float(burst)
        self._since = float("-inf")

    def allows(self, now: float) -> bool:
        """Whether one more is allowed; it is counted."""
        self._left = min(self._burst, self._left + max(0.0, now - self._since) * self._rate)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
