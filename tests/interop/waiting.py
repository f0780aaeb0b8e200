"""Waiting for what others do in their own time."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(wanted: Callable[[], bool], timeout: float = 10.0) -> bool:
    """Wait until it is so; give whether it came to be."""
    deadline = time.monotonic() + timeout
    while not wanted():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
