"""One SIP call against a far end that is a bare user agent: what no second unit of ours would do."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from offers import AUDIO, VIDEO, description, direction, lines, sdp
from sip_peer import Peer, request, response
from wire import Wire
from wire_transport import MemoryPorts, WireTransport, complete

from firmware import config
from firmware.call.call import Call, EndReason, State
from firmware.call.media import PCMA, Capabilities, Direction, Kind
from firmware.errors import CallError
from firmware.sansio import Flow, Send
from firmware.signaling import leg
from firmware.signaling.sip import SipEndpoint
from firmware.sip import events
from firmware.sip.identity import Identity
from firmware.sip.invite import InviteSession
from firmware.sip.message import Request
from firmware.sip.uri import Uri
from firmware.sip.user_agent import UserAgent

UNIT, FAR = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
ANSWER = sdp(AUDIO, VIDEO)


class Bench:
    """A unit, and a user agent that answers events as a test says."""

    def __init__(self, ports: int = 1_000, delayed_offer: bool = False) -> None:
        self.wire = Wire()
        self.ports = MemoryPorts(count=ports)
        self.endpoint = SipEndpoint(
            config.Sip(addresses=(UNIT[0],)),
            Capabilities(),
            self.ports,
            "A room",
            rng=random.Random(1),
            make_transport=lambda core, on_event: WireTransport(self.wire, UNIT, core, on_event),
            delayed_offer=delayed_offer,
        )
        complete(self.endpoint.start())
        self.far = UserAgent(Identity("far", "Far\N{RIGHT-TO-LEFT OVERRIDE} End"), random.Random(2))
        self.wire.attach(FAR, self.far, self._event)
        self.seen: list[events.Event] = []
        self.when: Callable[[events.Event], None] = lambda event: None
        self.calls: list[Call] = []
        self.endpoint.on_call = self.calls.append

    def _event(self, event: events.Event) -> None:
        self.seen.append(event)
        self.when(event)

    def dial(self, address: str = "sip:far@192.0.2.2") -> Call:
        call = self.endpoint.dial(address)
        self.settle()
        return call

    def invite(self, offer: bytes | None = ANSWER) -> InviteSession:
        session = self.far.invite(Flow("udp", FAR, UNIT), Uri.parse("sip:room@192.0.2.1"), offer, self.wire.now)
        self.settle()
        return session

    def settle(self, seconds: float = 1.0) -> None:
        self.wire.pass_time(seconds)

    def answers(self, body: bytes = ANSWER) -> Call:
        """Dial, and let the far end accept."""

        def accept(event: events.Event) -> None:
            if isinstance(event, events.Incoming):
                event.session.accept(body, self.wire.now)

        self.when = accept
        call = self.dial()
        assert call.state is State.ACTIVE
        return call

    @property
    def session(self) -> InviteSession:
        """The far end's side of the call."""
        return next(event.session for event in self.seen if isinstance(event, events.Incoming))

    def last(self, kind: type[events.Event]) -> events.Event:
        return [event for event in self.seen if isinstance(event, kind)][-1]

    def sent(self, start: bytes) -> list[bytes]:
        """What the unit sent that begins so."""
        return [data for _, flow, data in self.wire.sent if flow.local == UNIT and data.startswith(start)]


def test_early_media_flow_while_it_rings() -> None:
    bench = Bench()
    changes: list[tuple[State, int]] = []

    def progress(event: events.Event) -> None:
        if isinstance(event, events.Incoming):
            event.session.ring(bench.wire.now, 183, ANSWER)

    bench.when = progress
    call = bench.endpoint.dial("far@192.0.2.2")
    call.on_change = lambda changed: changes.append((changed.state, len(changed.channels)))
    bench.settle()
    assert changes[-1] == (State.ALERTING, 4)
    bench.session.accept(ANSWER, bench.wire.now)
    bench.settle()
    assert changes[-1] == (State.ACTIVE, 4)


def test_early_media_that_are_nonsense_do_no_harm() -> None:
    bench = Bench()
    bench.when = lambda event: (
        event.session.ring(bench.wire.now, 183, b"v=0\r\nm=?") if isinstance(event, events.Incoming) else None
    )
    call = bench.dial()
    assert (call.state, call.channels) == (State.ALERTING, ())


def test_an_early_answer_need_not_be_repeated() -> None:
    bench = Bench()

    def answer(event: events.Event) -> None:
        if isinstance(event, events.Incoming):
            event.session.ring(bench.wire.now, 183, ANSWER)
            event.session.accept(b"", bench.wire.now)

    bench.when = answer
    call = bench.dial()
    assert (call.state, len(call.channels)) == (State.ACTIVE, 4)


@pytest.mark.parametrize("body", [b"", b"nonsense", sdp(), sdp("m=audio 0 RTP/AVP 0\n", "m=video 0 RTP/AVP 97\n")])
@pytest.mark.parametrize("delayed_offer", [False, True])
def test_an_answer_of_no_use_ends_the_call_by_bye(body: bytes, delayed_offer: bool) -> None:
    bench = Bench(delayed_offer=delayed_offer)
    bench.when = lambda event: (
        event.session.accept(body, bench.wire.now) if isinstance(event, events.Incoming) else None
    )
    call = bench.dial()
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.NO_COMMON_MEDIA)
    bench.settle(40)
    assert bench.sent(b"BYE")
    assert isinstance(bench.last(events.Ended), events.Ended)
    assert bench.ports.reserved == set()


@pytest.mark.parametrize(
    ("offer", "status"),
    [(sdp("m=audio 5000 RTP/AVP 18\n"), 488), (b"v=0\r\nm=audio\r\n", 400), (sdp("m=audio 5000 RTP/SAVP 0\n"), 488)],
)
def test_an_offer_of_no_use_is_refused_without_a_call(offer: bytes, status: int) -> None:
    bench = Bench()
    bench.invite(offer)
    ended = bench.last(events.Ended)
    assert isinstance(ended, events.Ended)
    assert ended.status == status
    assert bench.calls == []


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (EndReason.BUSY, 486),
        (EndReason.DECLINED, 603),
        (EndReason.HUNG_UP, 603),
        (EndReason.NO_ANSWER, 480),
        (EndReason.REFUSED, 403),
        (EndReason.LOCAL_ERROR, 500),
    ],
)
def test_a_refusal_has_its_status(reason: EndReason, status: int) -> None:
    bench = Bench()
    bench.endpoint.on_call = lambda call: call.hang_up(reason)
    bench.invite()
    ended = bench.last(events.Ended)
    assert isinstance(ended, events.Ended)
    assert ended.status == status


def test_a_room_that_is_not_there_refuses() -> None:
    bench = Bench()
    bench.endpoint.on_call = SipEndpoint(config.Sip(), Capabilities(), bench.ports).on_call
    bench.invite()
    ended = bench.last(events.Ended)
    assert isinstance(ended, events.Ended)
    assert ended.status == 403


def test_without_ports_nobody_is_answered_and_nobody_called() -> None:
    bench = Bench(ports=1)
    session = bench.invite()
    bench.calls[0].accept()
    bench.settle()
    assert (bench.calls[0].state, bench.calls[0].end_reason) == (State.ENDED, EndReason.LOCAL_ERROR)
    ended = bench.last(events.Ended)
    assert isinstance(ended, events.Ended)
    assert (ended.session, ended.status) == (session, 500)
    call = bench.dial()
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.LOCAL_ERROR)
    assert "ports" in call.end_detail
    assert bench.ports.reserved == set()


def test_the_caller_is_shown_as_it_says_and_as_it_can_be_called() -> None:
    bench = Bench()
    bench.invite()
    assert bench.calls[0].remote == "sip:far@192.0.2.2:5060"
    assert bench.calls[0].remote_name.isprintable()
    assert bench.calls[0].remote_name.startswith("Far")


def test_an_offer_in_the_answer_to_our_empty_invite() -> None:
    bench = Bench(delayed_offer=True)
    call = bench.answers()
    assert len(call.channels) == 4
    assert b"\r\nContent-Type:" not in bench.sent(b"INVITE")[0]
    assert bench.sent(b"ACK")[0].endswith(b"a=sendrecv\r\n")


def test_an_invite_without_offer_is_answered_with_ours() -> None:
    bench = Bench()

    def acknowledge(event: events.Event) -> None:
        if isinstance(event, events.Accepted):
            assert event.body is not None
            assert [m.kind for m in lines(event.body)] == ["audio", "video"]
            event.session.acknowledge(sdp(AUDIO, "m=video 0 RTP/AVP 97\n"), bench.wire.now)

    bench.when = acknowledge
    bench.invite(None)
    bench.calls[0].accept()
    bench.settle()
    assert bench.calls[0].state is State.ACTIVE
    assert {c.kind for c in bench.calls[0].channels} == {Kind.AUDIO}


@pytest.mark.parametrize("answer", [b"", b"nonsense", sdp("m=audio 0 RTP/AVP 0\n")])
def test_an_ack_without_a_usable_answer_ends_the_call(answer: bytes) -> None:
    bench = Bench()
    bench.when = lambda event: (
        event.session.acknowledge(answer, bench.wire.now) if isinstance(event, events.Accepted) else None
    )
    bench.invite(None)
    bench.calls[0].accept()
    bench.settle(40)
    assert (bench.calls[0].state, bench.calls[0].end_reason) == (State.ENDED, EndReason.NO_COMMON_MEDIA)
    assert bench.ports.reserved == set()


def test_a_change_by_the_far_end() -> None:
    bench = Bench()
    call = bench.answers()
    bench.session.reinvite(sdp("m=audio 7000 RTP/AVP 8\n", VIDEO, host="192.0.2.99"), bench.wire.now)
    bench.settle()
    answered = bench.last(events.Answered)
    assert isinstance(answered, events.Answered)
    assert answered.body is not None
    sent = next(c for c in call.channels if (c.kind, c.direction) == (Kind.AUDIO, Direction.SEND))
    assert (sent.remote, sent.codec) == (("192.0.2.99", 7000), PCMA)
    assert sent.local[1] == lines(answered.body)[0].port
    assert description(answered.body).origin.version == 2


@pytest.mark.parametrize(("offer", "status"), [(sdp("m=audio 5000 RTP/AVP 18\n"), 488), (b"v=0\r\n?", 400)])
def test_a_change_that_makes_no_sense_is_refused_and_nothing_changes(offer: bytes, status: int) -> None:
    bench = Bench()
    call = bench.answers()
    before = call.channels
    bench.session.reinvite(offer, bench.wire.now)
    bench.settle()
    refused = bench.last(events.OfferRefused)
    assert isinstance(refused, events.OfferRefused)
    assert refused.status == status
    assert (call.state, call.channels) == (State.ACTIVE, before)


def test_a_far_end_that_asks_for_our_offer_gets_all_of_it() -> None:
    bench = Bench()
    call = bench.answers(sdp(AUDIO, "m=video 0 RTP/AVP 97\n"))

    def acknowledge(event: events.Event) -> None:
        if isinstance(event, events.Accepted):
            assert event.body is not None
            assert [bool(m.port) for m in lines(event.body)] == [True, True]
            event.session.acknowledge(ANSWER, bench.wire.now)

    bench.when = acknowledge
    assert len(call.channels) == 2
    bench.session.reinvite(None, bench.wire.now)
    bench.settle()
    assert len(call.channels) == 4


def test_a_far_end_that_asks_and_does_not_answer_changes_nothing() -> None:
    bench = Bench()
    call = bench.answers()
    before = call.channels
    bench.when = lambda event: (
        event.session.acknowledge(b"", bench.wire.now) if isinstance(event, events.Accepted) else None
    )
    bench.session.reinvite(None, bench.wire.now)
    bench.settle()
    assert (call.state, call.channels) == (State.ACTIVE, before)


@pytest.mark.parametrize("answer", [b"", b"nonsense"])
def test_a_hold_that_is_answered_by_nonsense_is_none(answer: bytes) -> None:
    bench = Bench()
    call = bench.answers()
    before = call.channels
    bench.when = lambda event: (
        event.session.answer(answer, bench.wire.now) if isinstance(event, events.Offered) else None
    )
    call.hold(True)
    bench.settle()
    assert (call.held, call.channels) == (False, before)


def test_what_is_wanted_during_an_offer_is_offered_after_it() -> None:
    bench = Bench()
    call = bench.answers()
    offered: list[str] = []

    def answer(event: events.Event) -> None:
        if isinstance(event, events.Offered):
            assert event.body is not None
            offered.append(direction(lines(event.body)[0]))
            event.session.answer(ANSWER, bench.wire.now)

    bench.when = answer
    call.hold(True)
    call.hold(False)
    bench.settle(5)
    assert offered == ["sendonly", "sendrecv"]
    assert len(call.channels) == 4


def test_a_hold_that_is_refused_after_it_was_taken_back_is_no_news() -> None:
    bench = Bench()
    call = bench.answers()
    offered: list[str] = []

    def refuse_first(event: events.Event) -> None:
        if isinstance(event, events.Offered):
            assert event.body is not None
            offered.append(direction(lines(event.body)[0]))
            if len(offered) == 1:
                event.session.refuse_offer(488, bench.wire.now)
            else:
                event.session.answer(ANSWER, bench.wire.now)

    bench.when = refuse_first
    call.hold(True)
    call.hold(False)
    bench.settle(5)
    assert offered == ["sendonly", "sendrecv"]
    assert (call.held, len(call.channels)) == (False, 4)


def test_digits_and_key_frames_by_info() -> None:
    bench = Bench()
    call = bench.answers()
    digits: list[str] = []
    asked: list[Call] = []
    call.on_digit = lambda _, digit: digits.append(digit)
    call.on_key_frame_request = asked.append
    for content_type, body in (
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n"),
        ("application/dtmf", b"#"),
        ("application/dtmf-relay", b"rubbish"),
        ("application/media_control+xml", b"<media_control><picture_fast_update/></media_control>"),
        ("application/media_control+xml", b"<media_control/>"),
    ):
        bench.session.info(content_type, body, bench.wire.now)
        bench.settle()
    assert digits == ["5", "#"]
    assert asked == [call]
    call.send_digit("9")
    call.request_key_frame()
    bench.settle()
    told = [event for event in bench.seen if isinstance(event, events.Info)]
    assert [event.content_type for event in told] == ["application/dtmf-relay", "application/media_control+xml"]
    assert told[0].body == b"Signal=9\r\nDuration=160\r\n"
    assert b"<picture_fast_update/>" in told[1].body


def test_the_next_address_is_tried_when_one_can_not_be_reached() -> None:
    bench = Bench()
    bench.answers()
    leg = bench.endpoint._make_leg(bench.endpoint._transport)  # type: ignore[arg-type]
    call = bench.endpoint._calls[leg] = leg.call = Call(leg, State.DIALING, "sip:far@far.example")
    candidates = [("tcp", ("192.0.2.77", 5060)), ("udp", FAR)]
    leg.invite(Uri.parse("sip:far@far.example"), candidates)
    bench.settle()
    assert call.state is State.ACTIVE
    assert len(bench.ports.reserved) == 4


def test_one_who_answered_is_not_asked_again_elsewhere() -> None:
    bench = Bench()

    def refuse(event: events.Event) -> None:
        if isinstance(event, events.Incoming):
            event.session.ring(bench.wire.now)
            event.session.reject(503, bench.wire.now)

    bench.when = refuse
    call = bench.dial()  # would be tried by TCP next
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.UNREACHABLE)
    assert len(bench.sent(b"INVITE")) == 1


def test_the_second_transport_is_tried_when_the_first_fails() -> None:
    bench = Bench()
    bench.when = lambda event: (
        event.session.reject(503, bench.wire.now)
        if isinstance(event, events.Incoming) and not event.session.flow.reliable
        else None
    )
    call = bench.dial()
    assert call.state is State.DIALING
    assert isinstance(bench.last(events.Incoming), events.Incoming)
    assert bench.last(events.Incoming).session.flow.transport == "tcp"  # type: ignore[union-attr]


def test_a_call_that_has_not_begun_takes_no_commands_but_the_end() -> None:
    bench = Bench()
    leg = bench.endpoint._make_leg(bench.endpoint._transport)  # type: ignore[arg-type]
    call = bench.endpoint._calls[leg] = leg.call = Call(leg, State.DIALING, "sip:far@far.example")
    call.hang_up()
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.HUNG_UP)
    assert bench.endpoint._calls == {}


def test_key_frames_are_asked_for_in_measure() -> None:
    bench = Bench()
    call = bench.answers()
    for _ in range(10):
        call.request_key_frame()
    bench.settle(leg.KEY_FRAME_INTERVAL)
    call.request_key_frame()
    bench.settle()
    assert len([event for event in bench.seen if isinstance(event, events.Info)]) == 2


def test_a_caller_who_offers_nothing_and_wants_to_be_sure_gets_our_offer_with_the_ringing() -> None:
    """RFC 3262 5."""
    bench = Bench()
    peer = Peer(bench.wire, ("192.0.2.77", 5060))
    invite = peer_request(body=b"", Require="100rel")
    deliver(peer, invite)
    [call] = bench.calls
    call.alert()
    bench.settle(0.1)
    ringing = peer.responses[-1]
    assert (ringing.status, b"m=audio" in ringing.body) == (180, True)
    rack = f"{ringing.rseq} 1 INVITE"
    tag = ringing.to.tag or ""
    deliver(peer, peer_request("PRACK", branch="z9hG4bKp", cseq=2, to_tag=tag, body=ANSWER, RAck=rack))
    assert call.channels == (), "nothing flows before we answer"
    call.accept()
    bench.settle(0.1)
    assert (peer.responses[-1].status, peer.responses[-1].body) == (200, b"")
    deliver(peer, peer_request("ACK", branch="z9hG4bKa", to_tag=tag))
    assert call.state is State.ACTIVE
    assert {channel.kind for channel in call.channels} == {Kind.AUDIO, Kind.VIDEO}


def test_an_early_answer_of_no_use_ends_the_ringing() -> None:
    bench = Bench()
    peer = Peer(bench.wire, ("192.0.2.77", 5060))
    deliver(peer, peer_request(body=b"", Require="100rel"))
    [call] = bench.calls
    call.alert()
    bench.settle(0.1)
    ringing = peer.responses[-1]
    prack = peer_request("PRACK", branch="z9hG4bKp", cseq=2, to_tag=ringing.to.tag or "", body=b"v=0\r\n")
    prack.headers.set("RAck", f"{ringing.rseq} 1 INVITE")
    deliver(peer, prack)
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.NO_COMMON_MEDIA)
    assert peer.statuses[-1] == 488
    assert bench.ports.reserved == set()


def peer_request(method: str = "INVITE", **fields: Any) -> Request:
    return request(method, sent_by="192.0.2.77:5060", uri="sip:room@192.0.2.1", **fields)


def deliver(peer: Peer, message: Request) -> None:
    peer.waiting.append(Send(Flow("udp", peer.address, UNIT), message.encode()))
    peer.wire.pass_time(0.1)


def test_an_early_offer_to_our_empty_invite_is_answered_in_prack() -> None:
    bench = Bench(delayed_offer=True)
    peer = Peer(bench.wire, ("192.0.2.77", 5060))
    call = bench.dial("sip:x@192.0.2.77")
    invite = peer.last_request("INVITE")
    contact = "<sip:x@192.0.2.77>"
    deliver(peer, response(invite, 183, body=ANSWER, contact=contact, Require="100rel", RSeq="5"))
    prack = peer.last_request("PRACK")
    assert b"m=audio" in prack.body
    assert (call.state, len(call.channels)) == (State.ALERTING, 4)
    deliver(peer, response(invite, 200, contact=contact))
    assert call.state is State.ACTIVE
    assert peer.last_request("ACK").body == b""


def test_an_update_changes_the_media() -> None:
    bench = Bench()
    call = bench.answers()
    bench.session.update(sdp(AUDIO + "a=sendonly\n", VIDEO + "a=sendonly\n"), bench.wire.now)
    bench.settle()
    assert call.held_by_far_end
    assert isinstance(bench.seen[-1], events.Answered)


def test_a_session_timer_of_a_far_end_without_update_is_refreshed_by_a_reinvite() -> None:
    bench = Bench()
    call = bench.answers()
    leg = bench.endpoint.leg_of(call)
    assert leg is not None
    assert leg.session is not None
    before = description(bench.sent(b"INVITE")[0].partition(b"\r\n\r\n")[2])
    leg.handle(events.RefreshDue(leg.session))
    bench.settle()
    assert isinstance(bench.last(events.Offered), events.Offered)
    bench.session.refuse_offer(488, bench.wire.now)
    bench.settle()
    assert not call.held
    again = description(bench.sent(b"INVITE")[1].partition(b"\r\n\r\n")[2])
    assert again.origin.session_id == before.origin.session_id
    assert [direction(media) for media in again.media] == ["sendrecv", "sendrecv"]


def test_a_call_that_waits_there() -> None:
    """RFC 3261 21.1.4: 182 Queued."""
    bench = Bench()
    bench.when = lambda event: event.session.ring(bench.wire.now, 182) if isinstance(event, events.Incoming) else None
    assert bench.dial().waiting


def test_an_update_between_our_offer_and_its_repetition_is_the_ground_of_the_next() -> None:
    """RFC 3261 14.1, RFC 3311 5.2: what waits after a 491 must not undo what was agreed meanwhile."""
    bench = Bench()
    call = bench.answers()

    def refuse(event: events.Event) -> None:
        if isinstance(event, events.Offered):
            event.session.refuse_offer(491, bench.wire.now)

    bench.when = refuse
    call.hold(True)
    bench.settle(0.5)
    bench.session.update(sdp(AUDIO), bench.wire.now)  # the picture is gone

    def answer(event: events.Event) -> None:
        if isinstance(event, events.Offered):
            event.session.answer(sdp(AUDIO + "a=recvonly\n", VIDEO.replace("40002", "0")), bench.wire.now)

    bench.when = answer
    bench.settle(6.0)
    assert call.held
    offered = bench.last(events.Offered)
    assert isinstance(offered, events.Offered)
    assert direction(lines(offered.body or b"")[0]) in ("sendonly", "inactive")
    assert lines(offered.body or b"")[-1].port == 0 or len(lines(offered.body or b"")) == 1
    assert call.state is State.ACTIVE


@pytest.mark.parametrize("by_far_end", [False, True])
def test_what_a_call_that_is_over_held_waits_for_no_garbage_collector(by_far_end: bool) -> None:
    """In a flood it would be megabytes until then."""
    bench = Bench()
    gc.collect()
    gc.disable()
    try:
        far = bench.invite()
        call = bench.calls.pop()
        call.accept()
        bench.settle()
        leg = bench.endpoint.leg_of(call)
        assert leg is not None
        kept = [weakref.ref(each) for each in (leg, leg.session, leg._media)]
        del leg
        if by_far_end:
            far.end(bench.wire.now)
        else:
            call.hang_up()
        bench.settle(40)
        assert call.state is State.ENDED
        bench.wire.events[UNIT].clear()
        assert [each() for each in kept] == [None] * 3
    finally:
        gc.enable()
    with pytest.raises(CallError):
        call.follow()
    call.hang_up()
