"""A bare 10 ms timer, as a process of its own: what the machine itself makes late.

Prints, for each second, how late it was at p99, s: as a unit tells of its audio tick.  ``python timer.py SECONDS``
"""

from __future__ import annotations

import math
import sys
import time

PERIOD = 0.010
TICKS = round(1 / PERIOD)


def lateness(seconds: int) -> list[float]:
    """What 99 of 100 ticks of a 10 ms timer were late at most, s, in each second."""
    found = []
    due = time.monotonic()
    for _ in range(seconds):
        late = []
        for _ in range(TICKS):
            due += PERIOD
            if (left := due - time.monotonic()) > 0:
                time.sleep(left)
            late.append(max(0.0, time.monotonic() - due))
        found.append(sorted(late)[math.ceil(0.99 * TICKS) - 1])
    return found


if __name__ == "__main__":
    print(*lateness(int(sys.argv[1])))
