"""Whether the far end still agrees to be sent something (RFC 7675 5.1).

A check every 5 s or so asks it, once each; 30 s without a good answer end it.  The same checks keep the bindings of
NATs on the way, for which every 15 s would do (RFC 8445 11).  Whoever can look for another way does well to begin long
before the end: when two checks or more in a row have had no answer.
"""

from __future__ import annotations

import random
from typing import Final

INTERVAL: Final = 5.0
"""Seconds between checks, on average; each is 0.8 to 1.2 of it."""
EXPIRY: Final = 30.0
"""Seconds after the last good answer."""
DOUBT: Final = 14.0
"""Seconds after it when another way is worth a look for the end that controls."""
DOUBT_CONTROLLED: Final = 21.0
"""The same for the other one: the offers of both would get into each other's way."""


class Consent:
    """The far end's consent to one pair, which has just been proved, or must be at once (*due*)."""

    def __init__(self, rng: random.Random, now: float, *, due: bool = False) -> None:
        self._rng = rng
        self._expires = now + EXPIRY
        self._asks = now
        if not due:
            self._plan(now)

    def given(self, now: float) -> None:
        """Take a good answer."""
        self._expires = now + EXPIRY

    def is_doubtful(self, now: float, *, controlling: bool) -> bool:
        """Whether nothing has come for so long that it is likely to be lost."""
        return self._expires - EXPIRY + (DOUBT if controlling else DOUBT_CONTROLLED) <= now

    def is_lost(self, now: float) -> bool:
        """Whether nothing may be sent any more."""
        return self._expires <= now

    def asks(self, now: float) -> bool:
        """Whether it is time for a check; then the next one is planned."""
        if self._asks > now:
            return False
        self._plan(now)
        return True

    def timer(self) -> float:
        """When one of these is true."""
        return min(self._asks, self._expires)

    def _plan(self, now: float) -> None:
        self._asks = now + INTERVAL * self._rng.uniform(0.8, 1.2)
