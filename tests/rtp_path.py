"""A network path for RTP on a virtual clock: delay, jitter, loss and doubling, and two sessions at its ends."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable

from firmware.rtp.event import Event, Retransmit
from firmware.rtp.packet import Packet, is_control
from firmware.rtp.session import Session


class Path:
    """Carries datagrams between two ends, numbered 0 and 1.

    A datagram takes *delay* s and up to *jitter* s more; a fraction *loss* never arrives, *double* arrives twice.
    *lost* decides by the datagram, before chance does.
    """

    def __init__(
        self,
        delay: float = 0.020,
        jitter: float = 0.0,
        loss: float = 0.0,
        double: float = 0.0,
        lost: Callable[[bytes], bool] = lambda data: False,
        seed: int = 1,
    ) -> None:
        self.delay, self.jitter, self.loss, self.double, self.lost = delay, jitter, loss, double, lost
        self.sent = 0
        """RTP packets given to the path."""
        self.dropped = 0
        """RTP packets that the path lost."""
        self._rng = random.Random(seed)
        self._order = itertools.count()
        self._queue: list[tuple[float, int, int, bytes]] = []

    def put(self, data: bytes, to: int, now: float) -> None:
        """Take a datagram for one end."""
        media = not is_control(data)
        self.sent += media
        if self.lost(data) or self._rng.random() < self.loss:
            self.dropped += media
            return
        for _ in range(2 if self._rng.random() < self.double else 1):
            arrival = now + self.delay + self._rng.uniform(0, self.jitter)
            heapq.heappush(self._queue, (arrival, next(self._order), to, data))

    def take(self, until: float) -> list[tuple[float, int, bytes]]:
        """Give what arrives up to a time: when, at which end, what."""
        arrived = []
        while self._queue and self._queue[0][0] <= until:
            time, _, end, data = heapq.heappop(self._queue)
            arrived.append((time, end, data))
        return arrived


class Pair:
    """Two sessions joined by a path; `run` lets time pass in ticks, and calls *each* at every tick."""

    def __init__(self, first: Session, second: Session, path: Path | None = None, now: float = 0.0) -> None:
        self.ends = (first, second)
        self.path = path or Path()
        self.now = now
        self.packets: tuple[list[Packet], list[Packet]] = ([], [])
        """Received at each end."""
        self.events: tuple[list[Event], list[Event]] = ([], [])
        self.control: tuple[list[tuple[float, bytes]], list[tuple[float, bytes]]] = ([], [])
        """RTCP sent by each end, and when."""
        self.on_packet: Callable[[int, Packet, float], None] = lambda end, packet, now: None

    def send(self, end: int, payload: bytes, timestamp: int, marker: bool = False, payload_type: int = 96) -> None:
        """Send a packet from one end."""
        data = self.ends[end].send(payload, timestamp, marker, payload_type, self.now)
        self.path.put(data, 1 - end, self.now)

    def put_control(self, end: int, data: bytes | None) -> None:
        """Send RTCP from one end, if there is any."""
        if data:
            self.control[end].append((self.now, data))
            self.path.put(data, 1 - end, self.now)

    def run(self, seconds: float, each: Callable[[int], None] = lambda tick: None, tick: float = 0.010) -> None:
        """Let time pass."""
        start = self.now
        for number in range(round(seconds / tick)):
            self.now = start + number * tick
            each(number)
            for time, end, data in self.path.take(self.now):
                self._arrive(end, data, time)
            for end, session in enumerate(self.ends):
                due = session.timer()
                if due is not None and due <= self.now:
                    self.put_control(end, session.handle_timer(self.now))
        self.now = start + round(seconds / tick) * tick

    def _arrive(self, end: int, data: bytes, time: float) -> None:
        session = self.ends[end]
        if not is_control(data):
            packet = session.receive(data, time)
            if packet is not None:
                self.packets[end].append(packet)
                self.on_packet(end, packet, time)
            return
        events = session.receive_control(data, time)
        self.events[end].extend(events)
        for event in events:
            if isinstance(event, Retransmit):
                for again in event.packets:
                    self.path.put(again, 1 - end, time)
