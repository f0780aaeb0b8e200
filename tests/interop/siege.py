"""A unit in a call while strangers attack it: no packet of the call is lost, no tick, and nothing grows."""

from __future__ import annotations

import contextlib
import socket
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from interop.conftest import FAR_LABEL
from interop.ports import own_address
from interop.sound import GAP, gaps
from interop.test_h323_units import assert_sees, descriptors
from interop.unit import SPEAKER_RATE, Unit
from interop.waiting import until

ATTACK_TIME = 6.0
"""Seconds of each kind of attack."""
AUDIO_PACKETS = 50
"""A second."""
QUIET_TIME = 3.0
"""Seconds before it, from which is known how much the machine loses of its own."""
GAPS = 0.25
"""Share of the sound that other programs may cost the call meanwhile; a machine with nothing else to do loses none."""
MISSING = 0.5
"""Seconds of sound that may be still to come."""
FRAME_RATE = 30
GROWTH = 25_000_000
"""Bytes of memory that are no leak: what an interpreter takes once and keeps."""


class _FrameRates:
    """How many pictures a second are shown, looked at once a second while this is a context."""

    def __init__(self, unit: Unit, call: str) -> None:
        self._unit, self._call = unit, call
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: list[float] = []

    def __enter__(self) -> _FrameRates:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(1.0):
            self.seen.append(self._unit.streams(self._call)["video", "receive"]["frame_rate"])


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

    def _silent_share(self) -> float:
        """How much of what the far end has heard since it forgot is not the unit's tone.

        The unit itself also hears that somebody else calls.
        """
        heard = self.far.heard()
        return len(gaps(heard, self.unit.tone, SPEAKER_RATE)) * GAP / (len(heard) / SPEAKER_RATE)

    def withstand(self, name: str, attack: Callable[[float], int]) -> None:
        """Go through an attack, which gets the time of its end and gives how often it struck."""
        unit, far = self.unit, self.far
        number, number_there = unit.state()["calls"][0]["id"], far.wait_for_call()
        for end, call in ((unit, number), (far, number_there)):
            assert until(lambda e=end, c=call: len(e.streams(c)) == 4), "statistics come once a second"
        memory, open_files = unit.usage()[0], descriptors(unit)
        before, before_there = unit.streams(number), far.streams(number_there)
        far.forget_sound()
        time.sleep(QUIET_TIME)
        quiet = self._silent_share()
        unit.forget_sound()
        far.forget_sound()
        begin = time.monotonic()
        with _FrameRates(unit, number) as rates:
            count = attack(begin + ATTACK_TIME)
        lasted, late = time.monotonic() - begin, unit.audio_tick(number)["p99"]
        after, after_there = unit.streams(number), far.streams(number_there)
        played, silent = len(unit.heard()) / SPEAKER_RATE, self._silent_share()
        pictures = statistics.fmean(rates.seen)
        print(f"{name}: {played:.1f} s played, {silent:.1%} of it gaps ({quiet:.1%} before), {pictures:.1f} pictures/s")
        assert count > 20
        assert played > lasted - MISSING, "ticks of the sound are lost"
        assert silent < quiet + GAPS, f"{silent:.1%} of the sound is missing, and {quiet:.1%} before"
        assert pictures > FRAME_RATE / 2
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
        assert "media process is gone" not in unit.log()
        assert "Traceback" not in unit.log()
        grown = (unit.usage()[0] - memory) / 1e6
        print(f"{name}: {count} in {lasted:.1f} s; memory {grown:+.1f} MB; audio late by {late * 1000:.1f} ms")
