"""Two H.323 terminals face to face on the virtual network, and what they say to each other."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from wire import Wire

from firmware.asn1 import Value
from firmware.h323 import events, h245, q931, tpkt, user_information
from firmware.h323.call_message import CallMessages
from firmware.h323.identity import Destination, Identity, endpoint_type
from firmware.h323.q931 import Element, Message
from firmware.h323.session import Session
from firmware.h323.terminal import Terminal
from firmware.h323.user_information import UserInformation
from firmware.sansio import Action, Address, Close, Flow, Open, Send

HOSTS = ("192.0.2.1", "192.0.2.2")
PORTS = range(30_000, 30_004)
NO_DISTRIBUTION = dict.fromkeys(
    (
        *("centralizedControl", "distributedControl", "centralizedAudio", "distributedAudio"),
        *("centralizedVideo", "distributedVideo"),
    ),
    False,
)
NO_MULTIPOINT = {
    "multicastCapability": False,
    "multiUniCastConference": False,
    "mediaDistributionCapability": [NO_DISTRIBUTION],
}
CAPABILITIES: dict[str, Value] = {
    "multiplexCapability": (
        "h2250Capability",
        {
            "maximumAudioDelayJitter": 60,
            "receiveMultipointCapability": NO_MULTIPOINT,
            "transmitMultipointCapability": NO_MULTIPOINT,
            "receiveAndTransmitMultipointCapability": NO_MULTIPOINT,
            "mcCapability": {"centralizedConferenceMC": False, "decentralizedConferenceMC": False},
            "rtcpVideoControlCapability": False,
            "mediaPacketizationCapability": {"h261aVideoPacketization": False},
        },
    ),
    "capabilityTable": [
        {"capabilityTableEntryNumber": 1, "capability": ("receiveAudioCapability", ("g711Alaw64k", 20))}
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


Kind = TypeVar("Kind")


@dataclass
class Party:
    """One terminal and what it told."""

    terminal: Terminal
    address: Address
    wire: Wire

    @property
    def events(self) -> list[Any]:
        return self.wire.events[self.address]

    def of(self, kind: type[Kind]) -> list[Kind]:
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

    def control(self, kind: type[Kind]) -> list[Kind]:
        return [event.event for event in self.of(events.Control) if isinstance(event.event, kind)]


class Bench:
    """A caller and a called terminal; the called one answers as *answer* says."""

    def __init__(self, **identity: Any) -> None:
        self.wire = Wire()
        parties = []
        for index, host in enumerate(HOSTS):
            mine = {**identity, **identity.get(("caller", "called")[index], {})}
            mine = {key: value for key, value in mine.items() if key not in ("caller", "called")}
            aliases = (("h323-ID", f"room {index}"), ("dialledDigits", f"10{index}"))
            settings = {"aliases": aliases, "h245_ports": PORTS, **mine}
            core = Terminal(Identity(**settings), random.Random(index))
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

    def names(self, party: Party | None = None) -> list[str]:
        """Types of the messages of call signalling that were sent, by a party or by both, in order."""
        return [q931.MessageType(message.type).name for message, _ in self.sent(party)]

    def check_clean(self) -> None:
        for party in (self.caller, self.called):
            assert party.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}
            assert party.terminal.timer() is None


class ScriptedPeer:
    """A core that says on its connections what a test wants, and keeps what it heard."""

    def __init__(self) -> None:
        self.flows: list[Flow] = []
        """Connections that are open, oldest first."""
        self.closed: list[Flow] = []
        self.heard: list[tuple[Flow, bytes]] = []
        """Payloads of packets."""
        self.todo: list[Action] = []
        self.call_reference = 0
        self.outgoing = False
        self._numbers = itertools.count(1)
        self._readers: dict[Flow, tpkt.PacketReader] = {}

    def flow_opened(self, flow: Flow, now: float) -> None:
        self.flows.append(flow)
        self._readers[flow] = tpkt.PacketReader()

    def flow_closed(self, flow: Flow, now: float) -> None:
        self.closed.append(flow)
        if flow in self.flows:
            self.flows.remove(flow)

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        for payload in self._readers[flow].receive(data):
            self.heard.append((flow, payload))
            if not self.call_reference and payload[0] == q931.PROTOCOL_DISCRIMINATOR:
                self.call_reference = q931.decode(payload).call_reference

    def handle_timer(self, now: float) -> None: ...

    def timer(self) -> float | None:
        return None

    def actions(self) -> list[Action]:
        todo, self.todo = self.todo, []
        return todo

    def events(self) -> list[Any]:
        return []

    # What a test says

    def open(self, local: Address, remote: Address) -> Flow:
        flow = Flow("tcp", local, remote, next(self._numbers))
        self.todo.append(Open(flow))
        return flow

    def close(self, flow: Flow) -> None:
        self.todo.append(Close(flow))

    def send_octets(self, flow: Flow, octets: bytes) -> None:
        self.todo.append(Send(flow, octets))

    def send(
        self,
        flow: Flow,
        message_type: q931.MessageType,
        body: dict[str, Value] | None = None,
        *,
        elements: dict[Element, bytes] | None = None,
        tunnelling: bool = True,
        control: list[Value] | None = None,
        services: Sequence[bytes] = (),
    ) -> None:
        """Send a message of call signalling with what its type needs, and *control* tunnelled."""
        reference = self.call_reference or 77
        messages = CallMessages(Identity((), product="Scripted"), reference, bytes(16), outgoing=self.outgoing)
        whole = {**_NEEDED.get(message_type, {}), **(body or {})}
        octets = messages.encode(
            message_type,
            whole,
            elements=elements or {},
            tunnelling=tunnelling,
            control=[h245.MESSAGE.encode(message) for message in control or ()],
            services=services,
        )
        self.send_octets(flow, tpkt.encode(octets))

    def send_control(self, flow: Flow, *messages: Value) -> None:
        for message in messages:
            self.send_octets(flow, tpkt.encode(h245.MESSAGE.encode(message)))

    def types(self) -> list[str]:
        """Types of the messages of call signalling that were heard."""
        return [q931.MessageType(message.type).name for message, _ in self.messages()]

    def messages(self) -> list[tuple[Message, UserInformation]]:
        found = []
        for _, payload in self.heard:
            if payload[0] == q931.PROTOCOL_DISCRIMINATOR:
                message = q931.decode(payload)
                found.append((message, user_information.decode(message.user_information)))
        return found

    def controls(self, flow: Flow | None = None) -> list[Value]:
        """H.245 messages that were heard, tunnelled or (on *flow*) on their own connection."""
        own = [p for f, p in self.heard if f == flow]
        tunnelled = [m for _, contents in self.messages() for m in contents.control]
        return [h245.MESSAGE.decode(octets) for octets in (own if flow is not None else tunnelled)]


_ENDPOINT = endpoint_type(Identity((), product="Scripted", version="1"))
_NEEDED: dict[q931.MessageType, dict[str, Value]] = {
    q931.MessageType.SETUP: {
        "sourceInfo": _ENDPOINT,
        "activeMC": False,
        "conferenceID": bytes(16),
        "conferenceGoal": ("create", None),
        "callType": ("pointToPoint", None),
        "mediaWaitForConnect": False,
        "canOverlapSend": False,
    },
    q931.MessageType.CALL_PROCEEDING: {"destinationInfo": _ENDPOINT},
    q931.MessageType.ALERTING: {"destinationInfo": _ENDPOINT},
    q931.MessageType.PROGRESS: {"destinationInfo": _ENDPOINT},
    q931.MessageType.CONNECT: {"destinationInfo": _ENDPOINT, "conferenceID": bytes(16)},
    q931.MessageType.FACILITY: {"reason": ("undefinedReason", None)},
}
END_SESSION: Value = ("command", ("endSessionCommand", ("disconnect", None)))
CAPABILITY_SET: Value = (
    "request",
    ("terminalCapabilitySet", {"sequenceNumber": 1, "protocolIdentifier": h245.IDENTIFIER, **CAPABILITIES}),
)


class ScriptedBench:
    """A terminal of ours and a far end that a test moves."""

    def __init__(self, hosts: tuple[str, str] = HOSTS, far_ports: Iterable[int] = PORTS, **identity: Any) -> None:
        self.wire = Wire()
        settings = {"aliases": (("h323-ID", "unit"),), "h245_ports": PORTS, **identity}
        core = Terminal(Identity(**settings), random.Random(1))
        self.address, self.far_address = (hosts[0], 1720), (hosts[1], 1720)
        self.wire.attach(self.address, core, also=[(hosts[0], port) for port in PORTS])
        self.unit = Party(core, self.address, self.wire)
        self.far = ScriptedPeer()
        self.wire.attach(self.far_address, self.far, also=[(hosts[1], port) for port in far_ports])

    def settle(self, seconds: float = 0.5) -> None:
        self.wire.pass_time(seconds)

    def call(self, **how: Any) -> Session:
        """Call the far end; its connection is then ``far.flows[0]``."""
        flow = Flow("tcp", self.address, self.far_address)
        session = self.unit.terminal.call(flow, Destination(), self.wire.now, capabilities=CAPABILITIES, **how)
        self.settle()
        return session

    def called(self, body: dict[str, Value] | None = None, **how: Any) -> Flow:
        """Let the far end call; gives its connection."""
        self.far.outgoing = True
        flow = self.far.open(self.far_address, self.address)
        self.settle(0.1)
        self.far.send(flow, q931.MessageType.SETUP, body, **how)
        self.settle()
        return flow

    def say(self, message_type: q931.MessageType, body: dict[str, Value] | None = None, **how: Any) -> None:
        """Let the far end send this on its oldest connection."""
        self.far.send(self.far.flows[0], message_type, body, **how)
        self.settle()

    def check_clean(self) -> None:
        assert self.unit.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}
        assert self.unit.terminal.timer() is None
