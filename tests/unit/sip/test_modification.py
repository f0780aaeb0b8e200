"""Which INVITE may come when (RFC 3261 14); test_invite.py and test_glare.py have the rest."""

from __future__ import annotations

import pytest
from sip_peer import Line, request, response

from firmware.errors import LocalProtocolError
from firmware.sip.events import Accepted, Ended


def test_a_reinvite_of_the_caller_before_we_answered_its_first_is_500() -> None:
    line = Line()
    line.incoming().ring(line.now)
    line.settle()
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    assert line.peer.statuses[-1] == 500
    assert line.peer.responses[-1].retry_after is not None
    assert line.kinds == ["Incoming"]


def test_an_invite_of_the_callee_in_an_early_dialog_is_491() -> None:
    line = Line()
    line.dial()
    line.answer(180)
    line.send(line.in_dialog("INVITE", body=b"offer"))
    assert line.peer.statuses == [491]


def test_a_reinvite_before_the_answer_in_our_first_ack_is_491() -> None:
    line = Line()
    session = line.dial(offer=None)
    line.answer(200, body=b"their offer")
    line.send(line.in_dialog("INVITE", body=b"offer"))
    assert line.peer.statuses == [491]
    session.acknowledge(b"answer", line.now)
    line.settle()
    line.send(line.in_dialog("INVITE", cseq=3, body=b"offer"))
    assert line.kinds[-1] == "Offered"


def test_a_2xx_to_a_reinvite_is_repeated_until_its_ack_or_the_call_ends() -> None:
    line = Line()
    session = line.taken()
    before = len(line.peer.statuses)
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    session.answer(b"answer 2", line.now)
    line.settle(4)
    assert line.peer.statuses[before:] == [200] * 4
    line.settle(29)
    assert line.event(Ended).status == 408
    assert line.peer.requests[-1].method == "BYE"
    assert line.gone()


def test_each_repetition_of_the_2xx_to_our_reinvite_gets_its_ack() -> None:
    line = Line()
    session = line.established()
    session.reinvite(b"offer 2", line.now)
    line.settle()
    for _ in range(3):
        line.answer(200, body=b"answer 2")
    acks = [message for message in line.peer.requests if message.method == "ACK" and message.cseq.number == 2]
    assert len(acks) == 3
    assert len({ack.encode() for ack in acks}) == 1
    assert line.kinds == ["Accepted", "Answered"]


def test_an_offer_in_the_2xx_to_our_reinvite_that_we_never_answer_ends_the_call() -> None:
    line = Line()
    session = line.established()
    session.reinvite(None, line.now)
    line.settle()
    line.answer(200, body=b"their offer")
    line.settle(32)
    assert line.event(Ended).status == 408
    assert line.gone()


def test_our_reinvite_that_only_rings_is_cancelled_in_the_end() -> None:
    line = Line()
    session = line.established()
    session.reinvite(b"offer 2", line.now)
    line.settle()
    line.answer(100)
    line.settle(200)
    assert line.peer.requests[-1].method == "CANCEL"
    line.answer(487)
    assert line.kinds == ["Accepted", "OfferRefused"]
    assert not session.negotiating


def test_an_ack_for_another_reinvite_confirms_nothing() -> None:
    line = Line()
    session = line.taken()
    line.send(line.in_dialog("INVITE", cseq=5, body=b"offer 2"))
    line.send(line.in_dialog("ACK", cseq=5))
    assert session.negotiating, "there is no 2xx yet"
    session.answer(b"answer 2", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=4, branch="z9hG4bKstray"))
    assert session.negotiating
    line.send(line.in_dialog("ACK", cseq=5, branch="z9hG4bKack"))
    assert not session.negotiating


def test_answering_twice_or_without_an_offer_is_refused() -> None:
    line = Line()
    session = line.taken()
    for command in (session.answer, session.acknowledge):
        with pytest.raises(LocalProtocolError):
            command(b"answer", line.now)
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    session.answer(b"answer 2", line.now)
    for command in (session.answer, session.acknowledge):
        with pytest.raises(LocalProtocolError):
            command(b"answer", line.now)
    with pytest.raises(LocalProtocolError):
        session.refuse_offer(488, line.now)


def test_a_refusal_must_be_one() -> None:
    line = Line()
    session = line.taken()
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    with pytest.raises(LocalProtocolError):
        session.refuse_offer(200, line.now)
    session.refuse_offer(488, line.now, "Not That")
    line.settle()
    assert (line.peer.responses[-1].status, line.peer.responses[-1].reason) == (488, "Not That")


def test_an_initial_invite_of_the_same_call_is_no_reinvite() -> None:
    line = Line()
    line.taken()
    line.send(request("INVITE", branch="z9hG4bKnew", cseq=2, call_id="call@peer", body=b"offer"))
    assert line.kinds.count("Incoming") == 2


def test_accepted_after_a_reinvite_without_offer_names_the_same_session() -> None:
    line = Line()
    session = line.taken()
    line.peer.received[1:] = []
    session.reinvite(None, line.now)
    line.settle()
    line.answer(200, tag="", body=b"their offer")
    assert line.event(Accepted).session is session


def test_a_2xx_to_our_reinvite_with_another_tag_is_no_fork() -> None:
    line = Line()
    session = line.established()
    session.reinvite(b"offer 2", line.now)
    line.settle()
    for tag in ("peer", "other"):
        accepted = response(line.peer.last_request("INVITE"), 200, body=b"answer 2")
        accepted.headers.set("To", f"<sip:peer@10.0.0.2>;tag={tag}")
        line.send(accepted)
    assert [message.method for message in line.peer.requests][-2:] == ["ACK", "ACK"]
    assert line.kinds == ["Accepted", "Answered"]


def test_a_reinvite_that_overtakes_the_ack_to_the_one_before_stands_for_it() -> None:
    """RFC 5407 3.1.4, for the second time as for the first."""
    line = Line()
    session = line.taken()
    line.send(line.in_dialog("INVITE", cseq=2, body=b"offer 2"))
    session.answer(b"answer 2", line.now)
    line.settle()
    line.send(line.in_dialog("INVITE", cseq=3, body=b"offer 3"))
    assert line.kinds[-3:] == ["Offered", "Confirmed", "Offered"]
    session.answer(b"answer 3", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=3))
    line.settle(60)
    assert line.kinds[-1] == "Confirmed"
    assert line.agent.sessions == (session,)
    assert len(line.peer.statuses) == 3, "nothing is repeated"
