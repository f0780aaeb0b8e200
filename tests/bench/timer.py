"""A bare 10 ms timer, as a process of its own: what the machine itself makes late.

Prints how late it was, s, at the median and at p99.  ``python timer.py SECONDS``
"""

from __future__ import annotations

import statistics
import sys
import time

PERIOD = 0.010


def lateness(seconds: float) -> tuple[float, float]:
    """The median and the 99th percentile of the lateness of a 10 ms timer, s."""
    late = []
    due = time.monotonic()
    for _ in range(round(seconds / PERIOD)):
        due += PERIOD
        if (left := due - time.monotonic()) > 0:
            time.sleep(left)
        late.append(max(0.0, time.monotonic() - due))
    return statistics.median(late), statistics.quantiles(late, n=100)[98]


if __name__ == "__main__":
    print(*lateness(float(sys.argv[1])))
