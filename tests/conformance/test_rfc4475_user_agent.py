"""The torture messages of RFC 4475 at a user agent: what it answers, and that it goes on working."""

from __future__ import annotations

import random

import pytest
from conformance.rfc4475 import MESSAGES, RINGS, Torture
from wire import Wire

from firmware.sansio import Action, Flow
from firmware.sip.events import Accepted, Event, Incoming
from firmware.sip.identity import Identity
from firmware.sip.message import Response, parse
from firmware.sip.stream import StreamReader
from firmware.sip.uri import Uri
from firmware.sip.user_agent import UserAgent

ROOM = ("192.0.2.200", 5060)
TORTURER = ("192.0.2.201", 5060)
FRIEND = ("192.0.2.202", 5060)
NOT_FOR_STREAMS = ("dblreq", "clerr", "multi01", "inv2543")
"""Their Content-Length divides a stream elsewhere than after the message, or is missing."""
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.202\r\ns=-\r\nc=IN IP4 192.0.2.202\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


class Recorder:
    """A core that keeps what it is sent, and answers nothing."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def flow_opened(self, flow: Flow, now: float) -> None: ...
    def flow_closed(self, flow: Flow, now: float) -> None: ...

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        self.received.append(data)

    def handle_timer(self, now: float) -> None: ...

    def timer(self) -> None: ...

    def actions(self) -> list[Action]:
        return []

    def events(self) -> list[Event]:
        return []


class Bench:
    """A room, and who torments it, by *transport*."""

    def __init__(self, transport: str) -> None:
        self.wire = Wire()
        self.room = UserAgent(Identity("room"), random.Random(1))
        self.room.capabilities = SDP
        self.wire.attach(ROOM, self.room)
        self.torturer = Recorder()
        self.wire.attach(TORTURER, self.torturer)
        self.transport = transport
        self.flow = Flow(transport, ROOM, TORTURER)
        if transport == "tcp":
            self.room.flow_opened(self.flow, 0.0)

    def answers(self, torture: Torture) -> list[Response]:
        """Give what the room answers, each response once, with nobody taking the call, however long it rings."""
        before = len(self.wire.sent)
        self.room.receive_data(self.flow, torture.data, self.wire.now)
        self.wire.pass_time(40.0)
        data = [data for _, flow, data in self.wire.sent[before:] if flow.local == ROOM]
        # A call that nobody takes is ended by us at last; the caller here acknowledges nothing.
        responses = [parse(datagram) for datagram in dict.fromkeys(data)]
        assert all(isinstance(response, Response) for response in responses)
        return [response for response in responses if isinstance(response, Response)]


def check_answers(bench: Bench, torture: Torture) -> None:
    answers = bench.answers(torture)
    incoming = [event for event in bench.wire.events[ROOM] if isinstance(event, Incoming)]
    final = [response.status for response in answers if response.status >= 200]
    if torture.answers is RINGS:
        assert final == []
        assert len(incoming) == 1
        return
    assert incoming == []
    if not torture.answers:
        assert answers == []
        return
    assert len(final) == 1
    assert final[0] in torture.answers
    for response in answers:
        # RFC 3261 8.2.6.2: a tag in every To, where there is one.
        assert "To" not in response.headers or ";tag=" in (response.headers.get("To") or "").replace(" ", "")


@pytest.mark.parametrize("torture", MESSAGES, ids=lambda torture: torture.name)
def test_answer_to_a_datagram(torture: Torture) -> None:
    check_answers(Bench("udp"), torture)


@pytest.mark.parametrize(
    "torture",
    [torture for torture in MESSAGES if torture.name not in NOT_FOR_STREAMS],
    ids=lambda torture: torture.name,
)
def test_answer_in_a_stream(torture: Torture) -> None:
    check_answers(Bench("tcp"), torture)


def test_particular_header_fields_of_the_answers() -> None:
    bench, by_name = Bench("udp"), {torture.name: torture for torture in MESSAGES}
    [unsupported] = bench.answers(by_name["bext01"])
    assert unsupported.unsupported == ("nothingSupportsThis", "nothingSupportsThisEither")
    [method] = bench.answers(by_name["intmeth"])
    assert {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"} <= set(method.allow)
    media_type = bench.answers(by_name["invut"])[-1]
    assert "application/sdp" in [str(accepted) for accepted in media_type.accept]
    [options] = bench.answers(by_name["lwsdisp"])
    assert options.body == SDP
    assert {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"} <= set(options.allow)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_after_all_of_them_a_call_is_made_and_nothing_is_left_behind(transport: str) -> None:
    bench = Bench(transport)
    for torture in MESSAGES:
        # Every one on a stream of its own: some leave a stream that can't be read any more.
        bench.flow = Flow(transport, ROOM, (TORTURER[0], bench.flow.remote[1] + 1))
        if transport == "tcp":
            bench.room.flow_opened(bench.flow, bench.wire.now)
        bench.room.receive_data(bench.flow, torture.data, bench.wire.now)
        for event in bench.room.events():
            if isinstance(event, Incoming):
                event.session.reject(486, bench.wire.now)
    bench.wire.pass_time(70.0)
    assert bench.room.sessions == ()

    friend = UserAgent(Identity("friend"), random.Random(2))
    bench.wire.attach(FRIEND, friend)
    bench.wire.on_event[ROOM] = lambda event: (
        event.session.accept(SDP, bench.wire.now) if isinstance(event, Incoming) else None
    )
    friend.invite(Flow(transport, FRIEND, ROOM), Uri.parse("sip:room@192.0.2.200"), SDP, bench.wire.now)
    bench.wire.pass_time(1.0)
    assert any(isinstance(event, Accepted) for event in bench.wire.events[FRIEND])


def test_all_of_them_one_after_the_other_in_one_stream() -> None:
    bench = Bench("tcp")
    tortures = [torture for torture in MESSAGES if torture.name not in NOT_FOR_STREAMS]
    bench.room.receive_data(bench.flow, b"".join(torture.data for torture in tortures), 0.0)
    bench.wire.pass_time(1.0)
    reader = StreamReader()
    answers = reader.receive(b"".join(data for _, _, data in bench.wire.sent))
    assert not reader.broken
    answered = {answer.call_id.partition(".")[0] for answer in answers if isinstance(answer, Response)}
    # ncl is the first after which nobody can tell where the next message begins.
    readable = tortures[: [torture.name for torture in tortures].index("ncl") + 1]
    expected = {torture.name for torture in readable if torture.answers}
    assert answered == expected - {"mpart01"} | {"3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA"}
    assert bench.room.sizes["sessions"] == sum(torture.answers is RINGS for torture in readable)
