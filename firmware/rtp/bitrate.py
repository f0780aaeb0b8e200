"""When the far end is asked to send less, or more again (RFC 5104 3.5.4, TMMBR).

Rule 1: who sends clearly more than was agreed is told the limit.
Rule 2: where many packets are lost for two seconds, two thirds of what came is asked for; where nothing is lost for a
while, a little more, until the limit is reached or, without one, what it was before.
Rule 3: a request that nobody acknowledges is repeated, not for ever: some say that they understand, and don't.
"""

from __future__ import annotations

from typing import Final

OVERHEAD: Final = 40
"""Octets of IPv4, UDP and RTP headers in a packet."""
USUAL_PAYLOAD: Final = 1_200
"""Octets in a packet of a picture."""
TOLERANCE: Final = 1.2
"""Times the limit, which a second with a key frame may have."""
MUCH_LOSS: Final = 0.05
LITTLE_LOSS: Final = 0.005
BAD_TIME: Final = 2
"""Seconds of much loss before less is asked for."""
GOOD_TIME: Final = 5
"""Seconds of little loss before more is asked for."""
DOWN: Final = 2 / 3
UP: Final = 1.25
LEAST: Final = 128_000
"""bit/s: less is no picture."""
PATIENCE: Final = 2.0
"""s until a request without an answer is repeated."""
MAX_REPEATS: Final = 3


def with_overhead(bitrate: int, overhead: int) -> int:
    """Give bit/s with *overhead* octets of headers in each packet."""
    return bitrate * (USUAL_PAYLOAD + overhead) // USUAL_PAYLOAD


def without_overhead(bitrate: int, overhead: int) -> int:
    """Give bit/s of payload."""
    return bitrate * USUAL_PAYLOAD // (USUAL_PAYLOAD + overhead)


class BitrateAsker:
    """What was asked of one source, and what to ask next; told once a second how it is."""

    def __init__(self) -> None:
        self._asked = 0
        """bit/s; 0: nothing."""
        self._asked_time = float("-inf")
        self._acknowledged = False
        self._repeats = 0
        self._best = 0
        """bit/s that came before less was asked for."""
        self._bad = self._good = 0

    def answered(self, to_us: bool) -> None:
        """Take that the far end keeps to limits; whether ours is among them."""
        self._acknowledged = self._acknowledged or to_us

    def ask(self, bitrate: int, loss: float, most: int, now: float) -> int | None:
        """Give the bitrate to ask for now, bit/s of payload; None: nothing.

        *bitrate* and *loss* (0 to 1) are those of the last second; *most* is the limit that was agreed, 0: none.
        """
        self._bad = self._bad + 1 if loss > MUCH_LOSS else 0
        self._good = self._good + 1 if loss < LITTLE_LOSS else 0
        if self._bad >= BAD_TIME and bitrate > LEAST:
            self._best = max(self._best, bitrate)
            self._bad = 0
            return self._request(max(LEAST, round(bitrate * DOWN)), now)
        if self._asked and self._good >= GOOD_TIME and self._asked < (most or self._best):
            self._good = 0
            return self._request(min(round(self._asked * UP), most or self._best), now)
        limit = self._asked or most
        if limit and bitrate > limit * TOLERANCE:
            return self._repeat(limit, now)
        return None

    def _request(self, bitrate: int, now: float) -> int:
        self._asked, self._asked_time = bitrate, now
        self._acknowledged, self._repeats = False, 0
        return bitrate

    def _repeat(self, bitrate: int, now: float) -> int | None:
        if self._asked != bitrate:
            return self._request(bitrate, now)
        if self._acknowledged or self._repeats >= MAX_REPEATS or now < self._asked_time + PATIENCE:
            return None
        self._asked_time = now
        self._repeats += 1
        return bitrate
