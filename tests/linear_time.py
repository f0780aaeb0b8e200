"""Whether work on what a far end sends grows no faster than its size does.

The cost is a ratio of the times that two sizes of the same message take on the same machine: eight times the size may
cost a little more than eight times, never 64 times.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

from firmware.errors import RemoteProtocolError

Material = TypeVar("Material")


def cost(work: Callable[[Material], object], material: Material) -> float:
    """Give the least CPU time of several runs, s: others may keep the machine busy meanwhile."""

    def once() -> float:
        start = time.process_time()
        with contextlib.suppress(RemoteProtocolError):
            work(material)
        return time.process_time() - start

    return min(once() for _ in range(5))


def assert_linear(work: Callable[[Material], object], make: Callable[[int], Material], size: int) -> None:
    """Assert that eight times the size costs less than 24 times as much; noise gets three chances, a square none."""
    ratios = []
    for _ in range(3):
        ratios.append(cost(work, make(size)) / cost(work, make(size // 8)))
        if ratios[-1] < 24:
            return
    raise AssertionError(f"8 times the size costs {ratios} times as much")
