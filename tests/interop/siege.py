"""A unit in a call while strangers attack it: no packet of the call is lost, no tick, and nothing grows."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from interop.conftest import FAR_LABEL
from interop.ports import own_address
from interop.test_h323_units import assert_sees, descriptors
from interop.unit import Unit
from interop.waiting import until

ATTACK_TIME = 6.0
"""Seconds of each kind of attack."""
AUDIO_PACKETS = 50
"""A second."""
GROWTH = 25_000_000
"""Bytes of memory that are no leak: what an interpreter takes once and keeps."""


@dataclass
class Target:
    """A unit in a call with another; strangers see its address and ports."""

    unit: Unit
    far: Unit
    port: int

    def connect(self, port: int = 0) -> socket.socket:
        """Connect as somebody at an address of his own."""
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.bind((own_address(), 0))
        made.settimeout(2)
        made.connect((self.unit.address, port or self.port))
        return made

    def throw(self, data: bytes, port: int = 0) -> None:
        """Connect, say it, and go, whatever becomes of it."""
        with contextlib.suppress(OSError), self.connect(port) as attacker:
            attacker.sendall(data)

    def withstand(self, name: str, attack: Callable[[float], int]) -> None:
        """Go through an attack, which gets the time of its end and gives how often it struck."""
        unit, far = self.unit, self.far
        number, number_there = unit.state()["calls"][0]["id"], far.wait_for_call()
        for end, call in ((unit, number), (far, number_there)):
            assert until(lambda e=end, c=call: len(e.streams(c)) == 4), "statistics come once a second"
        memory, open_files = unit.usage()[0], descriptors(unit)
        before, before_there = unit.streams(number), far.streams(number_there)
        begin = time.monotonic()
        count = attack(begin + ATTACK_TIME)
        lasted, late = time.monotonic() - begin, unit.audio_tick(number)["p99"]
        after, after_there = unit.streams(number), far.streams(number_there)
        assert count > 20
        for streams, earlier in ((after, before), (after_there, before_there)):
            assert all(stream["lost"] == 0 for stream in streams.values())
            for kind in ("audio", "video"):
                for direction in ("send", "receive"):
                    passed = streams[kind, direction]["packets"] - earlier[kind, direction]["packets"]
                    # Statistics come once a second, and late where the machine has much to do.
                    wanted = 0.9 * AUDIO_PACKETS * (lasted - 2) if kind == "audio" else lasted
                    assert passed > wanted, f"{kind} {direction}: {passed} in {lasted:.1f} s"
        assert_sees(unit, FAR_LABEL)
        unit.forget_sound()
        assert until(lambda: unit.heard_tone(far.tone) > 0.8)
        unit.wait(lambda state: [call["id"] for call in state["calls"]] == [number], 40)
        assert until(lambda: descriptors(unit) <= open_files, 20), "connections are left"
        assert unit.usage()[0] < memory + GROWTH
        assert "dropped after" not in unit.log()
        assert "Traceback" not in unit.log()
        grown = (unit.usage()[0] - memory) / 1e6
        print(f"{name}: {count} in {lasted:.1f} s; memory {grown:+.1f} MB; audio late by {late * 1000:.1f} ms")
