"""As many SIP endpoints on one virtual network as a transfer needs, and parties that do what far ends ask for."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from parties import Wanderer
from wire import Wire
from wire_transport import MemoryPorts, WireTransport, complete

from firmware import config
from firmware.call.call import Call, State
from firmware.call.media import Capabilities, Encryption
from firmware.net.tls import Tls
from firmware.signaling.sip import SipEndpoint
from firmware.signaling.sip_leg import SipLeg
from firmware.sip.invite import InviteSession
from firmware.sip.user_agent import UserAgent


class Member(Wanderer):
    """A party of SIP."""

    def __init__(self, endpoint: SipEndpoint, address: str, agent: UserAgent) -> None:
        super().__init__(endpoint, address)
        self.sip = endpoint
        self.agent = agent

    def leg(self, call: Call) -> SipLeg:
        found = self.sip.leg_of(call)
        assert found is not None
        return found

    def session(self, call: Call) -> InviteSession:
        found = self.leg(call).session
        assert found is not None
        return found


class Exchange:
    """Members by name, A at 192.0.2.1 and so on."""

    def __init__(
        self,
        names: str = "ABC",
        transport: str = "udp",
        *,
        delayed_offer: bool = False,
        encryption: Encryption = Encryption.OFF,
        ways: tuple[Literal["sdes", "dtls"], ...] = ("sdes", "dtls"),
    ) -> None:
        """*transport*: by which members call each other; *ways* of agreeing on keys."""
        self.wire = Wire()
        self.ports = MemoryPorts()
        self.transport = transport
        self.delayed_offer = delayed_offer
        self.encryption, self.ways = encryption, ways
        self.members = {name: self._member(name, (f"192.0.2.{n}", 5060)) for n, name in enumerate(names, 1)}

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def _member(self, name: str, address: tuple[str, int]) -> Member:
        agents: list[UserAgent] = []

        def make(core: UserAgent, on_event: Callable[[object], None]) -> WireTransport:
            agents.append(core)
            return WireTransport(self.wire, address, core, on_event)

        endpoint = SipEndpoint(
            config.Sip(addresses=(address[0],), port=address[1], srtp=self.ways),
            Capabilities(encryption=self.encryption),
            self.ports,
            name,
            rng=random.Random(name),
            make_transport=make,  # type: ignore[arg-type]
            delayed_offer=self.delayed_offer,
            tls=Tls(Path("certificate"), Path("key")) if self.transport == "tls" else None,
        )
        complete(endpoint.start())
        return Member(endpoint, f"sip:room@{address[0]};transport={self.transport}", agents[0])

    def call(self, caller: str, called: str) -> tuple[Call, Call]:
        """Make a call that is up; gives both sides of it."""
        ours = self[caller].dial(self[called])
        self.settle()
        theirs = self[called].call
        assert ours.state is theirs.state is State.ACTIVE
        return ours, theirs

    def settle(self, seconds: float = 1.0) -> None:
        self.wire.pass_time(seconds)

    def sent(self, start: str, by: str = "") -> list[str]:
        """All messages, or those of one member, whose first line begins so."""
        host = f"192.0.2.{' ABCDEFG'.index(by)}" if by else None
        return [
            data.decode()
            for _, flow, data in self.wire.sent
            if data.startswith(start.encode()) and host in (None, flow.local[0])
        ]

    def check_clean(self) -> None:
        for member in self.members.values():
            for call in member.calls:
                call.hang_up()
        self.settle(400)
        assert all(call.state is State.ENDED for member in self.members.values() for call in member.calls)
        assert self.ports.reserved == set()
        for member in self.members.values():
            assert not any(member.agent.sizes.values()), member.agent.sizes
