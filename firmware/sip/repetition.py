"""INVITEs that are over and done with, so that late copies of them are known (RFC 6026 7.1, RFC 3261 8.2.2.2).

After the ACK to its 2xx an INVITE sends nothing more: all that is left to do for 64*T1 is to absorb the INVITE
that was under way all the time, and to tell the one that took another path.  A number does for that, where the
transaction is a thousand octets, and a copy that nobody knew would be another call.

Rule 1: what is kept is the hash of what the INVITE is known by: two that are alike by chance, of 2^64, do no harm.
Rule 2: there are two sets, a younger and an older one, which is dropped once the younger is full or old enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.sip.timers import T1

if TYPE_CHECKING:
    from collections.abc import Hashable

LIFETIME: Final = 64 * T1
"""Seconds that one is remembered at least, as Timer L has it, unless there are many."""
MAX_REMEMBERED: Final = 4096
"""In each of the sets: a flood of 200 calls a second is remembered for ten seconds."""


class Repetitions:
    """The INVITEs that were dealt with lately."""

    def __init__(self) -> None:
        self._young: set[int] = set()
        self._old: set[int] = set()
        self._since = 0.0
        """Since when there is the younger set."""

    def __contains__(self, key: Hashable) -> bool:
        """Whether this was remembered."""
        number = hash(key)
        return number in self._young or number in self._old

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def add(self, key: Hashable, now: float) -> None:
        """Remember this."""
        if now - self._since > LIFETIME or len(self._young) >= MAX_REMEMBERED:
            self._old, self._young = self._young if now - self._since < 2 * LIFETIME else set(), set()
            self._since = now
        self._young.add(hash(key))
