"""The user agent as its driver sees it: bytes in, bytes out, streams that come and go, floods."""

from __future__ import annotations

import random

import pytest
from sip_peer import OURS, THEIRS, Line, flow, request, response

from firmware.errors import LocalProtocolError
from firmware.sansio import Close, Flow, Send
from firmware.sip.events import Ended, OptionsAnswered
from firmware.sip.header import NameAddr
from firmware.sip.identity import Identity
from firmware.sip.invite import State
from firmware.sip.uri import Uri
from firmware.sip.user_agent import UserAgent


def ask(line: Line) -> str:
    call_id = line.agent.options(flow(), Uri.parse("sip:peer@10.0.0.2"), line.now)
    line.settle()
    return call_id


def test_options_asks_what_the_far_end_can_do() -> None:
    line = Line()
    call_id = ask(line)
    options = line.peer.last_request("OPTIONS")
    assert (
        options.call_id,
        options.headers.get(
            "Accept",
        ),
    ) == (
        call_id,
        "application/sdp, multipart/mixed, multipart/alternative",
    )
    line.send(response(options, 200, body=b"v=0", Allow="INVITE, BYE"))
    assert line.event(OptionsAnswered) == OptionsAnswered(call_id, 200, "OK", ("INVITE", "BYE"), b"v=0")
    assert line.gone()


def test_options_that_nobody_answers() -> None:
    line = Line()
    ask(line)
    line.settle(32)
    assert line.event(OptionsAnswered).status == 408
    line = Line()
    ask(line)
    line.agent.flow_closed(flow(), line.now)
    line.settle()
    assert line.event(OptionsAnswered).status == 503


def test_from_may_be_somebody_else() -> None:
    line = Line(display_name='The "big" room')
    ask(line)
    assert str(line.peer.requests[0].headers.get("From")).startswith(
        '"The \\"big\\" room" <sip:room@10.0.0.1:5060>;tag='
    )
    line.agent.invite(
        flow(), Uri.parse("sip:x@10.0.0.2"), None, line.now, from_=NameAddr("", Uri.parse("sip:me@example.com"))
    )
    line.settle()
    assert str(line.peer.requests[1].headers.get("From")).startswith("<sip:me@example.com>;tag=")


# What can't be read


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"From": None}, 400),
        ({"CSeq": "1 BYE"}, 400),
        ({"CSeq": "99999999999 OPTIONS"}, 400),
        ({"Max_Forwards": "x"}, 400),
        ({"Contact": "<sip:a@b"}, 400),
        ({"Call_ID": ""}, 400),
        ({"To": "x y"}, 400),
    ],
)
def test_a_malformed_request_is_answered_and_forgotten(fields: dict[str, str | None], status: int) -> None:
    line = Line()
    line.send(request("OPTIONS", **fields))
    assert line.peer.responses[-1].status == status
    assert not any(line.agent.sizes.values())


def test_the_answer_to_a_malformed_request_has_the_same_tag_each_time() -> None:
    """RFC 3261 8.2.7."""
    line = Line()
    for _ in range(2):
        line.send(request("OPTIONS", CSeq="x"))
    tags = [answer.to.tag for answer in line.peer.responses]
    assert tags[0] == tags[1]


def test_a_request_with_an_unreadable_via_is_answered_to_where_it_came_from() -> None:
    """RFC 4475 3.1.2.1."""
    line = Line()
    line.send(request("OPTIONS", Via="nonsense"))
    assert line.peer.statuses == [400]
    assert line.agent.counters["refused 400"] == 1


def test_nonsense_is_counted_and_not_answered() -> None:
    line = Line()
    nonsense = [
        b"hello",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 999 What\r\n\r\n",
        request("ACK", CSeq="x").encode(),
        request("ACK", Via="nonsense").encode(),
        response(request("OPTIONS"), 200).encode().replace(b"CSeq: 1", b"CSeq: x"),
        response(request("OPTIONS"), 200).encode(),
        response(request("OPTIONS", Via="SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2"), 200).encode(),
    ]
    for data in nonsense:
        line.send(data)
    assert not line.peer.received
    assert not line.events
    assert sum(line.agent.counters.values()) == len(nonsense)
    line.send(b"\r\n\r\n")
    line.send(b"\x00")
    assert sum(line.agent.counters.values()) == len(nonsense), "a keep-alive is no nonsense"


def test_a_flood_ends_in_503_without_memory() -> None:
    """RFC 3261 21.5.4."""
    line = Line(max_transactions=5)
    for number in range(50):
        line.send(request("OPTIONS", branch=f"z9hG4bK{number}", call_id=str(number)))
    assert line.peer.statuses == [200] * 5 + [503] * 45
    assert line.peer.responses[-1].retry_after
    assert line.agent.sizes["transactions"] == 5
    assert line.agent.counters["refused 503"] == 45
    line.send(request("OPTIONS", branch="z9hG4bK0", call_id="0"))
    assert line.peer.statuses[-1] == 200, "what was taken is served"
    assert line.gone()


def test_a_flood_of_strangers_keeps_no_call_from_being_ended_or_cancelled() -> None:
    def flood() -> None:
        for number in range(20):
            line.send(request("OPTIONS", branch=f"z9hG4bK{number}", call_id=str(number)))
        assert line.peer.statuses[-1] == 503

    line = Line(max_transactions=5)
    line.taken()
    flood()
    line.send(line.in_dialog("BYE"))
    assert line.peer.statuses[-1] == 200
    assert line.kinds[-1] == "Ended"
    assert line.gone()
    line = Line(max_transactions=5)
    line.incoming()
    flood()
    line.send(request("CANCEL", branch="z9hG4bKother"))
    assert line.peer.statuses[-1] == 503, "it cancels nothing"
    line.send(request("CANCEL"))
    assert line.peer.statuses[-2:] == [200, 487]
    assert line.gone()


def test_what_a_call_asks_for_is_bounded_too() -> None:
    line = Line(max_transactions=5)
    line.taken()
    for number in range(2, 30):
        line.send(line.in_dialog("OPTIONS", cseq=number))
    assert line.agent.sizes["transactions"] == 10
    assert line.peer.statuses[-1] == 503


def test_too_many_requests_of_our_own() -> None:
    line = Line(max_transactions=1)
    ask(line)
    with pytest.raises(LocalProtocolError):
        ask(line)


# Where responses go, RFC 3261 18.2, RFC 3581


def test_a_response_goes_to_the_source_if_the_client_asks_so() -> None:
    for port, rport, expected in ((7777, ";rport", 7777), (7777, "", 5070), (5070, "", 5070)):
        agent = UserAgent(Identity("room"), random.Random(1))
        source = Flow("udp", OURS, ("10.0.0.9", port))
        message = request("OPTIONS", Via=f"SIP/2.0/UDP pc.example.com:5070;branch=z9hG4bK1{rport}")
        agent.receive_data(source, message.encode(), 0.0)
        [action] = agent.actions()
        assert action.flow.remote == ("10.0.0.9", expected)


def test_nobody_else_is_made_to_get_our_responses() -> None:
    agent = UserAgent(Identity("room"), random.Random(1))
    for via in (
        "SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1;received=10.9.9.9;rport=99",
        "SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK2;received=10.9.9.9",
        "SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bK3",
        "SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK4;maddr=10.9.9.9",
    ):
        agent.receive_data(flow(), request("OPTIONS", Via=via, call_id=via[-1]).encode(), 0.0)
    assert {action.flow.remote for action in agent.actions()} == {THEIRS}


# Streams


def test_a_call_over_a_stream_that_they_opened_uses_it_both_ways() -> None:
    line = Line("tcp")
    stream = line.peer.connect()
    line.peer.flows.append(stream)
    session = line.incoming(Contact="<sip:peer@10.0.0.2:5060;transport=tcp>")
    session.accept(b"answer", line.now)
    line.settle(0.1)
    line.send(line.in_dialog("ACK", cseq=1))
    line.settle(0.1)
    session.end(line.now)
    line.settle(0.1)
    assert line.peer.last_request("BYE").via.transport == "TCP"
    assert len({flow for _, flow, _ in line.wire.sent if flow.local == OURS}) == 1


def test_a_stream_that_closes_fails_what_waits_for_it() -> None:
    """RFC 3261 17.1.4, 8.1.3.1: as if 503 had come."""
    line = Line("tcp")
    line.dial()
    [stream] = line.peer.flows
    line.peer.waiting.append(Close(stream))
    line.settle(1.0)
    assert line.event(Ended).status == 503
    assert line.gone()


def test_a_stream_that_does_not_open_is_503() -> None:
    line = Line("tcp")
    session = line.agent.invite(flow("tcp", remote=("10.0.0.77", 5060)), Uri.parse("sip:x@10.0.0.77"), None, line.now)
    line.settle(1.0)
    assert line.event(Ended).session is session
    assert line.event(Ended).status == 503


def test_a_response_opens_a_stream_if_the_old_one_is_gone() -> None:
    """RFC 3261 18.2.2: to the source address and the port of sent-by."""
    line = Line("tcp")
    stream = line.peer.connect()
    line.peer.flows.append(stream)
    session = line.incoming()
    line.peer.waiting.append(Close(stream))
    line.peer.flows.clear()
    line.settle(1.0)
    assert session.state is State.INCOMING, "RFC 6026: the INVITE's transaction survives"
    session.accept(b"answer", line.now)
    line.settle()
    assert line.peer.statuses[-1] == 200
    assert len(line.peer.flows) == 1


def test_the_next_request_of_a_call_opens_a_stream_if_the_old_one_is_gone() -> None:
    line = Line("tcp")
    session = line.established()
    line.peer.waiting.append(Close(line.peer.flows.pop()))
    line.settle(1.0)
    assert session.state is State.CONFIRMED
    session.end(line.now)
    line.settle(0.1)
    line.send(response(line.peer.last_request("BYE"), 200, tag=""))
    assert line.event(Ended).by_far_end is False


def test_a_stream_that_makes_no_sense_is_answered_and_closed() -> None:
    """RFC 3261 18.3."""
    line = Line("tcp")
    stream = line.peer.connect()
    line.peer.send(request("OPTIONS", transport="TCP").encode().replace(b"Content-Length: 0\r\n", b""), stream, 1.0)
    assert line.peer.statuses == [400]
    assert line.peer.closed == [stream]
    line.agent.receive_data(Flow("tcp", OURS, ("10.0.0.2", 40000)), b"late bytes", line.now)
    line.settle()
    assert line.agent.counters["stream closed"] == 1


def test_a_keep_alive_gets_its_answer() -> None:
    """RFC 5626 4.4.1."""
    agent = UserAgent(Identity("room"), random.Random(1))
    stream = flow("tcp")
    agent.flow_opened(stream, 0.0)
    agent.receive_data(stream, b"\r\n\r\n\r\n\r\n", 0.0)
    assert agent.actions() == [Send(stream, b"\r\n\r\n")]
    agent.receive_data(stream, b"\r\n\r\n" * 1000, 0.0)
    [pong] = agent.actions()
    assert isinstance(pong, Send)
    assert len(pong.data) <= 32


def test_streams_over_the_limit_are_closed() -> None:
    agent = UserAgent(Identity("room", max_connections=2), random.Random(1))
    streams = [Flow("tcp", OURS, ("10.0.0.2", 40000 + number)) for number in range(4)]
    for number, stream in enumerate(streams):
        agent.flow_opened(stream, 0.0)
        invite = request(
            "INVITE", transport="TCP", branch=f"z9hG4bK{number}", call_id=str(number), from_tag=f"{number}"
        )
        agent.receive_data(stream, invite.encode(), 0.0)
    assert agent.actions() == [Close(stream) for stream in streams[2:]]
    agent.flow_closed(streams[0], 0.0)
    agent.flow_opened(streams[3], 0.0)
    assert not agent.actions()


def test_who_opens_streams_and_says_nothing_more_keeps_nobody_out() -> None:
    agent = UserAgent(Identity("room", max_connections=3), random.Random(1))
    streams = [Flow("tcp", OURS, ("10.0.0.2", 40000 + number)) for number in range(5)]
    for stream in streams[:3]:
        agent.flow_opened(stream, 0.0)
        agent.receive_data(stream, b"I", 0.0)
    agent.receive_data(streams[1], b"NVITE", 1.0)
    agent.receive_data(streams[0], request("INVITE", transport="TCP").encode()[1:], 2.0)
    agent.flow_opened(streams[0], 2.0)
    assert not agent.actions(), "the one that is there already needs no room"
    agent.flow_opened(streams[3], 3.0)
    agent.flow_opened(streams[4], 3.0)
    assert agent.actions() == [Close(streams[2]), Close(streams[1])], "the most silent first, and none with a call"


def test_who_sends_an_octet_now_and_then_drives_nobody_out() -> None:
    agent = UserAgent(Identity("room", max_connections=3), random.Random(1))
    honest, *slow = (Flow("tcp", OURS, ("10.0.0.2", 40000 + number)) for number in range(6))
    agent.flow_opened(honest, 0.0)
    agent.receive_data(honest, request("OPTIONS", transport="TCP").encode(), 0.0)
    agent.handle_timer(40.0)
    agent.actions()
    for stream in slow:
        agent.flow_opened(stream, 50.0)
        agent.receive_data(stream, b"I", 50.0)
    assert agent.actions() == [Close(stream) for stream in slow[:3]], "not the one that was silent for longer"


def test_two_messages_in_one_piece_and_one_in_two() -> None:
    line = Line("tcp")
    stream = line.peer.connect()
    first, second = (
        request("OPTIONS", transport="TCP", branch=f"z9hG4bK{number}", call_id=str(number)).encode()
        for number in range(2)
    )
    line.peer.send(first + second[:50], stream)
    assert line.peer.statuses == [200]
    line.peer.send(second[50:], stream)
    assert line.peer.statuses == [200, 200]


def test_ipv6() -> None:
    agent = UserAgent(Identity("room"), random.Random(1))
    v6 = Flow("udp", ("2001:db8::1", 5060), ("2001:db8::2", 5060))
    agent.invite(v6, Uri.parse("sip:x@[2001:db8::2]"), b"offer", 0.0)
    [action] = agent.actions()
    assert isinstance(action, Send)
    for line in (
        b"Via: SIP/2.0/UDP [2001:db8::1]:5060;",
        b"Contact: <sip:room@[2001:db8::1]:5060>",
        b"sip:x@[2001:db8::2]",
    ):
        assert line in action.data
    message = request("OPTIONS", Via="SIP/2.0/UDP [2001:db8::9]:5070;branch=z9hG4bK1;rport")
    agent.receive_data(v6, message.encode(), 0.0)
    [action] = agent.actions()
    assert isinstance(action, Send)
    assert action.flow == v6
    assert b"received=2001:db8::2" in action.data


def test_a_stream_that_makes_no_sense_fails_what_waits_for_it() -> None:
    line = Line("tcp")
    line.dial()
    line.send(b"SIP/2.0 200 OK\r\n\r\n")
    line.settle(1.0)
    assert line.event(Ended).status == 503
    assert line.agent.counters["malformed message"] == 1


def test_a_refusal_needs_no_contact() -> None:
    """RFC 3261 12.1.2: it makes no dialog."""
    line = Line()
    line.dial()
    line.answer(302, Contact="<sip:a b>", Record_Route="?")
    assert line.event(Ended).status == 302
    ask(line)
    line.send(response(line.peer.last_request("OPTIONS"), 200, Contact="<sip:a b>"))
    assert line.event(OptionsAnswered).status == 200


@pytest.mark.parametrize("status", [180, 200])
def test_a_response_that_makes_a_dialog_needs_a_good_contact(status: int) -> None:
    line = Line()
    line.dial()
    line.answer(status, contact="<sip:a b>")
    assert not line.events
    assert line.agent.counters["malformed response"] == 1


def test_a_response_is_good_enough_if_what_we_need_of_it_is_good() -> None:
    line = Line()
    line.dial()
    line.answer(200, body=b"answer", Expires="soon", Supported="a b", Allow="x y", Warning="?")
    assert line.kinds == ["Accepted"]
    ask(line)
    line.send(response(line.peer.last_request("OPTIONS"), 200, Allow="x y", Content_Type="?"))
    assert line.event(OptionsAnswered).status == 200


def test_who_may_not_call_is_refused_without_being_remembered() -> None:
    line = Line()
    line.agent.admits = lambda request, flow: request.from_.uri.user != "peer"
    invite = request(body=b"offer")
    line.send(invite)
    line.send(invite)
    assert line.peer.statuses == [403, 403]
    assert len({answer.to.tag for answer in line.peer.responses}) == 1, "RFC 3261 8.2.7"
    assert not any(line.agent.sizes.values())
    line.send(request("ACK", to_tag=line.peer.responses[0].to.tag or ""))
    assert line.kinds == []
    line.send(request("OPTIONS", branch="z9hG4bKoptions"))
    assert line.peer.statuses[-1] == 200, "who asks does not call"


def test_a_call_that_is_up_stays_when_its_far_end_is_taken_off_the_list() -> None:
    line = Line()
    session = line.taken()
    line.agent.admits = lambda request, flow: False
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    assert line.kinds[-1] == "Offered"
    session.answer(b"answer 2", line.now)


def test_a_late_copy_of_an_invite_is_no_other_call() -> None:
    """One that was under way all the time, longer than the call lasted: absorbed, as by the transaction."""
    line = Line()
    session = line.incoming()
    session.accept(b"answer", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=1))
    line.send(line.in_dialog("BYE"))
    line.events.clear()
    before = len(line.peer.responses)
    line.send(request("INVITE", body=b"offer"))
    line.settle(1.0)
    assert line.events == []
    assert len(line.peer.responses) == before
    assert line.agent.counters["late copy of an INVITE"] == 1
    line.send(request("INVITE", body=b"offer", branch="z9hG4bKother"))
    assert line.peer.statuses[-1] == 482, "the same one by another path"
    line.send(request("INVITE", body=b"offer", branch="z9hG4bKnew", call_id="new@peer"))
    assert line.kinds == ["Incoming"]
