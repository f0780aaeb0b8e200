"""The reorder buffer of video: gives packets in order, asks for missing ones again, and gives up in time.

Rule 1: a packet in order is given at once; the buffer adds no delay where nothing is missing.
Rule 2: a gap is waited for only as long as a retransmission (or, without NACK, a detour) can take, bounded.
Rule 3: after a gap was given up the packets behind it come; the depacketizer sees the jump of the sequence numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from firmware.rtp.packet import Packet

DETOUR: Final = 0.050
"""s that a packet may come later than its successor; waited for where NACK is not agreed."""
SLACK: Final = 0.030
"""s for what a round trip as RTCP measured it is not: jitter, and timers at both ends."""
MIN_WAIT: Final = 0.080
MAX_WAIT: Final = 0.400
"""s.  A picture later than that is worse than a new key frame."""
UNKNOWN_ROUND_TRIP: Final = 0.100
"""s, till RTCP has measured it."""
ASK_DELAY: Final = 0.010
"""s before a missing packet is asked for: most that are out of order come within."""
ASK_INTERVAL: Final = 0.010
"""s between two NACKs, at least."""
MAX_ASKS: Final = 4
"""For one packet."""


@dataclass(slots=True)
class _Missing:
    since: float
    ask: float
    asks: int = 0


class ReorderBuffer:
    """For one received stream of video."""

    def __init__(self, nack: bool, capacity: int = 512) -> None:
        """*nack*: whether missing packets may be asked for again; settable.  *capacity*: packets behind a gap."""
        self.nack = nack
        self.round_trip: float | None = None
        """s; the owner keeps it up to date from the Session."""
        self.late = 0
        """Packets that came twice, or after they had been given up."""
        self.lost = 0
        """Packets given up."""
        self.recovered = 0
        """Packets that came after they had been asked for."""
        self._capacity = capacity
        self._stream = -1
        self._next = 0
        self._highest = 0
        self._waiting: dict[int, Packet] = {}
        self._missing: dict[int, _Missing] = {}
        """By index, in order; the first is the one that everything waits for."""
        self._asked = float("-inf")

    @property
    def wait(self) -> float:
        """How long a gap is waited for, s."""
        if not self.nack:
            return DETOUR
        # The answer to the second request is still in time.
        return min(MAX_WAIT, max(MIN_WAIT, ASK_DELAY + 2.5 * self._round_trip + SLACK))

    @property
    def _round_trip(self) -> float:
        return UNKNOWN_ROUND_TRIP if self.round_trip is None else self.round_trip

    def push(self, packet: Packet, now: float) -> list[Packet]:
        """Take a packet as Session.receive gave it; give those that are now in order (also after a gap given up)."""
        index = packet.index
        if packet.stream != self._stream:
            return self._start(packet)
        if index == self._next and not self._missing:
            self._next = index + 1
            self._highest = index
            return [packet]
        if index < self._next or index in self._waiting:
            self.late += 1
            return []
        if index - self._next > self._capacity:
            # Nobody can fill such a gap in time.
            return self._release_all(index, [packet])
        self._waiting[index] = packet
        missing = self._missing.pop(index, None)
        if missing is not None:
            self.recovered += missing.asks > 0
        else:
            for absent in range(self._highest + 1, index):
                self._missing[absent] = _Missing(now, now + ASK_DELAY)
            self._highest = index
        given = self._run()
        return given + self.handle_timer(now) if self._missing else given

    def missing(self, now: float) -> list[int]:
        """Give the indexes to ask for now (again), for Session.report_missing; each up to four times, in intervals."""
        if not self.nack or now < self._asked + ASK_INTERVAL:
            return []
        due = [index for index, missing in self._missing.items() if missing.ask <= now and missing.asks < MAX_ASKS]
        for index in due:
            missing = self._missing[index]
            missing.asks += 1
            missing.ask = now + max(ASK_DELAY, 1.5 * self._round_trip)
        if due:
            self._asked = now
        return due

    def timer(self) -> float | None:
        """When handle_timer and missing are wanted, or None."""
        if not self._missing:
            return None
        due = next(iter(self._missing.values())).since + self.wait
        asks = [missing.ask for missing in self._missing.values() if missing.asks < MAX_ASKS] if self.nack else []
        return min(due, max(min(asks), self._asked + ASK_INTERVAL)) if asks else due

    def handle_timer(self, now: float) -> list[Packet]:
        """Give up gaps that have lasted too long: the packets behind them, in order."""
        given: list[Packet] = []
        while self._missing:
            index, missing = next(iter(self._missing.items()))
            if now < missing.since + self.wait:
                break
            del self._missing[index]
            self.lost += 1
            self._next = index + 1
            given += self._run()
        return given

    def _run(self) -> list[Packet]:
        """Take what is in order now."""
        given: list[Packet] = []
        while (packet := self._waiting.pop(self._next, None)) is not None:
            given.append(packet)
            self._next += 1
        return given

    def _start(self, packet: Packet) -> list[Packet]:
        given = self._release_all(packet.index, [packet])
        self._stream = packet.stream
        return given

    def _release_all(self, index: int, then: list[Packet]) -> list[Packet]:
        """Give up every gap, and go on after *index*."""
        given = [self._waiting[waiting] for waiting in sorted(self._waiting)]
        self.lost += len(self._missing)
        self._waiting.clear()
        self._missing.clear()
        self._next, self._highest = index + 1, index
        return given + then
