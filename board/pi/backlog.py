"""How far a decoder is behind what it was given, and how long its pictures are waited for.

Rule 1: each access unit has a number, which is its time stamp, too, and comes back with its picture.  One that never
comes back is done with when a later one does.
Rule 2: the picture of each is waited for, and nothing more is given before: a decoder that is given more stays behind
for good.  The first one takes longer.
Rule 3: some decoders keep a picture until they have seen the next one.  For these, whoever waited once in vain waits no
longer than it takes them to catch up.
"""

from __future__ import annotations

START, PATIENCE, CATCH_UP = 0.4, 0.15, 0.015
"""Seconds that the first picture is waited for; another one; and what is behind as usual."""
MOST = 2
"""Pictures that a decoder may be behind: more would be seen as a delay."""


class Backlog:
    """Counts; for one thread."""

    def __init__(self) -> None:
        self.behind = 0
        """Access units that were given and did not come back."""
        self._given = 0
        self._usual = 0
        """How many are behind while all is well."""
        self._started = False
        self._since = self._until = 0.0

    def give(self, now: float) -> int:
        """Count an access unit; give its number."""
        self._given += 1
        self.behind += 1
        self._since, self._until = now, now + (PATIENCE if self._started else START)
        return self._given

    def take(self, number: int) -> bool:
        """Count what came back; False: it had been given up, or was never given."""
        if not self.awaits(number):
            return False
        self.behind, self._started = self._given - number, True
        return True

    def awaits(self, number: int) -> bool:
        """Whether this one may still come back."""
        return 0 <= self._given - number < self.behind

    def prolong(self, now: float) -> None:
        """Wait as for a first picture: the decoder begins anew."""
        self._started, self._until = False, now + START

    def shorten(self, now: float) -> None:
        """Wait no longer than for what is on its way: the decoder has refused something."""
        self._until = min(self._until, now + CATCH_UP)

    def wait(self, now: float) -> float:
        """Seconds to wait still; 0: no longer."""
        if not self.behind:
            return 0.0
        until = self._until if self.behind > self._usual else min(self._until, self._since + CATCH_UP)
        return max(0.0, until - now)

    def settle(self) -> None:
        """Be content with what came; next time no more is expected."""
        self._usual = self.behind
