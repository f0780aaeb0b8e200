"""Our INVITE against a far end that answers as it likes: forks, CANCEL and its races, lost and repeated messages."""

from __future__ import annotations

import pytest
from sip_peer import Line, flow, response

from firmware.errors import LocalProtocolError
from firmware.sip.events import Accepted, Ended, Progress
from firmware.sip.identity import EXTENSIONS, METHODS
from firmware.sip.invite import State
from firmware.sip.invite_client import MAX_FORKS, RING_LIMIT
from firmware.sip.message import Request
from firmware.sip.uri import Uri


def methods(line: Line) -> list[str]:
    """The methods of what the peer got, in order."""
    return [message.method for message in line.peer.requests]


def test_a_call_is_made_rings_and_is_answered() -> None:
    line = Line()
    session = line.dial()
    line.answer(100)
    assert not line.events, "100 says nothing about the call"
    line.answer(180)
    line.answer(183, body=b"early answer")
    line.answer(200, body=b"answer")
    assert [(event.status, event.body) for event in line.events if isinstance(event, Progress)] == [
        (180, None),
        (183, b"early answer"),
    ]
    assert line.event(Accepted).body == b"answer"
    assert session.state is State.CONFIRMED
    invite, ack = line.peer.requests
    assert (ack.method, ack.cseq.number, ack.to.tag, str(ack.uri)) == ("ACK", 1, "peer", "sip:peer@10.0.0.2:5060")
    assert ack.via.branch != invite.via.branch, "RFC 3261 13.2.2.4: the ACK to a 2xx is a request of its own"
    assert ack.body == b""


def test_an_invite_says_who_calls_and_what_is_understood() -> None:
    line = Line()
    line.dial()
    invite = line.peer.requests[0]
    assert invite.max_forwards == 70
    assert invite.contact is not None
    assert str(invite.contact.uri) == "sip:room@10.0.0.1:5060"
    assert invite.allow == METHODS
    assert invite.supported == EXTENSIONS
    assert (invite.cseq.number, invite.to.tag, invite.via.wants_rport) == (1, None, True)
    assert invite.body == b"offer"
    assert str(invite.content_type) == "application/sdp"


def test_an_invite_without_an_offer_is_acknowledged_with_the_answer() -> None:
    line = Line()
    session = line.dial(offer=None)
    assert line.peer.requests[0].content_type is None
    answer = line.answer(200, body=b"their offer")
    assert line.event(Accepted).body == b"their offer"
    assert session.state is State.ACCEPTED
    line.send(answer)
    assert methods(line) == ["INVITE"], "no ACK before there is an answer"
    session.acknowledge(b"our answer", line.now)
    line.settle()
    assert session.state is State.CONFIRMED
    assert line.peer.requests[-1].body == b"our answer"
    line.send(answer)
    assert methods(line) == ["INVITE", "ACK", "ACK"]
    assert line.peer.requests[-1].body == b"our answer"
    with pytest.raises(LocalProtocolError):
        session.acknowledge(b"again", line.now)


def test_an_offer_that_we_never_answer_ends_the_call() -> None:
    line = Line()
    line.dial(offer=None)
    line.answer(200, body=b"their offer")
    line.settle(33)
    assert methods(line) == ["INVITE", "ACK", "BYE", "BYE"]
    assert line.event(Ended).status == 408
    assert line.gone()


def test_a_large_acknowledgement_takes_a_stream_and_udp_where_that_fails() -> None:
    """RFC 3261 18.1.1."""
    line = Line()
    session = line.dial(offer=None)
    accepted = line.answer(200, body=b"their offer")
    session.acknowledge(b"x" * 1300, line.now)
    line.settle()
    [ack] = line.peer.requests[1:]
    assert (ack.method, ack.via.transport, len(ack.body)) == ("ACK", "TCP", 1300)
    line.send(accepted)
    assert [each.via.transport for each in line.peer.requests[1:]] == ["TCP", "UDP"], "it has not heard the first"


def test_a_2xx_without_the_offer_it_must_have_is_acknowledged_and_ended() -> None:
    line = Line()
    line.dial(offer=None)
    line.answer(200)
    assert methods(line) == ["INVITE", "ACK", "BYE"]
    assert line.kinds == ["Ended"]
    assert line.gone()


def test_an_early_answer_stands_for_the_one_that_the_2xx_lacks() -> None:
    line = Line()
    line.dial()
    line.answer(183, body=b"early answer")
    line.answer(200)
    assert line.event(Accepted).body == b"early answer"


def test_each_repetition_of_the_2xx_gets_its_ack_again() -> None:
    line = Line()
    line.established()
    first = line.peer.last("ACK")
    for _ in range(3):
        line.answer(200, body=b"answer")
        assert line.peer.last("ACK").encode() == first.encode()
    assert len(methods(line)) == 5
    assert line.kinds == ["Accepted"]


def test_the_second_fork_that_answers_gets_ack_and_bye() -> None:
    """RFC 3261 13.2.2.4."""
    line = Line()
    session = line.established()
    line.answer(200, tag="other", contact="<sip:other@10.0.0.2:5060>", body=b"other answer")
    ack, bye = line.peer.requests[-2:]
    assert [(message.method, message.to.tag, str(message.uri)) for message in (ack, bye)] == [
        ("ACK", "other", "sip:other@10.0.0.2:5060"),
        ("BYE", "other", "sip:other@10.0.0.2:5060"),
    ]
    line.answer(200, tag="other", contact="<sip:other@10.0.0.2:5060>")
    assert methods(line)[-1] == "ACK"
    assert methods(line).count("BYE") == 1
    assert session.state is State.CONFIRMED
    assert line.kinds == ["Accepted"]


def test_forked_provisional_responses_make_dialogs_up_to_a_bound() -> None:
    line = Line()
    session = line.dial()
    for number in range(MAX_FORKS + 5):
        line.answer(180, tag=f"fork{number}")
    assert line.agent.sizes["dialogs"] == MAX_FORKS
    line.answer(200, tag="fork3", body=b"answer")
    assert line.agent.sizes["dialogs"] == 1
    assert session.state is State.CONFIRMED
    for number in range(20, 40):
        line.answer(200, tag=f"fork{number}")
    assert methods(line).count("BYE") == MAX_FORKS - 1
    assert line.agent.counters["fork over the limit"] == 13


@pytest.mark.parametrize("status", [300, 302, 401, 407, 486, 503, 603])
def test_a_refusal_ends_the_call_and_is_acknowledged(status: int) -> None:
    line = Line()
    line.dial()
    line.answer(180)
    line.answer(status)
    ended = line.event(Ended)
    assert (ended.status, ended.by_far_end) == (status, True)
    assert methods(line) == ["INVITE", "ACK"]
    assert line.gone()


def test_nobody_there_is_408() -> None:
    line = Line()
    line.dial()
    line.settle(33)
    assert line.event(Ended).status == 408
    assert line.gone()


def test_a_far_end_that_rings_for_ever_is_given_up() -> None:
    line = Line()
    line.dial()
    line.answer(180)
    line.settle(RING_LIMIT - 1)
    line.answer(180)
    line.settle(RING_LIMIT - 1)
    assert methods(line) == ["INVITE"], "each provisional response counts anew"
    line.settle(1)
    assert methods(line) == ["INVITE", "CANCEL"]
    line.answer(487)
    ended = line.event(Ended)
    assert (ended.status, ended.by_far_end) == (408, True)
    assert line.gone()


# CANCEL, RFC 3261 9.1


def test_cancel_waits_for_a_provisional_response() -> None:
    line = Line()
    session = line.dial()
    session.end(line.now)
    line.settle(1.0)
    assert set(methods(line)) == {"INVITE"}
    line.answer(100)
    cancel = line.peer.requests[-1]
    invite = line.peer.requests[0]
    assert cancel.method == "CANCEL"
    assert (str(cancel.via), str(cancel.uri), cancel.cseq.number) == (str(invite.via), str(invite.uri), 1)
    assert (cancel.from_, cancel.to, cancel.call_id) == (invite.from_, invite.to, invite.call_id)
    line.send(response(cancel, 200))
    line.answer(487)
    ended = line.event(Ended)
    assert (ended.status, ended.by_far_end) == (None, False)
    assert line.gone()


def test_a_call_ended_before_any_response_and_refused_at_once_needs_no_cancel() -> None:
    line = Line()
    line.dial().end(line.now)
    line.answer(486)
    assert methods(line) == ["INVITE", "ACK"]
    assert line.kinds == ["Ended"]
    assert line.gone()


def test_a_call_ended_towards_nobody_ends() -> None:
    line = Line()
    line.dial().end(line.now)
    line.settle(32)
    assert line.kinds == ["Ended"]
    assert line.gone()


@pytest.mark.parametrize("ringing", [False, True])
def test_a_200_that_crosses_the_cancel_gets_ack_and_bye(ringing: bool) -> None:
    line = Line()
    session = line.dial()
    line.answer(180 if ringing else 100)
    session.end(line.now)
    line.settle()
    line.answer(200, body=b"answer")
    assert methods(line) == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert "Ended" not in line.kinds, "the far end is not done yet"
    line.send(response(line.peer.last_request("BYE"), 200))
    assert line.kinds[-1:] == ["Ended"]
    assert session.state is State.ENDED
    assert line.gone()


def test_a_200_before_any_provisional_response_to_an_ended_call_gets_ack_and_bye() -> None:
    line = Line()
    line.dial(offer=None).end(line.now)
    line.answer(200, body=b"their offer")
    assert methods(line) == ["INVITE", "ACK", "BYE"]
    line.send(response(line.peer.last_request("BYE"), 481))
    assert line.kinds == ["Ended"]
    assert line.gone()


def test_a_cancel_that_nobody_obeys_ends_the_call_after_32_seconds() -> None:
    line = Line()
    session = line.dial()
    line.answer(180)
    session.end(line.now)
    line.settle(31)
    assert not [kind for kind in line.kinds if kind == "Ended"]
    line.settle(1)
    assert line.event(Ended).by_far_end is False
    line.answer(200)
    assert line.agent.counters["stray response"] == 1, "RFC 3261 9.1: the transaction is destroyed"
    assert line.gone()


def test_provisional_responses_after_the_cancel_send_no_second_one_and_say_nothing() -> None:
    line = Line()
    session = line.dial()
    line.answer(180)
    session.end(line.now)
    line.settle()
    line.answer(180)
    line.answer(183, tag="late fork", body=b"early")
    assert methods(line).count("CANCEL") == 1
    assert line.kinds == ["Progress"]


def test_ringing_on_after_the_cancel_keeps_no_call_alive() -> None:
    line = Line()
    session = line.dial()
    line.answer(180)
    session.end(line.now)
    line.settle(10)
    for _ in range(3):
        line.answer(180)
        line.settle(10)
    line.settle(2.1)
    assert line.kinds[-1] == "Ended"
    assert line.gone()


def test_the_cancel_takes_the_route_of_the_invite() -> None:
    """RFC 3261 9.1 and 17.1.1.3 ask for the same Route; our own INVITE has none, so the re-INVITE shows it."""
    line = Line()
    session = line.dial()
    line.answer(200, body=b"answer", Record_Route="<sip:10.0.0.2;lr>")
    session.reinvite(b"offer 2", line.now)
    line.settle()
    line.answer(100)
    line.send(line.in_dialog("BYE", cseq=1))
    assert session.state is State.ENDED
    cancel = line.peer.last_request("CANCEL")
    assert [str(route) for route in cancel.routes] == ["<sip:10.0.0.2;lr>"]
    assert cancel.cseq.number == 2
    line.answer(200, body=b"answer 2")
    assert line.peer.last_request("ACK").cseq.number == 2, "a 2xx is acknowledged even when the call is over"
    assert line.kinds == ["Accepted", "Ended"]
    assert line.gone()


@pytest.mark.parametrize("streams", [True, False])
def test_a_large_invite_takes_a_stream_and_what_follows_takes_what_the_contact_says(streams: bool) -> None:
    """RFC 3261 18.1.1."""
    line = Line()
    line.dial(b"x" * 1300)
    if not streams:
        line.agent.flow_closed(flow("tcp"), line.now)
        line.peer.received.clear()
    line.settle()
    invite = line.peer.last_request("INVITE")
    assert invite.via.transport == ("TCP" if streams else "UDP")
    message = response(invite, 200, body=b"answer")
    line.peer.send(message, line.peer.flows[-1] if streams else None, 0.0)
    assert line.peer.last_request("ACK").via.transport == "UDP"
    line.send(line.in_dialog("BYE"))
    assert line.kinds == ["Accepted", "Ended"]


def test_a_large_invite_is_cancelled_by_the_way_that_it_took() -> None:
    """RFC 3261 9.1: the CANCEL has the INVITE's top Via."""
    line = Line()
    session = line.dial(b"x" * 1300)
    stream = line.peer.flows[-1]
    line.peer.send(response(line.peer.last_request("INVITE"), 180), stream, 0.0)
    session.end(line.now)
    line.settle()
    assert line.peer.last_request("CANCEL").via == line.peer.last_request("INVITE").via


def test_the_route_set_of_the_2xx_is_used_backwards() -> None:
    """RFC 3261 12.1.2, 13.2.2.4: the 2xx's, not the provisional response's."""
    line = Line()
    session = line.dial()
    line.answer(180, Record_Route="<sip:10.0.0.9;lr>")
    line.answer(200, body=b"answer", Record_Route="<sip:10.0.0.2:5060;lr>, <sip:10.0.0.2:5060;lr;hop=1>")
    session.end(line.now)
    line.settle()
    for method in ("ACK", "BYE"):
        routes = [str(route) for route in line.peer.last_request(method).routes]
        assert routes == ["<sip:10.0.0.2:5060;lr;hop=1>", "<sip:10.0.0.2:5060;lr>"]


def test_too_many_calls_are_not_made() -> None:
    line = Line(max_sessions=2)
    for _ in range(2):
        line.dial()
    with pytest.raises(LocalProtocolError):
        line.dial()
    line = Line(max_transactions=1)
    line.dial()
    with pytest.raises(LocalProtocolError):
        line.agent.invite(flow(), Uri.parse("sip:x@10.0.0.2"), None, line.now)


def test_the_dialled_uri_loses_what_no_request_uri_has() -> None:
    line = Line()
    target = Uri.parse("sip:peer@10.0.0.2:5060;transport=udp;method=BYE?Subject=x")
    session = line.agent.invite(flow(), target, b"offer", line.now)
    line.settle()
    invite = line.peer.requests[0]
    assert isinstance(invite, Request)
    assert str(invite.uri) == "sip:peer@10.0.0.2:5060;transport=udp"
    assert str(invite.to) == "<sip:peer@10.0.0.2:5060>"
    assert session.remote_target == invite.uri


def test_a_bye_that_crosses_the_bye_of_a_cancelled_call_is_answered() -> None:
    line = Line()
    session = line.dial()
    line.answer(180)
    session.end(line.now)
    line.answer(200, body=b"answer")
    line.send(line.in_dialog("BYE", cseq=1))
    assert line.peer.statuses == [200]
    assert line.kinds == ["Progress", "Ended"]
    assert line.gone()


def test_a_fork_that_is_over_is_no_ringing() -> None:
    """RFC 6228 4."""
    line = Line()
    line.dial()
    line.answer(180, tag="one")
    line.answer(199, tag="one")
    line.answer(199, tag="two")
    assert line.kinds == ["Progress"]
    assert line.agent.sizes["dialogs"] == 0
    line.answer(200, tag="two", body=b"answer")
    assert line.kinds == ["Progress", "Accepted"]
