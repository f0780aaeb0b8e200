"""A far end whose every message the test writes, and short forms for writing them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from wire import Wire

from firmware.sansio import Action, Address, Flow, Open, Send
from firmware.sip.events import Incoming
from firmware.sip.identity import Identity
from firmware.sip.invite import InviteSession, State
from firmware.sip.message import Headers, Request, Response, parse, respond
from firmware.sip.stream import StreamReader
from firmware.sip.uri import Uri
from firmware.sip.user_agent import UserAgent

T = TypeVar("T")

OURS: Address = ("10.0.0.1", 5060)
"""Where the thing under test is."""
THEIRS: Address = ("10.0.0.2", 5060)
"""Where the peer is."""
TARGET = Uri.parse("sip:room@10.0.0.1")


def flow(transport: str = "udp", local: Address = OURS, remote: Address = THEIRS) -> Flow:
    """The flow from us to the peer."""
    return Flow(transport, local, remote)


def request(
    method: str = "INVITE",
    *,
    branch: str = "z9hG4bKpeer1",
    cseq: int = 1,
    to_tag: str = "",
    from_tag: str = "peer",
    call_id: str = "call@peer",
    uri: str = "sip:room@10.0.0.1",
    transport: str = "UDP",
    body: bytes = b"",
    sent_by: str = "10.0.0.2:5060",
    **fields: str | None,
) -> Request:
    """A request of the peer; *fields* (``Max_Forwards="0"``) are set, or removed where they are None."""
    headers = Headers()
    headers.add("Via", f"SIP/2.0/{transport} {sent_by};branch={branch}" if branch else f"SIP/2.0/{transport} {sent_by}")
    headers.add("Max-Forwards", "70")
    headers.add("From", f"<sip:peer@10.0.0.2>;tag={from_tag}" if from_tag else "<sip:peer@10.0.0.2>")
    headers.add("To", f"<sip:room@10.0.0.1>;tag={to_tag}" if to_tag else "<sip:room@10.0.0.1>")
    headers.add("Call-ID", call_id)
    headers.add("CSeq", f"{cseq} {method}")
    if method in ("INVITE", "OPTIONS"):
        headers.add("Contact", "<sip:peer@10.0.0.2:5060>")
    if body:
        headers.add("Content-Type", "application/sdp")
    for name, value in fields.items():
        if value is None:
            headers.remove(name.replace("_", "-"))
        else:
            headers.set(name.replace("_", "-"), value)
    return Request(method, uri, headers, body)


def response(
    to: Request, status: int, *, tag: str = "peer", body: bytes = b"", contact: str = "", **fields: str
) -> Response:
    """A response of the peer, with a Contact where one makes a dialog."""
    answer = respond(to, status, to_tag=tag or None)
    if to.method == "INVITE" and 100 < status < 300:
        answer.headers.add("Contact", contact or "<sip:peer@10.0.0.2:5060>")
    if body:
        answer.headers.add("Content-Type", "application/sdp")
        answer.body = body
    for name, value in fields.items():
        answer.headers.set(name.replace("_", "-"), value)
    return answer


@dataclass
class Peer:
    """A core that does nothing by itself."""

    wire: Wire
    address: Address = THEIRS
    received: list[tuple[float, Request | Response]] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    """Streams that are open, in order."""
    closed: list[Flow] = field(default_factory=list)
    waiting: list[Action] = field(default_factory=list)
    readers: dict[Flow, StreamReader] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.wire.attach(self.address, self)

    def flow_opened(self, flow: Flow, now: float) -> None:
        self.flows.append(flow)
        self.readers[flow] = StreamReader()

    def flow_closed(self, flow: Flow, now: float) -> None:
        self.closed.append(flow)
        if flow in self.flows:
            self.flows.remove(flow)

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        if flow.transport == "udp":
            self.received.append((now, parse(data)))
            return
        for message in self.readers[flow].receive(data):
            assert isinstance(message, Request | Response)
            self.received.append((now, message))

    def handle_timer(self, now: float) -> None: ...

    def timer(self) -> float | None:
        return None

    def actions(self) -> list[Action]:
        actions, self.waiting = self.waiting, []
        return actions

    def events(self) -> list[object]:
        return []

    def connect(self, transport: str = "tcp") -> Flow:
        """Open a stream to us."""
        stream = Flow(transport, self.address, OURS)
        self.waiting.append(Open(stream))
        self.wire.pass_time(1.0)
        return stream

    def send(self, message: Request | Response | bytes, stream: Flow | None = None, seconds: float = 0.02) -> None:
        """Send a message, and let it be answered."""
        data = message if isinstance(message, bytes) else message.encode()
        self.waiting.append(Send(stream or Flow("udp", self.address, OURS), data))
        self.wire.pass_time(seconds)

    @property
    def requests(self) -> list[Request]:
        """All requests received."""
        return [message for _, message in self.received if isinstance(message, Request)]

    @property
    def responses(self) -> list[Response]:
        """All responses received."""
        return [message for _, message in self.received if isinstance(message, Response)]

    @property
    def statuses(self) -> list[int]:
        """The status of every response received."""
        return [message.status for message in self.responses]

    def times(self, start: str) -> list[float]:
        """When messages came whose start line begins so, to the millisecond, without the wire's delay."""
        return [
            round(now - self.wire.delay, 3) for now, message in self.received if message.start_line.startswith(start)
        ]

    def last(self, start: str) -> Request | Response:
        """The last message whose start line begins so."""
        return [message for _, message in self.received if message.start_line.startswith(start)][-1]

    def last_request(self, method: str) -> Request:
        """The last request of this method."""
        return [message for message in self.requests if message.method == method][-1]


class Line:
    """One user agent of ours and one peer on a wire: the test commands the one and writes the messages of the other."""

    def __init__(self, transport: str = "udp", delay: float = 0.0, **identity: object) -> None:
        self.wire = Wire(delay=delay)
        self.agent = UserAgent(replace(Identity("room"), **identity), random.Random(7))
        self.wire.attach(OURS, self.agent)
        self.peer = Peer(self.wire)
        self.transport = transport

    @property
    def events(self) -> list[Any]:
        """All that our user agent reported."""
        return self.wire.events[OURS]

    @property
    def kinds(self) -> list[str]:
        """The names of the events."""
        return [type(event).__name__ for event in self.events]

    @property
    def now(self) -> float:
        """The wire's time."""
        return self.wire.now

    def settle(self, seconds: float = 0.0) -> None:
        """Let what was commanded happen."""
        self.wire.pass_time(seconds)

    def event(self, kind: type[T]) -> T:
        """The one event of this kind."""
        [found] = [event for event in self.events if isinstance(event, kind)]
        return found

    def dial(self, offer: bytes | None = b"offer") -> InviteSession:
        """Call the peer."""
        target = Uri.parse("sip:peer@10.0.0.2" + (f";transport={self.transport}" if self.transport != "udp" else ""))
        session = self.agent.invite(flow(self.transport), target, offer, self.now)
        self.settle()
        return session

    def answer(self, status: int, **more: Any) -> Response:
        """Let the peer answer our last INVITE."""
        message = response(self.peer.last_request("INVITE"), status, **more)
        self.send(message)
        return message

    def send(self, message: Request | Response | bytes) -> None:
        """Let the peer send something."""
        if self.transport != "udp" and not self.peer.flows:
            self.peer.connect(self.transport)
        stream = self.peer.flows[-1] if self.transport != "udp" else None
        self.peer.send(message, stream, 0.0)

    def established(self) -> InviteSession:
        """A call that we made, and that is up."""
        session = self.dial()
        self.answer(200, body=b"answer")
        assert session.state is State.CONFIRMED
        return session

    def incoming(self, **fields: Any) -> InviteSession:
        """A call of the peer."""
        self.send(request("INVITE", transport=self.transport.upper(), **{"body": b"offer"} | fields))
        return self.event(Incoming).session

    def taken(self) -> InviteSession:
        """A call of the peer that is up."""
        session = self.incoming()
        session.accept(b"answer", self.now)
        self.settle()
        self.send(self.in_dialog("ACK", cseq=1))
        assert session.state is State.CONFIRMED
        return session

    def in_dialog(self, method: str, cseq: int = 2, **fields: Any) -> Request:
        """A request of the peer in the call's dialog, whoever made it."""
        invites = [message for message in self.peer.requests if message.method == "INVITE"]
        if invites:
            first = invites[0]
            tags = {"from_tag": "peer", "to_tag": first.from_.tag or "", "call_id": first.call_id}
        else:
            tags = {"to_tag": next(answer.to.tag or "" for answer in self.peer.responses if answer.status != 100)}
        branch = f"z9hG4bKpeer{method}{cseq}"
        return request(method, cseq=cseq, transport=self.transport.upper(), **{"branch": branch} | tags | fields)

    def gone(self, seconds: float = 100.0) -> bool:
        """Whether nothing at all is left once every timer has run out."""
        self.settle(seconds)
        return not any(self.agent.sizes.values())
