"""Terminals on one virtual wire, as many as a transfer needs."""

from __future__ import annotations

import random
from typing import TypeVar

from h323_terminals import CAPABILITIES, Party
from wire import Wire

from firmware.h323 import events, h450, q931, tpkt, user_information
from firmware.h323.identity import Destination, Identity
from firmware.h323.session import Session
from firmware.h323.terminal import Terminal
from firmware.sansio import Flow

Kind = TypeVar("Kind")


class Zone:
    """Terminals, each of which answers at once unless *rings* names it."""

    def __init__(self, *names: str, rings: str = "") -> None:
        self.wire = Wire()
        self.parties = {name: self._attach(index, name, ring=name in rings) for index, name in enumerate(names)}

    def _attach(self, index: int, name: str, *, ring: bool) -> Party:
        address = (f"192.0.2.{index + 1}", 1720)
        terminal = Terminal(Identity((("h323-ID", name), ("dialledDigits", f"10{index}"))), random.Random(name))
        self.wire.attach(address, terminal)
        party = Party(terminal, address, self.wire)

        def on_event(event: events.Event) -> None:
            if isinstance(event, events.Incoming):
                event.session.alert(self.wire.now)
                if not ring:
                    event.session.accept(CAPABILITIES, self.wire.now)

        self.wire.on_event[address] = on_event
        return party

    def __getitem__(self, name: str) -> Party:
        return self.parties[name]

    def call(self, caller: str, called: str, *, transfer: str | None = None) -> tuple[Session, Session]:
        """Let one call another; gives both sides' sessions."""
        ours, theirs = self[caller], self[called]
        flow = Flow("tcp", ours.address, theirs.address)
        session = ours.terminal.call(flow, Destination(), self.wire.now, capabilities=CAPABILITIES, transfer=transfer)
        self.settle()
        return session, theirs.of(events.Incoming)[-1].session

    def settle(self, seconds: float = 1.0) -> None:
        self.wire.pass_time(seconds)

    def services(self) -> list[tuple[str, h450.Component]]:
        """All components that were sent, with the name of the message that carried them, in order."""
        found = []
        for _, _, data in self.wire.sent:
            for payload in tpkt.PacketReader().receive(data):
                message = q931.decode(payload)
                for octets in user_information.decode(message.user_information).services:
                    name = q931.MessageType(message.type).name
                    found += [(name, component) for component in h450.decode(octets).components]
        return found

    def check_clean(self) -> None:
        for party in self.parties.values():
            for session in party.terminal.sessions:
                session.release(16, self.wire.now)
        self.settle(10)
        for party in self.parties.values():
            assert party.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}
            assert party.terminal.timer() is None
