"""Whose place an INVITE may take (RFC 3891 3)."""

from __future__ import annotations

from typing import Any

import pytest
from sip_peer import Line, request

from firmware.sip.events import Incoming
from firmware.sip.invite import InviteSession, State


def tags(line: Line) -> tuple[str, str, str]:
    """Call-ID, our tag and the peer's of the call that there is."""
    message = line.in_dialog("BYE")
    return message.call_id, message.to.tag or "", message.from_.tag or ""


def invite_instead(line: Line, replaces: str, **fields: Any) -> int | None:
    """Let another caller have his INVITE; gives the status it is answered with."""
    before = len(line.peer.responses)
    line.send(
        request(
            call_id="other@peer", from_tag="other", branch="z9hG4bKother", body=b"offer", Replaces=replaces, **fields
        )
    )
    line.settle()
    statuses = [answer.status for answer in line.peer.responses[before:] if answer.status > 100]
    return statuses[-1] if statuses else None


def incoming(line: Line) -> Incoming:
    return [event for event in line.events if isinstance(event, Incoming)][-1]


@pytest.mark.parametrize("ours", [True, False], ids=["that we made", "that we took"])
def test_a_call_that_is_up(ours: bool) -> None:
    line = Line()
    session = line.established() if ours else line.taken()
    call_id, mine, theirs = tags(line)
    assert invite_instead(line, f"{call_id};to-tag={mine};from-tag={theirs}") is None
    assert incoming(line).replaces is session
    assert session.state is State.CONFIRMED, "whose end is the application's matter"


def test_a_call_of_ours_that_rings_there() -> None:
    line = Line()
    session = line.dial()
    line.answer(180)
    call_id, mine, theirs = tags(line)
    assert invite_instead(line, f"{call_id};to-tag={mine};from-tag={theirs};early-only") is None
    assert incoming(line).replaces is session


def test_a_call_that_rings_here() -> None:
    line = Line()
    line.incoming().ring(line.now)
    line.settle()
    call_id, mine, theirs = tags(line)
    assert invite_instead(line, f"{call_id};to-tag={mine};from-tag={theirs}") == 481


@pytest.mark.parametrize(
    ("change", "status"),
    [("early-only", 486), ("to-tag", 481), ("from-tag", 481), ("call-id", 481), ("nonsense", 400), ("Join", 400)],
)
def test_what_is_refused(change: str, status: int) -> None:
    line = Line()
    session = line.established()
    call_id, mine, theirs = tags(line)
    value = f"{call_id};to-tag={mine};from-tag={theirs}"
    value = {
        "early-only": f"{value};early-only",
        "to-tag": value.replace(mine, "x"),
        "from-tag": value.replace("from-tag=peer", "from-tag=x"),
        "call-id": f"x{value}",
        "nonsense": call_id,
    }.get(change, value)
    assert invite_instead(line, value, **{"Join": value} if change == "Join" else {}) == status
    assert session.state is State.CONFIRMED
    assert line.kinds.count("Incoming") == 0


@pytest.mark.parametrize(("scheme", "status"), [("sip", 403), ("sips", None)])
def test_a_call_by_sips_is_replaced_by_sips_only(scheme: str, status: int | None) -> None:
    line = Line("tls")
    session = line.incoming(uri="sips:room@10.0.0.1")
    session.accept(b"answer", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=1))
    assert session.secure
    call_id, mine, theirs = tags(line)
    replaces = f"{call_id};to-tag={mine};from-tag={theirs}"
    assert invite_instead(line, replaces, uri=f"{scheme}:room@10.0.0.1", transport="TLS") == status


@pytest.mark.parametrize("done", [True, False], ids=["over", "about to end"])
def test_a_call_that_has_ended(done: bool) -> None:
    line = Line()
    session = line.established()
    call_id, mine, theirs = tags(line)
    end(line, session, done=done)
    assert invite_instead(line, f"{call_id};to-tag={mine};from-tag={theirs}") == 603


def end(line: Line, session: InviteSession, *, done: bool) -> None:
    if done:
        line.send(line.in_dialog("BYE"))
    else:
        session.end(line.now)
        line.settle()
    assert session.state is (State.ENDED if done else State.ENDING)


def test_the_tag_of_a_peer_of_rfc_2543() -> None:
    line = Line()
    session = line.dial()
    line.answer(200, body=b"answer", tag="")
    call_id, mine, _ = tags(line)
    assert invite_instead(line, f"{call_id};to-tag={mine};from-tag=0") is None
    assert incoming(line).replaces is session


def test_an_invite_that_says_nothing() -> None:
    line = Line()
    line.established()
    line.incoming(call_id="other@peer", branch="z9hG4bKother")
    assert incoming(line).replaces is None
