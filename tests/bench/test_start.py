"""How long a unit takes from the start of its process until it can be called."""

from __future__ import annotations

import statistics
from pathlib import Path

from bench.conftest import Figure
from interop.unit import Unit


def test_start(tmp_path: Path, figures: list[Figure]) -> None:
    times = []
    for number in range(5):
        with Unit(tmp_path / str(number)) as running:
            times.append(running.start_time)
    figures.append(Figure("start to ready, median", f"{statistics.median(times):.2f} s", "", "<= 1.5 s"))
