"""UPDATE (RFC 3311), from both sides, before and after a call is answered."""

from __future__ import annotations

from typing import Any

import pytest
from sip_peer import Line, response

from firmware.errors import LocalProtocolError
from firmware.sip.events import Answered, Ended, Offered, OfferRefused
from firmware.sip.invite import InviteSession, State
from firmware.sip.message import Response


def update(line: Line, cseq: int = 5, **fields: Any) -> Response | None:
    """Let the peer send an UPDATE; gives the answer if there is one yet."""
    line.send(line.in_dialog("UPDATE", cseq=cseq, **fields))
    line.settle()
    answers = [a for a in line.peer.responses if a.cseq.method == "UPDATE" and a.cseq.number == cseq]
    return answers[-1] if answers else None


def status_of(answer: Response | None) -> int | None:
    return answer.status if answer is not None else None


# Theirs


@pytest.mark.parametrize("ours", [True, False], ids=["we called", "we were called"])
def test_an_offer_is_answered(ours: bool) -> None:
    line = Line()
    session = line.established() if ours else line.taken()
    assert update(line, body=b"offer 2", Contact="<sip:peer@10.0.0.9>") is None
    assert line.event(Offered).body == b"offer 2"
    session.answer(b"answer 2", line.now)
    line.settle()
    answer = line.peer.responses[-1]
    assert (answer.status, answer.body) == (200, b"answer 2")
    assert answer.contact is not None
    assert "UPDATE" in answer.allow
    assert str(session.remote_target) == "sip:peer@10.0.0.9", "RFC 3311 5.2: it refreshes the target"
    assert line.kinds[-1] == "Offered", "no Confirmed follows"
    assert not session.negotiating


def test_an_offer_is_refused() -> None:
    line = Line()
    session = line.established()
    update(line, body=b"offer 2")
    session.refuse_offer(488, line.now)
    line.settle()
    assert line.peer.statuses[-1] == 488
    assert session.state is State.CONFIRMED
    with pytest.raises(LocalProtocolError):
        session.answer(b"answer 2", line.now)


def test_without_an_offer_it_is_answered_at_once() -> None:
    line = Line()
    session = line.established()
    assert status_of(update(line, Contact="<sip:peer@10.0.0.9>")) == 200
    assert line.kinds == ["Accepted"]
    assert str(session.remote_target) == "sip:peer@10.0.0.9"


def test_one_before_the_last_is_answered() -> None:
    """RFC 3311 5.2: 500 with Retry-After."""
    line = Line()
    session = line.established()
    update(line, body=b"offer 2")
    answer = update(line, cseq=6, body=b"offer 3")
    assert status_of(answer) == 500
    assert answer is not None
    assert answer.retry_after is not None
    session.answer(b"answer 2", line.now)
    line.settle()
    assert line.peer.statuses[-1] == 200


def test_it_crosses_our_reinvite() -> None:
    line = Line()
    session = line.established()
    session.reinvite(b"offer 2", line.now)
    line.settle()
    assert status_of(update(line, body=b"their offer")) == 491
    assert status_of(update(line, cseq=6)) == 200, "without an offer nothing crosses"


def test_it_comes_before_their_reinvite_is_answered() -> None:
    line = Line()
    session = line.established()
    line.send(line.in_dialog("INVITE", body=b"offer 2"))
    assert status_of(update(line, body=b"offer 3")) == 500
    session.answer(b"answer 2", line.now)


def test_it_crosses_our_offer_in_the_2xx() -> None:
    line = Line()
    session = line.incoming(body=b"")
    session.accept(b"our offer", line.now)
    line.settle()
    assert status_of(update(line, body=b"their offer")) == 491


def test_it_comes_before_their_first_offer_is_answered() -> None:
    line = Line()
    line.incoming().ring(line.now)
    line.settle()
    assert status_of(update(line, body=b"offer 2")) == 500


def test_before_our_first_offer_is_answered() -> None:
    line = Line()
    line.dial()
    line.answer(180)
    assert status_of(update(line, body=b"their offer")) == 491


def test_early_media_change() -> None:
    """RFC 3311 5: the early answer came reliably, so the early dialog takes another offer."""
    line = Line()
    session = line.dial()
    line.answer(183, body=b"answer", Require="100rel", RSeq="1")
    line.settle()
    assert update(line, body=b"offer 2") is None
    session.answer(b"answer 2", line.now)
    line.settle()
    assert (line.peer.statuses[-1], line.peer.responses[-1].body) == (200, b"answer 2")
    line.answer(200)
    assert session.state is State.CONFIRMED


def test_a_call_that_ends() -> None:
    line = Line()
    session = line.established()
    update(line, body=b"offer 2")
    session.end(line.now)
    line.settle()
    assert 487 in line.peer.statuses
    assert status_of(update(line, cseq=9, body=b"offer 3")) == 481
    line.send(response(line.peer.last_request("BYE"), 200))
    assert line.gone()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"body": b"x", "Content_Type": "text/plain"}, 415),
        ({"body": b"x", "Content_Type": None}, 400),
        ({"Session_Expires": "x"}, 400),
        ({"Require": "teleport"}, 420),
    ],
)
def test_what_is_refused(fields: dict[str, Any], status: int) -> None:
    line = Line()
    line.established()
    assert status_of(update(line, **fields)) == status


# Ours


def updating(body: bytes | None = b"offer 2") -> tuple[Line, InviteSession]:
    line = Line()
    session = line.established()
    session.update(body, line.now)
    line.settle()
    return line, session


def test_our_offer_is_answered() -> None:
    line, session = updating()
    assert session.negotiating
    ours = line.peer.last_request("UPDATE")
    assert (ours.body, str(ours.content_type)) == (b"offer 2", "application/sdp")
    assert ours.contact is not None
    line.send(response(ours, 200, body=b"answer 2", Contact="<sip:peer@10.0.0.8>"))
    assert line.event(Answered).body == b"answer 2"
    assert str(session.remote_target) == "sip:peer@10.0.0.8"
    assert not session.negotiating


@pytest.mark.parametrize("status", [488, 491, 500, 504])
def test_our_offer_is_refused(status: int) -> None:
    line, session = updating()
    line.send(response(line.peer.last_request("UPDATE"), status))
    assert line.event(OfferRefused).status == status
    assert session.state is State.CONFIRMED


@pytest.mark.parametrize("status", [408, 481])
def test_the_call_is_not_there_any_more(status: int) -> None:
    line, _ = updating()
    line.send(response(line.peer.last_request("UPDATE"), status))
    assert line.event(Ended).status == status
    assert line.gone()


def test_theirs_crosses_ours() -> None:
    line, _ = updating()
    assert status_of(update(line, body=b"their offer")) == 491
    line.send(line.in_dialog("INVITE", cseq=7, body=b"their offer"))
    assert line.peer.statuses == [491, 491]


def test_when_none_is_possible() -> None:
    line, session = updating()
    with pytest.raises(LocalProtocolError):
        session.update(b"offer 3", line.now)
    line = Line()
    session = line.dial()
    with pytest.raises(LocalProtocolError):
        session.update(b"offer 2", line.now)
    line.answer(180)
    with pytest.raises(LocalProtocolError):
        session.update(b"offer 2", line.now)
    line.answer(183, body=b"answer", Require="100rel", RSeq="1")
    session.update(b"offer 2", line.now)
    line.settle()
    assert line.peer.last_request("UPDATE").body == b"offer 2"
    line = Line()
    session = line.established()
    session.end(line.now)
    with pytest.raises(LocalProtocolError):
        session.update(None, line.now)


def test_a_reinvite_is_not_sent_while_our_update_offers() -> None:
    line, session = updating()
    with pytest.raises(LocalProtocolError):
        session.reinvite(b"offer 3", line.now)
