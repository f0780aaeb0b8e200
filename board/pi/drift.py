"""Keeps a speaker fed by another clock than its own: now and then a block is a sample shorter, or longer.

Two cards that both say 48,000 Hz differ by some hundred millionths at most.  What waits before the speaker then grows
or shrinks by some milliseconds in a minute, until it finds no room, or runs dry.

Rule 1: only the mean of a second counts: single blocks come early or late, as threads do.
Rule 2: nothing is done until the mean is off by BAND; then, till it is right again, to every block, a sample at a time.
That makes up for two thousandths.
Rule 3: the sample goes, or comes, where its neighbours differ least, which nobody hears.
"""

from __future__ import annotations

import operator
from array import array

BAND = 0.006
"""Seconds that more or less may wait than is wanted."""
_BLOCKS = 100
"""Of the mean: a second."""


class Drift:
    """Of one speaker; *wanted* is what is to wait whenever a block comes, s."""

    def __init__(self, wanted: float) -> None:
        self._wanted = wanted
        self.restart()

    def restart(self) -> None:
        """Begin anew, with as much waiting as is wanted."""
        self._error = 0.0
        """How much more waits in the mean, s."""
        self._step = 0
        """Samples to be taken from a block, 1 or -1; 0: all is well."""

    def correct(self, block: bytes, waiting: float) -> bytes:
        """Give what to play for a block while this much waits, s."""
        self._error += (waiting - self._wanted - self._error) / _BLOCKS
        if abs(self._error) > BAND:
            self._step = 1 if self._error > 0 else -1
        elif self._error * self._step <= 0:
            self._step = 0
        return shorter(block) if self._step > 0 else longer(block) if self._step < 0 else block


def shorter(block: bytes) -> bytes:
    """The block without the sample that is missed least."""
    samples = array("h", block)
    place = _smallest_step(samples, 2) + 1
    del samples[place]
    return samples.tobytes()


def longer(block: bytes) -> bytes:
    """The block with one more sample, between the two that differ least."""
    samples = array("h", block)
    place = _smallest_step(samples, 1)
    samples.insert(place + 1, (samples[place] + samples[place + 1]) // 2)
    return samples.tobytes()


def _smallest_step(samples: array[int], distance: int) -> int:
    """Where two samples at this distance from each other differ least."""
    steps = list(map(abs, map(operator.sub, samples[distance:], samples)))
    return steps.index(min(steps))
