"""Two H.323 terminals face to face on the virtual network, and what they say to each other."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from wire import Wire

from firmware.asn1 import Value
from firmware.h323 import events, h245, q931, tpkt, user_information
from firmware.h323.identity import Destination, Identity
from firmware.h323.q931 import Message
from firmware.h323.session import Session
from firmware.h323.terminal import Terminal
from firmware.h323.user_information import UserInformation
from firmware.sansio import Address, Flow

HOSTS = ("192.0.2.1", "192.0.2.2")
PORTS = range(30_000, 30_004)
CAPABILITIES: dict[str, Value] = {
    "multiplexCapability": (
        "h2250Capability",
        {
            "maximumAudioDelayJitter": 60,
            "receiveMultipointCapability": {
                "multicastCapability": False,
                "multiUniCastConference": False,
                "mediaDistributionCapability": [
                    {
                        "centralizedControl": False,
                        "distributedControl": False,
                        "centralizedAudio": False,
                        "distributedAudio": False,
                        "centralizedVideo": False,
                        "distributedVideo": False,
                    }
                ],
            },
            "transmitMultipointCapability": {
                "multicastCapability": False,
                "multiUniCastConference": False,
                "mediaDistributionCapability": [
                    {
                        "centralizedControl": False,
                        "distributedControl": False,
                        "centralizedAudio": False,
                        "distributedAudio": False,
                        "centralizedVideo": False,
                        "distributedVideo": False,
                    }
                ],
            },
            "receiveAndTransmitMultipointCapability": {
                "multicastCapability": False,
                "multiUniCastConference": False,
                "mediaDistributionCapability": [
                    {
                        "centralizedControl": False,
                        "distributedControl": False,
                        "centralizedAudio": False,
                        "distributedAudio": False,
                        "centralizedVideo": False,
                        "distributedVideo": False,
                    }
                ],
            },
            "mcCapability": {"centralizedConferenceMC": False, "decentralizedConferenceMC": False},
            "rtcpVideoControlCapability": False,
            "mediaPacketizationCapability": {"h261aVideoPacketization": False},
        },
    ),
    "capabilityTable": [
        {
            "capabilityTableEntryNumber": 1,
            "capability": ("receiveAudioCapability", ("g711Alaw64k", 20)),
        }
    ],
    "capabilityDescriptors": [{"capabilityDescriptorNumber": 0, "simultaneousCapabilities": [[1]]}],
}


def proposal(number: int, port: int, codec: str = "g711Alaw64k") -> dict[str, Value]:
    """An OpenLogicalChannel for what the caller will send, as fast connect proposes it."""
    unicast = ("unicastAddress", ("iPAddress", {"network": bytes((192, 0, 2, 1)), "tsapIdentifier": port}))
    return {
        "forwardLogicalChannelNumber": number,
        "forwardLogicalChannelParameters": {
            "dataType": ("audioData", (codec, 20)),
            "multiplexParameters": (
                "h2250LogicalChannelParameters",
                {"sessionID": 1, "mediaControlChannel": unicast},
            ),
        },
    }


E_ = TypeVar("E_")


@dataclass
class Party:
    """One terminal and what it told."""

    terminal: Terminal
    address: Address
    wire: Wire

    @property
    def events(self) -> list[Any]:
        return self.wire.events[self.address]

    def of(self, kind: type[E_]) -> list[E_]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def session(self) -> Session:
        """The newest call of which an event told."""
        session: Session = self.events[-1].session
        return session

    @property
    def ended(self) -> events.Ended:
        (ended,) = self.of(events.Ended)
        return ended

    def control(self, kind: type[E_]) -> list[E_]:
        return [event.event for event in self.of(events.Control) if isinstance(event.event, kind)]


class Bench:
    """A caller and a called terminal; the called one answers as *answer* says."""

    def __init__(self, **identity: Any) -> None:
        self.wire = Wire()
        parties = []
        for index, host in enumerate(HOSTS):
            mine = {**identity, **identity.get(("caller", "called")[index], {})}
            mine = {key: value for key, value in mine.items() if key not in ("caller", "called")}
            settings = {"aliases": (("h323-ID", f"room {index}"), ("dialledDigits", f"10{index}")), **mine}
            core = Terminal(Identity(h245_ports=PORTS, **settings), random.Random(index))
            address = (host, 1720)
            self.wire.attach(address, core, also=[(host, port) for port in PORTS])
            parties.append(Party(core, address, self.wire))
        self.caller, self.called = parties

    def answer(self, react: Callable[[Session], None]) -> None:
        """Let the called terminal do this with each incoming call."""

        def on_event(event: events.Event) -> None:
            if isinstance(event, events.Incoming):
                react(event.session)

        self.wire.on_event[self.called.address] = on_event

    def answer_at_once(self, **accept: Any) -> None:
        def react(session: Session) -> None:
            session.alert(self.wire.now)
            session.accept(CAPABILITIES, self.wire.now, **accept)

        self.answer(react)

    def call(self, **how: Any) -> Session:
        flow = Flow("tcp", self.caller.address, self.called.address)
        destination = how.pop("destination", Destination())
        return self.caller.terminal.call(flow, destination, self.wire.now, capabilities=CAPABILITIES, **how)

    def settle(self, seconds: float = 1.0) -> None:
        self.wire.pass_time(seconds)

    def sent(self, party: Party | None = None) -> list[tuple[Message, UserInformation]]:
        """All messages of call signalling that were sent, by a party or by both, in order."""
        found = []
        for _, flow, data in self.wire.sent:
            if flow.local[1] in PORTS or flow.remote[1] in PORTS or (party and flow.local[0] != party.address[0]):
                continue
            for payload in tpkt.PacketReader().receive(data):
                message = q931.decode(payload)
                found.append((message, user_information.decode(message.user_information)))
        return found

    def sent_h245(self, party: Party | None = None) -> list[str]:
        """Names of all H.245 messages that went over a connection of their own."""
        return [
            h245.MESSAGE.decode(payload)[1][0]
            for _, flow, data in self.wire.sent
            if (flow.local[1] in PORTS or flow.remote[1] in PORTS) and not (party and flow.local[0] != party.address[0])
            for payload in tpkt.PacketReader().receive(data)
        ]

    def tunnelled(self, party: Party | None = None) -> list[str]:
        """Names of all H.245 messages that were tunnelled."""
        return [h245.MESSAGE.decode(m)[1][0] for _, contents in self.sent(party) for m in contents.control]

    def check_clean(self) -> None:
        for party in (self.caller, self.called):
            assert party.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}
            assert party.terminal.timer() is None
