"""What a clapperboard tells: how long sound and picture took from one unit to another, and how far apart they came."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

from board.sim.clap import PERIOD


@dataclass(frozen=True)
class Claps:
    """Of claps that were both seen and heard: s from when they were made."""

    seen: tuple[float, ...]
    heard: tuple[float, ...]

    @property
    def skews(self) -> tuple[float, ...]:
        """How much later than its picture each was heard, s; below 0: earlier."""
        return tuple(heard - seen for heard, seen in zip(self.heard, self.seen, strict=True))

    @property
    def skew(self) -> float:
        """The median of these."""
        return statistics.median(self.skews)

    def __str__(self) -> str:
        """In words, ms."""
        picture, sound = statistics.median(self.seen) * 1000, statistics.median(self.heard) * 1000
        least, most = min(self.skews) * 1000, max(self.skews) * 1000
        return f"picture {picture:.0f}, sound {sound:.0f}: {self.skew * 1000:+.0f} ({least:+.0f} to {most:+.0f}) ms"


def claps(made: Path, noticed: Path, since: float = 0.0) -> Claps:
    """Read what the witness of one unit says of its own claps since then, and that of another of what came of them."""
    seen, heard = [], []
    for at in _times(made, "clapped"):
        times = [[time for time in _times(noticed, what) if at <= time < at + PERIOD] for what in ("seen", "heard")]
        if at >= since and all(times):
            seen.append(times[0][0] - at)
            heard.append(times[1][0] - at)
    return Claps(tuple(seen), tuple(heard))


def _times(path: Path, what: str) -> list[float]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [float(words[1]) for line in lines if len(words := line.split()) == 2 and words[0] == what]
