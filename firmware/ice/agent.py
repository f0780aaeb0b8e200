"""The ICE agent of one medium: a full one (RFC 8445 2.5), with regular nomination.

Rule 1: all datagrams of the medium's sockets go through it.  What it gives back is somebody else's, RTP or DTLS, and
comes from where somebody has proved to know a password that signalling told; all else is its own, or dropped.
Rule 2: what is to be sent it wraps for the pair that is chosen, before that for the best that works.
Rule 3: with new credentials all begins anew; until that has come to something, the pair chosen before goes on (RFC 8445
9).
"""

from __future__ import annotations

import random
from dataclasses import replace

from firmware.call.ice import Candidate, CandidateType, Ice, Selected
from firmware.errors import DecodeError
from firmware.ice.attribute import DATA, XOR_PEER_ADDRESS
from firmware.ice.candidate import canonical
from firmware.ice.check import is_for
from firmware.ice.datagram import Datagram, is_channel_data, is_stun
from firmware.ice.event import Event
from firmware.ice.message import DATA as DATA_INDICATION
from firmware.ice.message import Kind, Message
from firmware.ice.relay import Relay
from firmware.ice.session import Session
from firmware.sansio import Address


class Agent:
    """The checks of one medium.  Give it what comes and the time; after each call, send its `datagrams`."""

    def __init__(self, ice: Ice, rng: random.Random, now: float) -> None:
        self.refused = 0
        """Datagrams that made no sense, or came from somebody who had proved nothing."""
        self._rng = rng
        self._ice = ice
        self._datagrams: list[Datagram] = []
        self._events: list[Event] = []
        self._hosts: dict[int, Candidate] = {}
        self._bases: dict[tuple[int, Address], Candidate] = {}
        """The same, where a component has several."""
        self._relayed: dict[int, Candidate] = {}
        self._relays: dict[int, Relay] = {}
        self._before: Session | None = None
        self._use_local(ice, now)
        self._session = Session(ice, rng, self._send, now, controlling=ice.controlling)
        self._due: float | None = now
        for known in ice.selected:
            self._bind(known, now)
        self._give_back_unused(now)
        self._look(now)

    @property
    def components(self) -> tuple[int, ...]:
        """Those that have candidates on both sides."""
        return self._session.components

    @property
    def controlling(self) -> bool:
        """Whether we choose: as signalling said, until both ends wanted the same (RFC 8445 7.3.1.1)."""
        return self._session.controlling

    def update(self, ice: Ice, now: float) -> None:
        """Take what a later offer and answer said."""
        before, self._ice = self._ice, ice
        self._use_local(ice, now)
        if (ice.ours, ice.theirs) == (before.ours, before.theirs):
            self._session.extend(ice)
        else:
            # RFC 8445 6.1.1: a restart leaves the roles as they are.
            controlling = ice.controlling if ice.controlling != before.controlling else self._session.controlling
            if self._before is None or self._session.is_selected():
                self._before = self._session
            # What was chosen before was chosen by other credentials.
            self._session = Session(replace(ice, selected=()), self._rng, self._send, now, controlling=controlling)
            self._give_back_unused(now)
        self._look(now)

    def receive(
        self, component: int, data: bytes, source: Address, now: float, base: Address | None = None
    ) -> tuple[bytes, Address] | None:
        """Take a datagram; give it back, out of the relay's wrapping, with the far end's address, if it is not ours.

        *base* is the address of ours to which it came, where the component has several.
        """
        relay = self._relays.get(component)
        if relay is not None and source == relay.server:
            if is_channel_data(data):
                return self._unwrapped(component, relay.unwrap(data), now)
            message = _decode(data)
            if message is not None and message.method == DATA_INDICATION and message.kind is Kind.INDICATION:
                inner, peer = message.get(DATA), message.get(XOR_PEER_ADDRESS)
                return self._unwrapped(component, (inner, peer) if inner is not None and peer else None, now)
            if message is not None and relay.receive(message, now):
                self._look(now)
                return None
        host = self._hosts.get(component) if base is None else self._bases.get((component, base))
        return self._receive(data, source, host, now) if host is not None else None

    def wrap(self, component: int, data: bytes) -> Datagram | None:
        """Give a packet as it is to be sent; None: there is no way yet, or no more."""
        session = self._session
        if self._before is not None and not session.is_selected():
            session = self._before if self._before.way(component) is not None else session
        way = session.way(component)
        if way is None:
            return None
        local, remote = way.pair.local, way.remote.address
        if local.type is not CandidateType.RELAYED:
            return Datagram(component, remote, data, local.address)
        relay = self._relays.get(component)
        wrapped = relay.wrap(remote, data) if relay is not None else None
        return Datagram(component, relay.server, wrapped) if relay is not None and wrapped is not None else None

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        return self._due

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        for session in self._sessions():
            session.handle_timer(now)
        for relay in self._relays.values():
            relay.handle_timer(now)
        self._look(now)

    def datagrams(self) -> list[Datagram]:
        """Give what is to be sent, in order, and forget it."""
        datagrams, self._datagrams = self._datagrams, []
        return datagrams

    def events(self) -> list[Event]:
        """Give what there is to tell, in order, and forget it."""
        events, self._events = self._events, []
        return events

    def close(self, now: float) -> None:
        """Give the allocations back: the medium is over."""
        for relay in self._relays.values():
            relay.close(now)

    def _sessions(self) -> tuple[Session, ...]:
        return (self._session,) if self._before is None else (self._session, self._before)

    def _use_local(self, ice: Ice, now: float) -> None:
        """Know our bases, and the allocations behind the relayed ones."""
        for candidate in ice.local:
            known = canonical(candidate)
            if known is not None and known.type is CandidateType.HOST:
                self._hosts.setdefault(known.component, known)
                self._bases[known.component, known.address] = known
            elif known is not None and known.type is CandidateType.RELAYED:
                self._relayed[known.component] = known
        for allocation in ice.allocations:
            known_relay = self._relays.get(allocation.component)
            if known_relay is None or known_relay.relayed != allocation.relayed:
                self._relays[allocation.component] = Relay.of(allocation, self._rng, self._queue, now)

    def _give_back_unused(self, now: float) -> None:
        """Give back what only RTCP on a port of its own would need, where there is none (RFC 8445 8.3)."""
        for component, relay in self._relays.items():
            if component not in self._session.components:
                relay.close(now)

    def _queue(self, datagram: Datagram) -> None:
        self._datagrams.append(datagram)

    def _send(self, local: Candidate, destination: Address, data: bytes, now: float) -> None:
        if local.type is not CandidateType.RELAYED:
            self._datagrams.append(Datagram(local.component, destination, data, local.address))
        elif (relay := self._relays.get(local.component)) is not None:
            relay.send(destination, data, now)

    def _unwrapped(
        self, component: int, inner: tuple[bytes, Address] | None, now: float
    ) -> tuple[bytes, Address] | None:
        """Take what a relay has brought."""
        local = self._relayed.get(component)
        if inner is None or local is None:
            self.refused += 1
            return None
        return self._receive(*inner, local, now)

    def _receive(self, data: bytes, source: Address, local: Candidate, now: float) -> tuple[bytes, Address] | None:
        """Take a datagram that came to this base of ours."""
        if not is_stun(data):
            if any(session.trusts(local.component, source) for session in self._sessions()):
                return data, source
            self.refused += 1
            return None
        message = _decode(data)
        if message is None:
            self.refused += 1
        elif message.kind is Kind.REQUEST:
            old = self._before
            session = old if old is not None and is_for(message, old.ice.ours) else self._session
            session.receive_request(message, local, source, now)
            self._look(now)
        elif message.kind is not Kind.INDICATION:  # RFC 8445 11: a keep-alive is none of anybody's business
            if not any(session.receive_answer(message, source, now) for session in self._sessions()):
                self.refused += 1
            self._look(now)
        return None

    def _look(self, now: float) -> None:
        """Take what the sessions have to tell, and reckon the timer."""
        current, old = self._session, self._before
        self._events += current.events
        for event in current.events:
            if isinstance(event, Selected):
                self._bind(event, now)
        current.events.clear()
        if old is not None:
            old.events.clear()
            if current.is_selected():
                self._before = None
        dues = [session.timer() for session in self._sessions()] + [relay.timer() for relay in self._relays.values()]
        self._due = min((due for due in dues if due is not None), default=None)

    def _bind(self, selected: Selected, now: float) -> None:
        relay = self._relays.get(selected.component)
        if relay is not None and selected.local.type is CandidateType.RELAYED:
            relay.bind(selected.remote.address, now)


def _decode(data: bytes) -> Message | None:
    if not is_stun(data):
        return None
    try:
        return Message.decode(data)
    except DecodeError:
        return None
