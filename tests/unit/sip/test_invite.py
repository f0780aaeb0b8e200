"""A call that is up: changing it, speaking in it, ending it; and what each command demands."""

from __future__ import annotations

import pytest
from sip_peer import Line, request, response

from firmware.errors import LocalProtocolError
from firmware.sip.events import Accepted, Answered, Confirmed, Ended, Info, Offered, OfferRefused, OfferWithdrawn
from firmware.sip.invite import InviteSession, State


@pytest.fixture(params=["we called", "they called"])
def line(request: pytest.FixtureRequest) -> Line:
    """A call that is up, made by either side."""
    line = Line()
    if request.param == "we called":
        line.established()
    else:
        line.taken()
    line.events.clear()
    line.peer.received[1:] = []
    return line


def the_session(line: Line) -> InviteSession:
    [session] = line.agent.sessions
    return session


# Our re-INVITE, RFC 3261 14.1


def test_our_reinvite_is_answered(line: Line) -> None:
    session = the_session(line)
    session.reinvite(b"offer 2", line.now)
    assert session.negotiating
    with pytest.raises(LocalProtocolError):
        session.reinvite(b"offer 3", line.now)
    line.settle()
    reinvite = line.peer.last_request("INVITE")
    assert reinvite.body == b"offer 2"
    assert reinvite.contact is not None
    line.answer(200, tag="", body=b"answer 2", contact="<sip:moved@10.0.0.2:5060>")
    assert line.event(Answered).body == b"answer 2"
    ack = line.peer.last_request("ACK")
    assert (ack.cseq.number, str(ack.uri)) == (reinvite.cseq.number, "sip:moved@10.0.0.2:5060")
    assert str(session.remote_target) == "sip:moved@10.0.0.2:5060", "RFC 3261 12.2.1.2: target refresh"
    assert not session.negotiating


def test_our_reinvite_without_offer_is_acknowledged_with_the_answer(line: Line) -> None:
    session = the_session(line)
    session.reinvite(None, line.now)
    line.settle()
    line.answer(200, tag="", body=b"their offer")
    assert line.event(Accepted).body == b"their offer"
    assert session.negotiating
    session.acknowledge(b"our answer", line.now)
    line.settle()
    assert line.peer.last_request("ACK").body == b"our answer"
    assert not session.negotiating
    session.reinvite(None, line.now)
    line.settle()
    line.answer(200, tag="")
    assert line.event(OfferRefused).status == 488, "a 2xx that must have an offer and has none"
    assert session.state is State.CONFIRMED


@pytest.mark.parametrize("status", [401, 415, 488, 503, 603])
def test_a_reinvite_that_fails_leaves_the_call_as_it_was(line: Line, status: int) -> None:
    session = the_session(line)
    session.reinvite(b"offer 2", line.now)
    line.settle()
    line.answer(status, tag="")
    assert line.event(OfferRefused).status == status
    assert session.state is State.CONFIRMED
    session.reinvite(b"offer 3", line.now)
    line.settle()
    line.answer(200, tag="", body=b"answer 3")
    assert line.event(Answered).body == b"answer 3"


@pytest.mark.parametrize("status", [408, 481])
def test_a_reinvite_that_finds_no_dialog_ends_the_call(line: Line, status: int) -> None:
    """RFC 3261 12.2.1.2."""
    the_session(line).reinvite(b"offer 2", line.now)
    line.settle()
    line.answer(status, tag="")
    ended = line.event(Ended)
    assert (ended.status, ended.by_far_end) == (status, True)
    assert line.peer.requests[-1].method == "BYE"
    assert line.gone()


def test_a_reinvite_that_nobody_hears_ends_the_call(line: Line) -> None:
    the_session(line).reinvite(b"offer 2", line.now)
    line.settle(32)
    assert line.event(Ended).status == 408
    assert line.gone()


# Their re-INVITE, RFC 3261 14.2


def test_their_reinvite_is_answered(line: Line) -> None:
    session = the_session(line)
    line.send(line.in_dialog("INVITE", body=b"offer 2", Contact="<sip:moved@10.0.0.2:5060>"))
    assert line.event(Offered).body == b"offer 2"
    assert str(session.remote_target) == "sip:moved@10.0.0.2:5060"
    with pytest.raises(LocalProtocolError):
        session.reinvite(b"offer 3", line.now)
    session.answer(b"answer 2", line.now)
    line.settle()
    accepted = line.peer.responses[-1]
    assert (accepted.status, accepted.body) == (200, b"answer 2")
    assert accepted.contact is not None
    line.send(line.in_dialog("ACK", body=b"surprise"))
    assert line.event(Confirmed).body is None
    assert not session.negotiating


def test_their_reinvite_without_offer_gets_ours(line: Line) -> None:
    session = the_session(line)
    line.send(line.in_dialog("INVITE"))
    assert line.event(Offered).body is None
    session.answer(b"our offer", line.now)
    line.settle()
    line.send(line.in_dialog("INVITE", cseq=3))
    assert line.peer.statuses[-1] == 491, "RFC 5407 3.1.4: the answer in the ACK is missing"
    line.send(line.in_dialog("ACK", body=b"their answer"))
    assert line.event(Confirmed).body == b"their answer"


def test_their_reinvite_is_refused(line: Line) -> None:
    session = the_session(line)
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    session.refuse_offer(488, line.now)
    line.settle()
    assert line.peer.statuses[-1] == 488
    assert session.state is State.CONFIRMED
    assert not session.negotiating
    with pytest.raises(LocalProtocolError):
        session.answer(b"answer", line.now)
    line.events.clear()
    line.settle(100)
    assert not line.events, "what is refused does not expire any more"


def test_their_reinvite_may_be_cancelled(line: Line) -> None:
    session = the_session(line)
    invite = line.in_dialog("INVITE", body=b"offer 2")
    line.send(invite)
    line.send(line.in_dialog("CANCEL", branch="z9hG4bKpeerINVITE2"))
    assert line.peer.statuses[-2:] == [200, 487]
    assert line.event(OfferWithdrawn)
    assert session.state is State.CONFIRMED
    assert not session.negotiating


def test_their_reinvite_that_nobody_answers_is_500_in_the_end(line: Line) -> None:
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    line.settle(32)
    assert line.peer.statuses[-1] == 500
    assert line.event(OfferWithdrawn)
    assert the_session(line).state is State.CONFIRMED


def test_a_second_reinvite_before_the_first_is_answered_is_500_with_retry_after(line: Line) -> None:
    """RFC 3261 14.2."""
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    line.send(line.in_dialog("INVITE", cseq=3, body=b"offer 3"))
    refusal = line.peer.responses[-1]
    assert refusal.status == 500
    assert 0 <= (refusal.retry_after or 0) <= 10
    assert refusal.retry_after is not None


def test_their_reinvite_while_ours_is_out_is_491(line: Line) -> None:
    """RFC 3261 14.2."""
    the_session(line).reinvite(b"offer 2", line.now)
    line.settle()
    line.send(line.in_dialog("INVITE", cseq=7, body=b"their offer"))
    assert line.peer.statuses[-1] == 491
    assert "Offered" not in line.kinds


def test_a_reinvite_that_overtakes_the_ack_stands_for_it() -> None:
    """RFC 5407 3.1.4."""
    line = Line()
    session = line.incoming()
    session.accept(b"answer", line.now)
    line.settle()
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    assert line.kinds == ["Incoming", "Confirmed", "Offered"]
    line.settle(20)
    assert line.peer.statuses.count(200) == 1, "the first 2xx is not repeated any more"
    assert session.state is State.CONFIRMED


def test_a_reinvite_with_a_body_that_is_no_offer_is_415_and_changes_nothing(line: Line) -> None:
    session = the_session(line)
    target = session.remote_target
    line.send(line.in_dialog("INVITE", body=b"x", Content_Type="text/plain", Contact="<sip:other@10.0.0.2>"))
    assert line.peer.statuses[-1] == 415
    assert "application/sdp" in (line.peer.responses[-1].headers.get("Accept") or "")
    assert session.remote_target == target
    assert not session.negotiating


# INFO, RFC 6086


def test_info_of_a_known_type_comes_up(line: Line) -> None:
    line.send(line.in_dialog("INFO", body=b"Signal=5", Content_Type="Application/DTMF-Relay;x=y"))
    assert line.peer.statuses[-1] == 200
    info = line.event(Info)
    assert (info.content_type, info.body) == ("application/dtmf-relay", b"Signal=5")


def test_info_that_we_do_not_understand_is_refused(line: Line) -> None:
    line.send(line.in_dialog("INFO", body=b"x", Content_Type="text/plain"))
    assert line.peer.statuses[-1] == 415
    assert "application/media_control+xml" in (line.peer.responses[-1].headers.get("Accept") or "")
    line.send(line.in_dialog("INFO", cseq=3, body=b"x", Info_Package="foo"))
    assert line.peer.statuses[-1] == 469
    assert "Recv-Info" in line.peer.responses[-1].headers
    line.send(line.in_dialog("INFO", cseq=4))
    assert line.peer.statuses[-1] == 200
    assert not line.events


def test_our_info_goes_out_and_a_lost_dialog_is_noticed(line: Line) -> None:
    session = the_session(line)
    session.info("application/dtmf", b"5", line.now)
    line.settle()
    info = line.peer.last_request("INFO")
    assert (str(info.content_type), info.body) == ("application/dtmf", b"5")
    line.send(response(info, 415, tag=""))
    assert session.state is State.CONFIRMED
    session.info("application/dtmf", b"6", line.now)
    line.settle()
    line.send(response(line.peer.last_request("INFO"), 481, tag=""))
    assert line.event(Ended).status == 481
    assert line.gone()


def test_info_in_an_early_dialog() -> None:
    line = Line()
    session = line.dial()
    with pytest.raises(LocalProtocolError):
        session.info("application/dtmf", b"5", line.now)
    line.answer(180)
    session.info("application/dtmf", b"5", line.now)
    line.settle()
    info = line.peer.last_request("INFO")
    assert (info.to.tag, info.cseq.number) == ("peer", 2)
    line.send(line.in_dialog("INFO", body=b"6", Content_Type="application/dtmf"))
    assert line.event(Info).body == b"6"


def test_requests_have_ever_higher_numbers(line: Line) -> None:
    """RFC 3261 12.2.1.1."""
    session = the_session(line)
    for digit in b"123":
        session.info("application/dtmf", bytes([digit]), line.now)
    session.end(line.now)
    line.settle()
    numbers = [message.cseq.number for message in line.peer.requests if message.method in ("INFO", "BYE")]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


def test_a_lower_number_is_500(line: Line) -> None:
    """RFC 3261 12.2.2."""
    line.send(line.in_dialog("INFO", cseq=9))
    line.send(line.in_dialog("INFO", cseq=8))
    assert line.peer.statuses[-2:] == [200, 500]


# The end, RFC 3261 15


def test_our_bye_ends_the_call(line: Line) -> None:
    session = the_session(line)
    session.end(line.now, 488, 'Not "here"')
    assert session.state is State.ENDING
    session.end(line.now)
    line.settle()
    bye = line.peer.last_request("BYE")
    assert bye.headers.get("Reason") == 'SIP;cause=488;text="Not \\"here\\""'
    assert not line.events
    line.send(response(bye, 200, tag=""))
    ended = line.event(Ended)
    assert (ended.status, ended.by_far_end) == (None, False)
    session.end(line.now)
    assert line.gone()
    assert [message.method for message in line.peer.requests].count("BYE") == 1


@pytest.mark.parametrize("status", [401, 408, 481, 500])
def test_a_bye_that_is_refused_ends_the_call_all_the_same(line: Line, status: int) -> None:
    """RFC 3261 15.1.1."""
    the_session(line).end(line.now)
    line.settle()
    line.send(response(line.peer.last_request("BYE"), status, tag=""))
    assert line.event(Ended).by_far_end is False
    assert line.gone()


def test_a_bye_that_nobody_answers_ends_the_call(line: Line) -> None:
    the_session(line).end(line.now)
    line.settle(32)
    assert line.event(Ended).by_far_end is False
    assert line.gone()


def test_their_bye_ends_the_call(line: Line) -> None:
    session = the_session(line)
    line.send(line.in_dialog("BYE", Reason="Q.850;cause=16"))
    assert line.peer.statuses[-1] == 200
    ended = line.event(Ended)
    assert (ended.status, ended.reason, ended.by_far_end) == (None, "Q.850;cause=16", True)
    assert session.state is State.ENDED
    line.send(line.in_dialog("BYE", cseq=3))
    assert line.peer.statuses[-1] == 481
    assert line.gone()


@pytest.mark.parametrize("method", ["BYE", "CANCEL"])
def test_a_reason_that_is_no_text_comes_up_as_text(method: str) -> None:
    """Half a character or a bell of a stranger must not get into logs, the state or a database."""
    line = Line()
    if method == "BYE":
        line.taken()
    else:
        line.incoming()
    message = line.in_dialog("BYE") if method == "BYE" else request("CANCEL")
    line.send(message.encode().replace(b"Max-Forwards", b'Reason: SIP;text="\xff\x07"\r\nMax-Forwards'))
    assert line.event(Ended).reason == 'SIP;text="\ufffd\ufffd"'


def test_byes_that_cross_are_both_answered(line: Line) -> None:
    the_session(line).end(line.now)
    line.settle()
    line.send(line.in_dialog("BYE"))
    assert line.peer.statuses[-1] == 200
    assert line.event(Ended).by_far_end is False
    line.send(response(line.peer.last_request("BYE"), 200, tag=""))
    assert line.kinds == ["Ended"]
    assert line.gone()


def test_a_bye_answers_the_reinvite_that_still_waits(line: Line) -> None:
    """RFC 3261 15.1.2."""
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    line.send(line.in_dialog("BYE", cseq=3))
    assert sorted(line.peer.statuses[-2:]) == [200, 487]
    assert line.kinds == ["Offered", "Ended"]
    assert line.gone()


def test_our_bye_answers_the_reinvite_that_still_waits(line: Line) -> None:
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    the_session(line).end(line.now)
    line.settle()
    assert line.peer.statuses[-1] == 487
    line.send(line.in_dialog("INVITE", cseq=3, body=b"offer 3"))
    assert line.peer.statuses[-1] == 481, "the call ends"
    assert line.gone()


def test_a_reinvite_of_ours_answered_after_the_end_is_acknowledged(line: Line) -> None:
    session = the_session(line)
    session.reinvite(b"offer 2", line.now)
    session.end(line.now)
    line.settle()
    line.send(response(line.peer.last_request("BYE"), 200, tag=""))
    line.answer(200, tag="", body=b"answer 2")
    assert line.peer.requests[-1].method == "ACK"
    assert line.kinds == ["Ended"]
    assert line.gone()


def test_a_reinvite_of_ours_that_only_rings_is_cancelled_once_the_call_is_over(line: Line) -> None:
    the_session(line).reinvite(b"offer 2", line.now)
    line.settle()
    line.answer(180, tag="")
    line.send(line.in_dialog("BYE"))
    assert line.peer.requests[-1].method == "CANCEL"
    assert line.kinds == ["Ended"]
    assert line.gone()


def test_an_unanswered_offer_in_their_2xx_is_acknowledged_before_the_bye() -> None:
    line = Line()
    session = line.dial(offer=None)
    line.answer(200, body=b"their offer")
    session.end(line.now)
    line.settle()
    assert [message.method for message in line.peer.requests] == ["INVITE", "ACK", "BYE"]
    line.send(response(line.peer.last_request("BYE"), 200, tag=""))
    assert line.kinds == ["Accepted", "Ended"]
    assert line.gone()


def test_a_bye_of_the_callee_before_it_answers_ends_nothing() -> None:
    """RFC 3261 15: the callee has no BYE for an early dialog; its refusal is to come."""
    line = Line()
    session = line.dial()
    line.answer(180)
    line.send(line.in_dialog("BYE"))
    assert line.peer.statuses == [200]
    assert session.state is State.CALLING
    line.answer(486)
    assert line.event(Ended).status == 486


COMMANDS = {
    "ring": lambda session: session.ring(0.0),
    "accept": lambda session: session.accept(b"", 0.0),
    "reject": lambda session: session.reject(486, 0.0),
    "acknowledge": lambda session: session.acknowledge(b"", 0.0),
    "reinvite": lambda session: session.reinvite(b"", 0.0),
    "answer": lambda session: session.answer(b"", 0.0),
    "refuse_offer": lambda session: session.refuse_offer(488, 0.0),
    "info": lambda session: session.info("application/dtmf", b"5", 0.0),
}
ALLOWED = {
    State.CALLING: set[str](),
    State.INCOMING: {"ring", "accept", "reject", "info"},
    State.ACCEPTED: {"info"},
    State.CONFIRMED: {"reinvite", "info"},
    State.ENDING: set[str](),
    State.ENDED: set[str](),
}


def in_state(state: State) -> tuple[Line, InviteSession]:
    line = Line()
    match state:
        case State.CALLING:
            return line, line.dial()
        case State.INCOMING:
            return line, line.incoming()
        case State.ACCEPTED:
            session = line.incoming()
            session.accept(b"answer", 0.0)
        case State.CONFIRMED:
            session = line.established()
        case State.ENDING:
            session = line.established()
            session.end(0.0)
        case State.ENDED:
            session = line.incoming()
            session.reject(486, 0.0)
    line.settle()
    return line, session


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_in_the_wrong_state_raises_and_does_nothing(state: State, command: str) -> None:
    line, session = in_state(state)
    assert session.state is state
    if command in ALLOWED[state]:
        COMMANDS[command](session)
        return
    before = len(line.events)
    with pytest.raises(LocalProtocolError):
        COMMANDS[command](session)
    assert session.state is state
    assert not line.agent.actions()
    assert len(line.events) == before


@pytest.mark.parametrize("state", State)
def test_end_leads_from_every_state_to_one_ended_and_nothing_left(state: State) -> None:
    line, session = in_state(state)
    session.end(line.now)
    session.end(line.now)
    assert line.gone()
    assert line.kinds.count("Ended") == 1
    assert session.state is State.ENDED
