"""What is said to systemd, where it has started the unit (sd_notify(3)): ready, alive, stopping.

Without systemd, or when it does not listen, nothing is said and nothing fails.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"

_MICRO = 1_000_000


def notify(state: str) -> None:
    """Tell systemd; never waits."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    address = path.replace("@", "\0", 1) if path.startswith("@") else path
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.setblocking(False)
        out.sendto(state.encode(), address)


def watchdog_time() -> float | None:
    """Within what time systemd wants to hear ALIVE again, s; None: it does not watch this process."""
    try:
        watched = int(os.environ.get("WATCHDOG_PID", os.getpid()))
        microseconds = int(os.environ["WATCHDOG_USEC"])
    except (KeyError, ValueError):
        return None
    return microseconds / _MICRO if microseconds > 0 and watched == os.getpid() else None
