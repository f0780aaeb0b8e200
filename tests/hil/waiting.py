"""Waiting for what happens by and by."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], object], seconds: float = 10.0, pause: float = 0.002) -> bool:
    """Wait until the condition holds, looking every *pause* seconds; False: it did not in this time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
