"""A simulated network with its own clock: cores, no sockets, no waiting.

Datagrams may be delayed, lost and put out of order; streams are delayed only.  A time-out of 32 s takes a millisecond
and repeats exactly.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterable
from typing import Any

from firmware.sansio import Address, Close, Core, Flow, Open, Send

Deliver = Callable[[], None]


class Wire:
    """Joins cores by address.  Attach them, give commands, then `run`.

    *lost* is asked with the number (from 1) and the bytes of each datagram.  With *reorder*, each datagram is delayed
    by up to that many seconds more, by a seeded random.
    """

    def __init__(
        self,
        delay: float = 0.010,
        lost: Callable[[int, bytes], bool] = lambda number, data: False,
        reorder: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.now = 0.0
        self.delay = delay
        self.lost = lost
        self.reorder = reorder
        self.cores: dict[Address, Core] = {}
        self.events: dict[Address, list[Any]] = {}
        """All that each core reported, in order."""
        self.sent: list[tuple[float, Flow, bytes]] = []
        """All that was sent, lost or not, with the time and the sender's flow."""
        self.on_event: dict[Address, Callable[[Any], None]] = {}
        self._random = random.Random(seed)
        self._order = itertools.count()
        self._queue: list[tuple[float, int, Deliver]] = []
        self._port = itertools.count(40_000)
        self._datagrams = 0
        self._streams: dict[tuple[Address, Flow], tuple[Address, Flow]] = {}
        self._opening: set[tuple[Address, Flow]] = set()
        self._also: dict[Address, Address] = {}

    def attach(
        self,
        address: Address,
        core: Core,
        on_event: Callable[[Any], None] | None = None,
        also: Iterable[Address] = (),
    ) -> None:
        """Put a core at an address, by which it goes here; *on_event* is called with each of its events as it happens.

        *also* are more addresses at which it is reached (H.323 listens on several ports).
        """
        self.cores[address], self.events[address] = core, []
        self._also |= dict.fromkeys(also, address)
        if on_event is not None:
            self.on_event[address] = on_event

    def run(self, until: float) -> None:
        """Advance the clock, event by event, to *until*; real time does not pass."""
        while True:
            self.collect()
            due = [t for core in self.cores.values() if (t := core.timer()) is not None]
            due += [self._queue[0][0]] if self._queue else []
            if not due or min(due) > until:
                self.now = until
                return
            self.now = max(self.now, min(due))
            while self._queue and self._queue[0][0] <= self.now:
                heapq.heappop(self._queue)[2]()
                self.collect()
            for core in list(self.cores.values()):
                timer = core.timer()
                if timer is not None and timer <= self.now:
                    core.handle_timer(self.now)
                    assert core.timer() != timer, f"{core} asks for the same timer again"

    def cut(self, address: Address, flow: Flow) -> None:
        """Let a stream of the core at this address be lost, for both ends."""
        end = self._streams.pop((address, flow), None)
        if end is not None:
            self._streams.pop(end, None)
            self._closed(*end)
            self._closed(address, flow)

    def pass_time(self, seconds: float) -> None:
        """Advance the clock by this much."""
        self.run(self.now + seconds)

    def collect(self) -> None:
        """Do what the cores want done now."""
        again = True
        while again:
            again = False
            for address, core in list(self.cores.items()):
                for action in core.actions():
                    self._act(address, action)
                for event in core.events():
                    again = True
                    self.events[address].append(event)
                    if address in self.on_event:
                        self.on_event[address](event)

    def _act(self, address: Address, action: Open | Send | Close) -> None:
        flow = action.flow
        match action:
            case Send(data=data) if flow.transport == "udp":
                self.sent.append((self.now, flow, data))
                self._datagrams += 1
                if not self.lost(self._datagrams, data):
                    extra = self._random.uniform(0, self.reorder) if self.reorder else 0.0
                    back = Flow("udp", flow.remote, flow.local)
                    self._later(self._deliver, flow.remote, back, data, extra=extra)
            case Send(data=data):
                self.sent.append((self.now, flow, data))
                if (address, flow) in self._streams:
                    self._later(self._deliver, *self._streams[address, flow], data)
                else:
                    self._later(self._deliver_waiting, address, flow, data)
            case Open():
                self._opening.add((address, flow))
                self._later(self._open, address, flow)
            case Close():
                end = self._streams.pop((address, flow), None)
                if end is not None:
                    self._streams.pop(end, None)
                    self._later(self._closed, *end)
                elif (address, flow) in self._opening:
                    self._opening.remove((address, flow))

    def _later(self, what: Callable[..., None], *arguments: Any, extra: float = 0.0) -> None:
        entry = (self.now + self.delay + extra, next(self._order), lambda: what(*arguments))
        heapq.heappush(self._queue, entry)

    def _deliver(self, address: Address, flow: Flow, data: bytes) -> None:
        core = self.cores.get(self._at(address))
        if core is not None:
            core.receive_data(flow, data, self.now)

    def _deliver_waiting(self, address: Address, flow: Flow, data: bytes) -> None:
        """Deliver what was sent before the stream was open (`Open`: data sent meanwhile waits)."""
        if (address, flow) in self._streams:
            self._deliver(*self._streams[address, flow], data)

    def _open(self, address: Address, flow: Flow) -> None:
        if (address, flow) not in self._opening:
            return  # closed before it was open
        self._opening.remove((address, flow))
        there = self._at(flow.remote)
        if there not in self.cores:
            self.cores[address].flow_closed(flow, self.now)
            return
        accepted = Flow(flow.transport, flow.remote, (flow.local[0], next(self._port)))
        self._streams[address, flow] = (there, accepted)
        self._streams[there, accepted] = (address, flow)
        self.cores[there].flow_opened(accepted, self.now)
        self.cores[address].flow_opened(flow, self.now)

    def _at(self, address: Address) -> Address:
        """Give the address by which the core goes that is reached at this one."""
        return self._also.get(address, address)

    def _closed(self, address: Address, flow: Flow) -> None:
        if address in self.cores:
            self.cores[address].flow_closed(flow, self.now)
