"""Where one medium may be reached: what STUN and TURN servers say of its sockets (RFC 8445 5.1).

Rule 1: an offer waits for nobody longer than `PATIENCE`.  An address that a TURN server gives later is given back.
Rule 2: what was found is kept alive until `close`, or until somebody goes on with the allocations (RFC 8445 5.1.1.4): a
far end may ring for minutes.
Rule 3: requests go one by one, `PACE` apart (RFC 8445 14.2).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from firmware.call.ice import Allocation, Candidate, CandidateType
from firmware.errors import DecodeError
from firmware.ice.attribute import ALTERNATE_SERVER, ERROR_CODE, MAPPED_ADDRESS, XOR_MAPPED_ADDRESS
from firmware.ice.candidate import ONLY, canonical, foundation, priority, ranked
from firmware.ice.datagram import Datagram, is_stun
from firmware.ice.error import TRY_ALTERNATE, words
from firmware.ice.message import BINDING, Kind, Message
from firmware.ice.relay import Relay
from firmware.ice.transaction import RTO, Transactions
from firmware.ice.turn_server import TurnServer
from firmware.sansio import Address

PATIENCE: Final = 2.0
"""Seconds."""
PACE: Final = 0.050
"""Ta, seconds between two new requests (RFC 8445 14.2)."""
KEEP_ALIVE: Final = 15.0
"""Tr: seconds between two requests that keep a NAT's binding (RFC 8445 11)."""
MAX_STUN_SERVERS: Final = 4
MAX_ALTERNATES: Final = 3


class Gathering:
    """The candidates of one medium.

    *bases* are the local addresses of its components' sockets, 1 for RTP and 2 for RTCP, no wildcards.  Servers of
    another family than a socket are not asked by it.  Give it what comes and the time, and send its `datagrams`.
    *others* are further addresses of ours with sockets of the same kind: candidates, by which no server is asked.
    """

    def __init__(
        self,
        bases: Mapping[int, Address],
        stun: Sequence[Address],
        turn: TurnServer | None,
        rng: random.Random,
        now: float,
        others: Sequence[Mapping[int, Address]] = (),
    ) -> None:
        self.done = False
        """All were asked and have answered, or were given up: the candidates stay as they are."""
        self._bases = dict(bases)
        self._transactions = Transactions(rng)
        self._relays: dict[int, Relay] = {}
        self._found: list[Candidate] = []
        self._failures: list[str] = []
        self._datagrams: list[Datagram] = []
        self._bindings: list[tuple[int, Address]] = []
        """Component and server of each that has answered."""
        self._awaited = 0
        """Answers of STUN servers."""
        self._gives_up = now + PATIENCE
        self._keep_alive = now + KEEP_ALIVE
        self._closed = False
        ours = [self._bases, *others]
        self._ranks = {host: rank for rank, host in enumerate(ranked([each[1][0] for each in ours if 1 in each]))}
        for each in ours:
            for component, base in sorted(each.items()):
                self._add(component, CandidateType.HOST, base, None, "")
        self._to_ask: deque[Callable[[float], None]] = deque()
        self._plan(stun[:MAX_STUN_SERVERS], turn, rng)
        self._rto = max(RTO, PACE * len(self._to_ask))  # RFC 8445 14.3
        self._asks = now
        self._look(now)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What was found, best first."""
        return tuple(sorted(self._found, key=lambda each: (each.component, -each.priority)))

    @property
    def allocations(self) -> tuple[Allocation, ...]:
        """What is behind the relayed candidates, as of now."""
        return tuple(each for relay in self._relays.values() if (each := relay.allocation) is not None)

    @property
    def failures(self) -> tuple[str, ...]:
        """Why servers gave nothing, for the log."""
        return tuple(self._failures)

    def receive(self, component: int, data: bytes, source: Address, now: float) -> None:
        """Take a datagram of a component's socket."""
        if not is_stun(data) or self._closed:
            return
        try:
            message = Message.decode(data)
        except DecodeError:
            return
        relay = self._relays.get(component)
        if not (relay is not None and source == relay.server and relay.receive(message, now)):
            self._transactions.receive(message, source, now)
        self._look(now)

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        dues = [self._transactions.timer(), *(relay.timer() for relay in self._relays.values())]
        if self._closed:
            return None
        if self._to_ask:
            dues.append(self._asks)
        if not self.done:
            dues.append(self._gives_up)
        elif self._bindings:
            dues.append(self._keep_alive)
        return min((due for due in dues if due is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        if self._closed:
            return
        if self._to_ask and self._asks <= now:
            self._asks = now + PACE
            self._to_ask.popleft()(now)
        self._transactions.handle_timer(now)
        for relay in self._relays.values():
            relay.handle_timer(now)
        if self._keep_alive <= now:
            self._keep_alive = now + KEEP_ALIVE
            for component, server in self._bindings:
                self._ask(component, server, lambda _message, _source, _now: True, now, repeat=False)
        self._look(now)
        if not self.done and self._gives_up <= now:
            self._give_up()

    def datagrams(self) -> list[Datagram]:
        """Give what is to be sent, in order, and forget it."""
        datagrams, self._datagrams = self._datagrams, []
        return datagrams

    def turn_unreachable(self, why: str, now: float) -> None:
        """Take that the stream to the TURN server can't be made, or is gone."""
        for relay in self._relays.values():
            if relay.reliable and not relay.failure:
                relay.give_up(why)
        self._look(now)

    def close(self, now: float) -> None:
        """Give the allocations back; nothing is kept alive from now on."""
        if not self._closed:
            self._closed = self.done = True
            self._to_ask.clear()
            self._transactions.clear()
            for relay in self._relays.values():
                relay.close(now)

    def _plan(self, stun: Sequence[Address], turn: TurnServer | None, rng: random.Random) -> None:
        for component, base in sorted(self._bases.items()):
            if turn is not None and _same_family(base, turn.address):
                self._relays[component] = Relay(component, turn, rng, self._send)
                self._to_ask.append(partial(self._allocate, component))
            for server in stun:
                if _same_family(base, server):
                    self._awaited += 1
                    self._to_ask.append(partial(self._bind, component, server))

    def _send(self, datagram: Datagram) -> None:
        self._datagrams.append(datagram)

    def _allocate(self, component: int, now: float) -> None:
        if not self._relays[component].failure:
            self._relays[component].allocate(now, self._rto)

    def _bind(self, component: int, server: Address, now: float, tried: frozenset[Address] = frozenset()) -> None:
        """Ask a STUN server for our address as it sees it."""

        def answered(message: Message, source: Address, now: float) -> bool:
            if message.method != BINDING or source != server:
                return False
            if message.kind is Kind.SUCCESS:
                mapped = message.get(XOR_MAPPED_ADDRESS) or message.get(MAPPED_ADDRESS)
                if mapped is not None:
                    self._bindings.append((component, server))
                    self._reflexive(component, mapped, server)
            else:
                error, other = message.get(ERROR_CODE), message.get(ALTERNATE_SERVER)
                seen = tried | {server}
                moved = error is not None and error.code == TRY_ALTERNATE and other is not None
                if moved and other is not None and other not in seen and len(seen) <= MAX_ALTERNATES:
                    self._bind(component, other, now, seen)
                    return True
                self._failures.append(f"STUN server {server[0]}: {words(error)}")
            self._awaited -= 1
            return True

        self._ask(component, server, answered, now)

    def _ask(
        self,
        component: int,
        server: Address,
        on_answer: Callable[[Message, Address, float], bool],
        now: float,
        *,
        repeat: bool = True,
    ) -> None:
        identifier = self._transactions.identifier()
        datagram = Datagram(component, server, Message.of(BINDING, Kind.REQUEST, identifier).encode())

        def send(_now: float) -> None:
            self._datagrams.append(datagram)

        self._transactions.begin(identifier, send, on_answer, lambda _now: None, now, self._rto, repeat=repeat)

    def _look(self, now: float) -> None:
        """Take what has come of the allocations, and see whether that was all."""
        for component, relay in self._relays.items():
            if relay.relayed is None or self._has(component, CandidateType.RELAYED):
                continue
            if self.done:  # nobody was told of it
                relay.close(now)
                continue
            mapped = relay.mapped or self._bases[component]
            self._add(component, CandidateType.RELAYED, relay.relayed, mapped, relay.server[0])
            if not relay.reliable:  # else that is no address of our socket
                self._reflexive(component, mapped, relay.server)
        if not self._awaited and all(relay.relayed or relay.failure for relay in self._relays.values()):
            self.done = True
        if self.done:
            self._say_failures()

    def _give_up(self) -> None:
        self.done = True
        self._to_ask.clear()
        self._transactions.clear()
        if self._awaited:
            self._failures.append("a STUN server does not answer")
        for relay in self._relays.values():
            if relay.relayed is None and not relay.failure:
                self._failures.append(f"TURN server {relay.name}: it does not answer in time")

    def _say_failures(self) -> None:
        for relay in self._relays.values():
            said = f"TURN server {relay.name}: {relay.failure}"
            if relay.failure and said not in self._failures:
                self._failures.append(said)

    def _reflexive(self, component: int, mapped: Address, server: Address) -> None:
        self._add(component, CandidateType.SERVER_REFLEXIVE, mapped, self._bases[component], server[0])

    def _has(self, component: int, kind: CandidateType) -> bool:
        return any(each.component == component and each.type is kind for each in self._found)

    def _add(self, component: int, kind: CandidateType, address: Address, related: Address | None, server: str) -> None:
        alike = [each for each in self._found if each.component == component and each.type is kind]
        reflexive = kind is CandidateType.SERVER_REFLEXIVE
        base = self._bases[component][0] if reflexive else address[0]
        rank = priority(kind, component, ONLY - self._ranks.get(address[0], len(alike)))
        candidate = canonical(Candidate(foundation(kind, base, server), component, rank, address, kind, related))
        # RFC 8445 5.1.3: what the base is already, or another server said already, is no candidate.
        known = {each.address for each in self._found if each.component == component}
        if candidate is not None and candidate.address not in known and not self.done:
            self._found.append(candidate)


def _same_family(one: Address, other: Address) -> bool:
    return (":" in one[0]) == (":" in other[0])
