"""A simulated internet with NATs, its own clock, and ends that look for a way through it: no sockets, no waiting.

Datagrams may be delayed, lost and put out of order; all by a seeded random, so that a run repeats exactly.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from firmware.call.ice import Credentials, Ice, Selected
from firmware.ice.agent import Agent
from firmware.ice.credentials import make_credentials
from firmware.ice.datagram import Datagram
from firmware.ice.event import ConsentLost, Event, Failed, Unanswered
from firmware.ice.gathering import Gathering
from firmware.ice.turn_server import TurnServer
from firmware.sansio import Address

Deliver = Callable[[bytes, Address, float], None]


class Party(Protocol):
    """Whoever wants to know the time."""

    def timer(self) -> float | None: ...
    def handle_timer(self, now: float) -> None: ...


class Nat:
    """A box between a home and the internet.

    *symmetric*: another port outside for each far end.  *filters*: by nothing, the far ``host``, or host and ``port``.
    """

    def __init__(self, public: str, *, symmetric: bool = False, filters: str = "port") -> None:
        self.public = public
        self.symmetric = symmetric
        self.filters = filters
        self.blocked = False
        """Nothing comes in."""
        self._ports = itertools.count(30_000)
        self._out: dict[tuple[Address, Address | None], int] = {}
        self._in: dict[int, tuple[Address, set[Address]]] = {}

    def outwards(self, source: Address, destination: Address) -> Address:
        key = source, destination if self.symmetric else None
        if key not in self._out:
            self._out[key] = next(self._ports)
            self._in[self._out[key]] = source, set()
        self._in[self._out[key]][1].add(destination)
        return self.public, self._out[key]

    def inwards(self, source: Address, port: int) -> Address | None:
        inside, seen = self._in.get(port, (None, set[Address]()))
        known = {
            "": True,
            "host": source[0] in {each[0] for each in seen},
            "port": source in seen,
        }[self.filters]
        return inside if known and not self.blocked else None

    def forget(self) -> None:
        """Lose all bindings, as a box that starts anew."""
        self._out.clear()
        self._in.clear()


class Network:
    """Carries datagrams between addresses.  Attach parties, give commands, then `run`."""

    def __init__(self, delay: float = 0.010, loss: float = 0.0, reorder: float = 0.0, seed: int = 1) -> None:
        self.now = 0.0
        self.delay, self.loss, self.reorder = delay, loss, reorder
        self.rng = random.Random(seed)
        self.sent: list[tuple[float, Address, Address, bytes]] = []
        """When, from (outside of a NAT), to, what."""
        self.blocked: Callable[[Address, Address], bool] = lambda source, destination: False
        self.parties: list[Party] = []
        self._deliver: dict[Address, Deliver] = {}
        self._behind: dict[str, Nat] = {}
        self._nats: dict[str, Nat] = {}
        self._queue: list[tuple[float, int, Address, Address, bytes]] = []
        self._order = itertools.count()

    def attach(self, address: Address, deliver: Deliver, nat: Nat | None = None) -> None:
        self._deliver[address] = deliver
        if nat is not None:
            self._behind[address[0]] = nat
            self._nats[nat.public] = nat

    def send(self, source: Address, destination: Address, data: bytes) -> None:
        nat = self._behind.get(source[0])
        if nat is not None and self._behind.get(destination[0]) is not nat:
            source = nat.outwards(source, destination)
        self.sent.append((self.now, source, destination, data))
        if self.rng.random() >= self.loss and not self.blocked(source, destination):
            due = self.now + self.delay + self.rng.uniform(0, self.reorder)
            heapq.heappush(self._queue, (due, next(self._order), source, destination, data))

    def run(self, seconds: float) -> None:
        """Advance the clock, event by event; real time does not pass."""
        until = self.now + seconds
        while True:
            dues = [due for party in self.parties if (due := party.timer()) is not None]
            dues += [self._queue[0][0]] if self._queue else []
            if not dues or min(dues) > until:
                self.now = until
                return
            self.now = max(self.now, min(dues))
            while self._queue and self._queue[0][0] <= self.now:
                _, _, source, destination, data = heapq.heappop(self._queue)
                self._arrive(source, destination, data)
            for party in list(self.parties):
                due = party.timer()
                if due is not None and due <= self.now:
                    party.handle_timer(self.now)
                    assert party.timer() != due, f"{party} asks for the same timer again"

    def _arrive(self, source: Address, destination: Address, data: bytes) -> None:
        nat = self._nats.get(destination[0])
        inside = nat.inwards(source, destination[1]) if nat is not None else destination
        # A private address means nothing outside of its NAT.
        if inside is not None and (nat is not None or self._reaches(source, inside)) and inside in self._deliver:
            self._deliver[inside](data, source, self.now)

    def _reaches(self, source: Address, inside: Address) -> bool:
        home = self._behind.get(inside[0])
        return home is None or home is self._behind.get(source[0])


class End:
    """One end: sockets for its components, gathering, then an agent.  `heard` is what came that was not ICE's."""

    def __init__(
        self,
        network: Network,
        host: str,
        nat: Nat | None = None,
        *,
        components: int = 1,
        stun: Sequence[Address] = (),
        turn: TurnServer | None = None,
        seed: int = 1,
        others: Sequence[str] = (),
    ) -> None:
        """*others* are more addresses that it has, without a NAT."""
        self.network = network
        self.rng = random.Random(f"{host} {seed}")
        self.bases = {number: (host, 4000 + number) for number in range(1, components + 1)}
        self.agent: Agent | None = None
        self.events: list[Event] = []
        self.heard: list[tuple[int, bytes, Address]] = []
        self.credentials = make_credentials(self.rng)
        self.drops: Callable[[bytes], bool] = lambda data: False
        more = [{number: (each, port) for number, (_, port) in self.bases.items()} for each in others]
        for bases in (self.bases, *more):
            for number, base in bases.items():
                network.attach(
                    base, self._receiver(number, base if more else None), nat if bases is self.bases else None
                )
        self.gathering = Gathering(self.bases, stun, turn, self.rng, network.now, more)
        network.parties.append(self)
        self._flush()

    def ice(self, theirs: End, *, controlling: bool, **changes: object) -> Ice:
        remote = tuple(each for each in theirs.gathering.candidates if each.component in self.bases)
        ice = Ice(
            *(controlling, self.credentials, theirs.credentials, self.gathering.candidates, remote),
            self.gathering.allocations,
        )
        return replace(ice, **changes)  # type: ignore[arg-type]

    def start(self, ice: Ice) -> None:
        """Look for a way from now on; a new one takes the place of the agent before."""
        self.agent = Agent(ice, self.rng, self.network.now)
        self._flush()

    def update(self, ice: Ice) -> None:
        assert self.agent is not None
        self.agent.update(ice, self.network.now)
        self._flush()

    def close(self) -> None:
        (self.agent or self.gathering).close(self.network.now)
        self._flush()

    def say(self, data: bytes, component: int = 1) -> bool:
        """Send a packet; False: there is no way."""
        assert self.agent is not None
        datagram = self.agent.wrap(component, data)
        if datagram is not None:
            self._send(datagram)
        return datagram is not None

    def selected(self) -> dict[int, Selected]:
        return {each.component: each for each in self.events if isinstance(each, Selected)}

    def failures(self) -> list[Failed | ConsentLost]:
        return [each for each in self.events if isinstance(each, Failed | ConsentLost)]

    def doubts(self) -> int:
        """How often it was said that the far end does not answer."""
        return sum(isinstance(each, Unanswered) for each in self.events)

    def timer(self) -> float | None:
        return (self.agent or self.gathering).timer()

    def handle_timer(self, now: float) -> None:
        (self.agent or self.gathering).handle_timer(now)
        self._flush()

    def _receiver(self, component: int, base: Address | None) -> Deliver:
        def receive(data: bytes, source: Address, now: float) -> None:
            if self.drops(data):
                return
            if self.agent is None:
                self.gathering.receive(component, data, source, now)
            elif (found := self.agent.receive(component, data, source, now, base)) is not None:
                self.heard.append((component, *found))
            self._flush()

        return receive

    def _flush(self) -> None:
        for datagram in (self.agent or self.gathering).datagrams():
            self._send(datagram)
        if self.agent is not None:
            self.events += self.agent.events()

    def _send(self, datagram: Datagram) -> None:
        self.network.send(datagram.base or self.bases[datagram.component], datagram.destination, datagram.data)


def gather(network: Network, *ends: End) -> None:
    """Let ends find their candidates."""
    network.run(2.5)
    assert all(end.gathering.done for end in ends)


def connect(network: Network, one: End, other: End, seconds: float = 10.0, *, both: bool = False) -> None:
    """Let two ends look for a way; *one* chooses, or *both* want to."""
    gather(network, one, other)
    first, second = one.ice(other, controlling=True), other.ice(one, controlling=both)
    one.start(first)
    other.start(second)
    network.run(seconds)


def talk(network: Network, one: End, other: End, component: int = 1) -> None:
    """Assert that each hears the other."""
    one.heard.clear()
    other.heard.clear()
    assert one.say(b"\x80one", component)
    assert other.say(b"\x80other", component)
    network.run(1)
    assert [(each, data) for each, data, _ in one.heard] == [(component, b"\x80other")]
    assert [(each, data) for each, data, _ in other.heard] == [(component, b"\x80one")]


def fresh(end: End) -> Credentials:
    """Give an end new credentials, for a restart."""
    end.credentials = make_credentials(end.rng)
    return end.credentials
