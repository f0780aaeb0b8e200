"""A gatekeeper for tests that routes calls, by H.460.17 and beside it: RAS of `gatekeeper`, call signalling of its own.

Call signalling is handed on as it came, with another call reference: by the tunnel of whom it is for, or by a
connection to whom is registered by UDP.  What it heard on its streams is in `messages`.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from gatekeeper import Endpoint, Gatekeeper

from firmware.h323 import h460_ras, q931, tpkt, user_information
from firmware.h323.address import decode_transport
from firmware.h323.call_message import release_stray
from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h460_feature import supported
from firmware.h323.h460_security import encode_tls, read_tls
from firmware.h323.q931 import Message, MessageType
from firmware.sansio import Action, Address, Close, Flow, Open, Send

Leg = tuple[Flow, int, bool]
"""A connection, a call reference, and whether its messages come from the called side."""


class TunnelGatekeeper:
    """Attach it to a Wire at ``(host, 1720)``, also at the ports of `also`."""

    def __init__(self, host: str, **how: Any) -> None:
        self.address: Address = (host, 1720)
        self.also = [(host, port) for port in (1719, 1721, 1300, 1301)]
        self.zone = Gatekeeper((host, 1719), routed=True, **how)
        self.flows: list[Flow] = []
        """Connections that stand, those by which others registered among them."""
        self.tunnels: dict[Address, Flow] = {}
        """By far end: those that carried RAS."""
        self.messages: list[tuple[Flow, Message]] = []
        self.empty = 0
        """Packets that were there to keep a way open."""
        self.secures = False
        """Whether it agrees to TLS in RAS (H.460.22), and calls by it who takes it."""
        self.deaf = False
        """Whether nothing that comes by streams is looked at."""
        self._todo: list[Action] = []
        self._readers: dict[Flow, tpkt.PacketReader] = {}
        self._routes: dict[Leg, Leg] = {}
        self._setups: dict[Leg, Message] = {}
        self._numbers = itertools.count(1)
        self._references = itertools.count(500)

    @property
    def calls(self) -> int:
        """How many it routes."""
        return len(self._setups)

    def secure(self, port: int = 1301) -> None:
        """Agree to TLS with everybody, and take it at this port."""
        self.secures = True
        offer = {"featureSet": supported(encode_tls((self.address[0], port)))}
        self.zone.confirm |= dict.fromkeys(("registrationConfirm", "admissionConfirm"), offer)

    def say(self, flow: Flow, message: Message) -> None:
        self.send_octets(flow, tpkt.encode(message.encode()))

    def send_octets(self, flow: Flow, octets: bytes) -> None:
        self._todo.append(Send(flow, octets))

    def hang_up(self, flow: Flow) -> None:
        """Close a connection."""
        self._todo.append(Close(flow))
        self.flow_closed(flow, 0.0)

    # The contract of a core

    def flow_opened(self, flow: Flow, now: float) -> None:
        self.flows.append(flow)
        self._readers[flow] = tpkt.PacketReader()

    def flow_closed(self, flow: Flow, now: float) -> None:
        if flow in self.flows:
            self.flows.remove(flow)
        self.tunnels.pop(flow.remote, None)
        # GnuGk forgets who was registered by a connection that is gone.
        for endpoint in [e for e in self.zone.endpoints.values() if e.ras == flow.remote]:
            del self.zone.endpoints[endpoint.identifier]
        for leg in [leg for leg in self._routes if leg[0] == flow]:
            self._end(leg)

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        if flow.transport == "udp":
            self.zone.receive_data(flow, data, now)
            return
        if data == b"\3\0\0\4":
            self.empty += 1
        for payload in () if self.deaf else self._readers[flow].receive(data):
            message = q931.decode(payload)
            self.messages.append((flow, message))
            if message.call_reference:
                self._route(flow, message)
            elif message.type == MessageType.FACILITY:
                for ras in h460_ras.read_facility(message):
                    self._register(flow, ras, now)

    def handle_timer(self, now: float) -> None: ...

    def timer(self) -> float | None:
        return None

    def events(self) -> list[Any]:
        return []

    def actions(self) -> list[Action]:
        for action in self.zone.actions():
            assert isinstance(action, Send)
            tunnel = self.tunnels.get(action.flow.remote)
            if tunnel is None:
                self._todo.append(action)
            else:
                self.send_octets(tunnel, tpkt.encode(h460_ras.encode_facility(action.data)))
        todo, self._todo = self._todo, []
        return todo

    # RAS by a stream

    def _register(self, flow: Flow, ras: bytes, now: float) -> None:
        self.tunnels[flow.remote] = flow
        name, body = RAS_MESSAGE.decode(ras)
        full = name == "registrationRequest" and not body.get("keepAlive")
        if full:
            for endpoint in [e for e in self.zone.endpoints.values() if e.ras == flow.remote]:
                del self.zone.endpoints[endpoint.identifier]
        before = set(self.zone.endpoints)
        self.zone.receive_data(Flow("udp", self.zone.address, flow.remote), ras, now)
        for identifier in set(self.zone.endpoints) - before:
            # Where a message comes from counts, not what it says (GnuGk does so, too).
            self.zone.endpoints[identifier].ras = flow.remote

    # Calls

    def _route(self, flow: Flow, message: Message) -> None:
        leg = (flow, message.call_reference, message.from_destination)
        if message.type == MessageType.SETUP and leg not in self._routes:
            called = self._called(message)
            if called is None:
                self.say(flow, q931.decode(release_stray(message, 3, "calledPartyNotRegistered")))
                return
            there = next(self._references)
            self._routes[leg] = (called, there, False)
            self._routes[called, there, True] = (flow, message.call_reference, True)
            self._setups[leg] = message
        if leg not in self._routes:
            return
        target, reference, _ = self._routes[leg]
        self.say(target, replace(message, call_reference=reference))
        if message.type == MessageType.RELEASE_COMPLETE:
            self._forget(leg)

    def _called(self, message: Message) -> Flow | None:
        # What it was asked for the call counts: Setup says where the call was sent, which is here.
        setup = user_information.decode(message.user_information).body
        asked = [heard.body for heard in self.zone.heard if heard.name == "admissionRequest"]
        body = next(
            (b for b in asked if (b["callIdentifier"], b["answerCall"]) == (setup["callIdentifier"], False)), {}
        )
        aliases, address = body.get("destinationInfo", []), decode_transport(body.get("destCallSignalAddress"))
        for endpoint in self.zone.endpoints.values():
            if any(alias in endpoint.aliases for alias in aliases) or endpoint.signalling == address:
                if endpoint.ras in self.tunnels:
                    return self.tunnels[endpoint.ras]
                tls = self._taken_by(endpoint) if self.secures else None
                way, there = ("tcp", endpoint.signalling) if tls is None else ("tls", tls)
                flow = Flow(way, self.address, there, next(self._numbers))
                self._todo.append(Open(flow))
                return flow
        return None

    def _taken_by(self, endpoint: Endpoint) -> Address | None:
        """Give where an endpoint takes TLS, as it said when it registered."""
        asked = [heard.body for heard in self.zone.heard if heard.name == "registrationRequest"]
        theirs = [body for body in asked if body.get("terminalAlias") == endpoint.aliases]
        return read_tls(theirs[-1], endpoint.signalling[0])

    def _forget(self, leg: Leg) -> None:
        flow, reference, from_destination = self._routes.pop(leg)
        back = (flow, reference, not from_destination)
        del self._routes[back]
        self._setups.pop(leg, None)
        self._setups.pop(back, None)
        for end in (leg[0], flow):
            if end.remote not in self.tunnels:
                self._todo.append(Close(end))

    def _end(self, leg: Leg) -> None:
        """Tell the other end of a call that this one is gone."""
        flow, reference, from_destination = self._routes[leg]
        setup = self._setups.get(leg) or self._setups[flow, reference, not from_destination]
        release = q931.decode(release_stray(setup, 27, "unreachableDestination"))
        self.say(flow, replace(release, call_reference=reference, from_destination=from_destination))
        self._forget(leg)
