"""Session timers (RFC 4028): who refreshes, when, and what happens when nobody does."""

from __future__ import annotations

from typing import Any

import pytest
from sip_peer import Line, request, response

from firmware.sip.events import Ended, RefreshDue
from firmware.sip.invite import InviteSession, State
from firmware.sip.message import Request, Response
from firmware.sip.session_timer import INTERVAL, MAX_INTERVAL, raise_interval


def made(session_expires: str | None, **fields: str) -> tuple[Line, InviteSession]:
    """A call that we made, answered with this Session-Expires."""
    line = Line()
    session = line.dial()
    if session_expires is not None:
        fields["Session_Expires"] = session_expires
    line.answer(200, body=b"answer", **fields)
    assert session.state is State.CONFIRMED
    return line, session


def taken(**fields: Any) -> tuple[Line, Response]:
    """A call that we took, and our 2xx."""
    line = Line()
    session = line.incoming(**fields)
    session.accept(b"answer", line.now)
    line.settle()
    accepted = line.peer.responses[-1]
    line.send(line.in_dialog("ACK", cseq=1))
    return line, accepted


def updates(line: Line) -> list[Request]:
    return list({each.cseq.number: each for each in line.peer.requests if each.method == "UPDATE"}.values())


# Who wants what


def test_we_ask_for_it() -> None:
    line = Line()
    line.dial()
    invite = line.peer.last_request("INVITE")
    assert "timer" in invite.supported
    assert invite.headers.get("Session-Expires") == str(INTERVAL)


@pytest.mark.parametrize(
    ("supported", "wanted", "answer", "require"),
    [  # RFC 4028 9, table 2, and the choice that it leaves
        (False, "300", "300;refresher=uas", ()),
        (True, "300", "300;refresher=uac", ("timer",)),
        (True, "300;refresher=uac", "300;refresher=uac", ("timer",)),
        (True, "300;refresher=uas", "300;refresher=uas", ()),
        (True, None, None, ()),
        (False, None, None, ()),
        (False, "20", None, ()),
    ],
)
def test_what_we_answer(supported: bool, wanted: str | None, answer: str | None, require: tuple[str, ...]) -> None:
    _, accepted = taken(Supported="timer" if supported else None, Session_Expires=wanted)
    assert accepted.headers.get("Session-Expires") == answer
    assert accepted.require == require


def test_an_interval_that_is_too_small_for_us() -> None:
    """RFC 4028 9: 422 with Min-SE, also in a call that is up."""
    line = Line()
    line.send(request(body=b"offer", Supported="timer", Session_Expires="60"))
    assert (line.peer.statuses[-1], line.peer.responses[-1].headers.get("Min-SE")) == (422, "90")
    assert line.events == []
    line, _ = made(None)
    for number, method in enumerate(("INVITE", "UPDATE"), 2):
        line.send(line.in_dialog(method, cseq=number, body=b"offer", Supported="timer", Session_Expires="60"))
        assert line.peer.statuses[-1] == 422


@pytest.mark.parametrize("fields", [{"Session_Expires": "x"}, {"Min_SE": "x"}, {"Session_Expires": "99999999999"}])
def test_nonsense(fields: dict[str, str]) -> None:
    line = Line()
    line.send(request(body=b"offer", **fields))
    assert line.peer.statuses == [400]


def test_one_that_is_too_small_for_them() -> None:
    """RFC 4028 7.3: again, in the same call, with as much as they want."""
    line = Line()
    session = line.dial()
    first = line.peer.last_request("INVITE")
    line.send(response(first, 422, Min_SE="3600"))
    again = line.peer.last_request("INVITE")
    assert (again.headers.get("Session-Expires"), again.headers.get("Min-SE")) == ("3600", "3600")
    assert (again.call_id, again.from_.tag) == (first.call_id, first.from_.tag)
    assert again.cseq.number == first.cseq.number + 1
    assert again.via.branch != first.via.branch
    line.answer(200, body=b"answer", Session_Expires="3600;refresher=uac")
    assert session.state is State.CONFIRMED
    assert line.peer.last_request("ACK").cseq.number == again.cseq.number
    line.settle(1801)
    refresh = line.peer.last_request("INVITE" if not updates(line) else "UPDATE")
    assert refresh is again, "the far end knows no UPDATE, and a re-INVITE is the application's"


@pytest.mark.parametrize("least", ["60", str(MAX_INTERVAL + 1), "x", None])
def test_a_422_that_makes_no_sense_ends_the_call(least: str | None) -> None:
    line = Line()
    line.dial()
    line.answer(422, **({"Min_SE": least} if least else {}))
    assert line.event(Ended).status == 422
    assert len([each for each in line.peer.requests if each.method == "INVITE"]) == 1


def test_ever_larger_intervals_come_to_an_end() -> None:
    line = Line()
    line.dial()
    for least in range(2000, 2020):
        line.answer(422, Min_SE=str(least))
    line.settle()
    assert line.event(Ended).status == 422
    assert len([each for each in line.peer.requests if each.method == "INVITE"]) < 10


def test_only_what_was_asked_for_is_raised() -> None:
    assert not raise_interval(request("BYE"), response(request("BYE"), 422, Min_SE="100"))


# We refresh


@pytest.mark.parametrize("way", ["made", "taken"])
def test_by_update(way: str) -> None:
    """RFC 4028 10: after half of the interval, and the role stays as it is."""
    if way == "made":
        line, session = made("200;refresher=uac", Allow="INVITE, UPDATE")
    else:
        line, _ = taken(Session_Expires="200", Allow="INVITE, UPDATE")
        [session] = line.agent.sessions
    line.settle(99)
    assert updates(line) == []
    line.settle(2)
    [first] = updates(line)
    assert first.headers.get("Session-Expires") == "200;refresher=uac"
    assert first.body == b""
    line.send(response(first, 200, Session_Expires="200;refresher=uac", Require="timer"))
    line.settle(101)
    assert len(updates(line)) == 2
    assert session.state is State.CONFIRMED


def test_by_reinvite_where_the_far_end_has_no_update() -> None:
    line, session = made("200;refresher=uac", Allow="INVITE, ACK, BYE")
    line.settle(101)
    assert line.event(RefreshDue).session is session
    session.reinvite(b"the same", line.now)
    line.settle()
    again = line.peer.last_request("INVITE")
    assert again.headers.get("Session-Expires") == "200;refresher=uac"
    line.answer(200, body=b"the same", Session_Expires="200;refresher=uac")
    line.settle(101)
    assert line.kinds.count("RefreshDue") == 2
    assert session.state is State.CONFIRMED


def test_what_changes_the_session_refreshes_it() -> None:
    line, session = made("200;refresher=uac", Allow="UPDATE")
    line.settle(90)
    session.reinvite(b"offer 2", line.now)
    line.settle()
    line.answer(200, body=b"answer 2", Session_Expires="200;refresher=uac")
    line.settle(90)
    assert updates(line) == []


def test_a_refresh_that_is_refused_is_tried_again_and_then_the_call_ends() -> None:
    line, session = made("200;refresher=uac", Allow="UPDATE")
    line.settle(101)
    line.send(response(updates(line)[-1], 500))
    line.settle(50)
    assert len(updates(line)) == 2
    line.send(response(updates(line)[-1], 500))
    assert session.state is State.CONFIRMED
    line.settle(20)
    assert line.event(Ended).status == 408
    assert line.peer.last_request("BYE").headers.get("Reason") == 'SIP;cause=408;text="Session Timer Expired"'
    assert line.gone()


def test_a_refresh_that_is_too_small_by_now() -> None:
    line, _ = made("200;refresher=uac", Allow="UPDATE")
    line.settle(101)
    line.send(response(updates(line)[-1], 422, Min_SE="400"))
    again = updates(line)[-1]
    assert (again.headers.get("Session-Expires"), again.headers.get("Min-SE")) == ("400;refresher=uac", "400")
    line.send(response(again, 200, Session_Expires="400;refresher=uac"))
    line.settle(201)
    assert updates(line)[-1].headers.get("Min-SE") == "400", "RFC 4028 7.4: the largest that was heard"


def test_the_far_end_drops_the_timer() -> None:
    line, session = made("200;refresher=uac", Allow="UPDATE")
    line.settle(101)
    line.send(response(updates(line)[-1], 200))
    line.settle(1000)
    assert len(updates(line)) == 1
    assert session.state is State.CONFIRMED


def test_a_far_end_that_does_not_say_who_refreshes() -> None:
    line, _ = made("200", Allow="UPDATE")
    line.settle(101)
    assert len(updates(line)) == 1


def test_no_faster_than_the_standard_allows() -> None:
    line, _ = made("1;refresher=uac", Allow="UPDATE")
    line.settle(44)
    assert updates(line) == []
    line.settle(2)
    assert len(updates(line)) == 1


# The far end refreshes


def test_nobody_refreshes() -> None:
    """RFC 4028 10: BYE a third of the interval, at most 32 s, before the end."""
    line, session = made("300;refresher=uas")
    line.settle(267)
    assert session.state is State.CONFIRMED
    line.settle(2)
    assert line.event(Ended).status == 408
    assert line.peer.last_request("BYE")
    assert line.gone()


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_they_refresh(method: str) -> None:
    line, session = made("300;refresher=uas")
    line.settle(150)
    fields = {"Supported": "timer", "Session_Expires": "300;refresher=uac", "Contact": "<sip:peer@10.0.0.2>"}
    line.send(line.in_dialog(method, body=b"the same" if method == "INVITE" else b"", **fields))
    if method == "INVITE":
        session.answer(b"the same", line.now)
        line.settle()
    assert line.peer.responses[-1].headers.get("Session-Expires") == "300;refresher=uac"
    if method == "INVITE":
        line.send(line.in_dialog("ACK"))
    line.settle(260)
    assert session.state is State.CONFIRMED
    line.settle(20)
    assert session.state is State.ENDED


def test_they_drop_the_timer() -> None:
    line, session = made("300;refresher=uas")
    line.send(line.in_dialog("UPDATE", Contact="<sip:peer@10.0.0.2>"))
    assert "Session-Expires" not in line.peer.responses[-1].headers
    line.settle(1000)
    assert session.state is State.CONFIRMED


def test_a_call_that_ends_takes_its_timer_along() -> None:
    line, _ = made("300;refresher=uas")
    line.send(line.in_dialog("BYE"))
    assert line.gone(0.0) or line.gone(40)
    assert line.agent.sizes["timers"] == 0


@pytest.mark.parametrize("status", [405, 501])
def test_a_far_end_that_allows_update_and_does_not_know_it(status: int) -> None:
    line, session = made("200;refresher=uac", Allow="UPDATE")
    line.settle(101)
    line.send(response(updates(line)[-1], status))
    assert line.event(RefreshDue).session is session
    session.reinvite(b"the same", line.now)
    line.settle()
    line.answer(200, body=b"the same", Session_Expires="200;refresher=uac")
    line.settle(101)
    assert line.kinds.count("RefreshDue") == 2
    assert len(updates(line)) == 1
