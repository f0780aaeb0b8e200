"""How much slower the emulated machine is than the one around it, by the same work in both.

A limit in milliseconds that holds for a Pi says nothing about software emulation, which is many times slower than the
processor that it runs on: the part of the time that is work is allowed so many times longer.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from hil.monitor import RESULTS

_FILE = "pace"
_ROUNDS = 5


def work_time() -> float:
    """Seconds that a fixed piece of work takes here, at best."""
    return min(_work() for _ in range(_ROUNDS))


def tell(results: Path) -> None:
    """Leave word of the pace outside."""
    (results / _FILE).write_text(json.dumps(work_time()))


def slowness() -> float:
    """How many times longer work takes in the machine than outside; at least 1."""
    outside: float = json.loads((RESULTS / _FILE).read_text())
    return max(1.0, work_time() / outside)


def _work() -> float:
    begin = time.perf_counter()
    words = {}
    for number in range(3_000):
        words[f"word {number}"] = [str(number).encode(), number * 0.5]
    sum(len(value[0]) for _, value in sorted(words.items()))
    return time.perf_counter() - begin
