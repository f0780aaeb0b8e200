"""How long an INVITE waits for its 200 OK with automatic answer, measured by one client for us and for baresip."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from bench.conftest import Figure
from interop.baresip import Baresip
from interop.peer import Address, Peer
from interop.unit import Unit

CALLS = 40


def call_times(to: Address, user: str) -> list[float]:
    """From sending the INVITE to having the 200, s, for calls one after the other, with sound and picture."""
    times = []
    for _ in range(CALLS):
        with Peer("127.0.0.1", profile="AVP") as peer:
            call = peer.call(to, user=user)
            call.final()
            times.append(time.monotonic() - call.sent_at)
            call.request("ACK")
            time.sleep(0.1)
            call.end()
        time.sleep(0.05)
    return times[2:]  # the first ones import and allocate


def test_call_setup(unit: Callable[..., Unit], baresip: Callable[..., Baresip], figures: list[Figure]) -> None:
    running = unit()
    ours = call_times(running.sip, "room")
    running.stop()
    far = baresip(record=False)
    theirs = call_times((far.address, far.port), "baresip")
    figures.append(Figure("INVITE to 200 OK, median", *map(milliseconds, (ours, theirs)), "< 5 ms"))
    assert statistics.median(ours) < 0.050, "ten times what is wanted: not the machine's noise any more"


def milliseconds(times: list[float]) -> str:
    return f"{statistics.median(times) * 1000:.1f} ms"
