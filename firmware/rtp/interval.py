"""When to send RTCP (RFC 3550 6.2, 6.3, A.7), for a session of two.

The share of RTCP is the standard's 5 %.  The minimum is not the standard's 5 s: in unicast it may be less
(RFC 3550 6.2, RFC 4585 3.4), and statistics each second need reports about that often.
"""

from __future__ import annotations

import random
from typing import Final

RTCP_SHARE: Final = 0.05
"""RFC 3550 6.2: of the session bandwidth."""
MINIMUM: Final = 2.0
"""s; with its random factor a report goes every 0.8 to 2.5 s."""
FIRST: Final = (0.1, 0.4)
"""s.  RFC 3550 6.2: in unicast the first delay may be zero; a moment later there is something to report."""
_COMPENSATION: Final = 2.71828 - 1.5
"""RFC 3550 6.3.1: what timer reconsideration shifts the average by."""
_HEADERS: Final = 28
"""Octets of IPv4 and UDP, which count for the bandwidth (RFC 3550 6.2)."""


class Interval:
    """Says when the next regular RTCP packet is due."""

    def __init__(self, bandwidth: int, rng: random.Random, now: float) -> None:
        """*bandwidth*: of the session, bit/s."""
        self.due: float = now + rng.uniform(*FIRST)
        self.members = 1
        """We, and the far end once it was heard."""
        self._octets_per_second = max(1.0, bandwidth / 8 * RTCP_SHARE)
        self._rng = rng
        self._average = 128.0
        self._first = True
        self._previous = now

    @property
    def deterministic(self) -> float:
        """The interval without its random factor, s (RFC 3550 6.3.1: Td)."""
        return max(MINIMUM, self.members * self._average / self._octets_per_second)

    def sent(self, size: int) -> None:
        """Count an RTCP packet that was sent or received (RFC 3550 6.3.3: avg_rtcp_size)."""
        self._average += (size + _HEADERS - self._average) / 16

    def expire(self, now: float) -> bool:
        """Say whether the packet is to be sent now; either way `due` moves on."""
        if now < self.due:
            return False
        if not self._first:
            # RFC 3550 6.3.6: compute the interval anew, for the group may have grown since.
            due = self._previous + self._random()
            if due > now:
                self.due = due
                return False
        self._first, self._previous = False, now
        self.due = now + self._random()
        return True

    def _random(self) -> float:
        return self.deterministic * self._rng.uniform(0.5, 1.5) / _COMPENSATION
