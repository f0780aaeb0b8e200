"""What is asked in a call's dialogs, and what is allowed there when."""

from __future__ import annotations

import pytest
from sip_peer import Line, response

from firmware.sip.events import Ended, Offered

REFER_TO = "<sip:carol@10.0.0.3>"


def asked(line: Line, method: str) -> int:
    """Let the peer ask something that only a call can be asked; gives the status of the last answer."""
    fields = {"Refer_To": REFER_TO} if method == "REFER" else {}
    fields |= {"Event": "refer", "Subscription_State": "active"} if method == "NOTIFY" else {}
    line.send(line.in_dialog(method, cseq=50, body=b"offer 2" if method in ("INVITE", "UPDATE") else b"", **fields))
    return line.peer.statuses[-1]


@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "REFER", "NOTIFY"])
def test_a_call_that_ends_is_asked_nothing_more(method: str) -> None:
    line = Line()
    session = line.established()
    session.end(line.now)
    line.settle()
    assert session.ending
    assert asked(line, method) == 481
    line.send(response(line.peer.last_request("BYE"), 200, tag=""))
    assert line.kinds[-1] == "Ended"


@pytest.mark.parametrize("method", ["REFER", "NOTIFY"])
def test_a_call_that_only_rings_is_not_transferred(method: str) -> None:
    line = Line()
    line.dial()
    line.answer(180)
    assert asked(line, method) == 491


def test_a_call_is_up_from_its_2xx_to_its_end() -> None:
    line = Line()
    session = line.incoming()
    assert not session.up
    session.accept(b"answer", line.now)
    assert session.up, "its ACK is not needed to be passed on"
    line.settle()
    line.send(line.in_dialog("BYE"))
    assert not session.up
    assert line.event(Ended).by_far_end


def test_prack_where_nothing_was_provisional_is_481() -> None:
    line = Line()
    line.taken()
    line.send(line.in_dialog("PRACK", RAck="1 1 INVITE"))
    assert line.peer.statuses[-1] == 481


@pytest.mark.parametrize("ours", ["reinvite", "update"])
def test_there_is_one_offer_at_a_time_whatever_carries_it(ours: str) -> None:
    line = Line()
    session = line.established()
    getattr(session, ours)(b"offer 2", line.now)
    line.settle()
    assert session.negotiating
    assert asked(line, "INVITE") == 491
    assert "Offered" not in line.kinds
    line.send(response(line.peer.last_request(ours.removeprefix("re").upper()), 200, tag="", body=b"answer 2"))
    assert not session.negotiating
    line.send(line.in_dialog("INVITE", cseq=51, body=b"offer 3"))
    assert line.event(Offered).body == b"offer 3"


def test_what_was_under_way_is_brought_to_an_end_with_the_call() -> None:
    line = Line()
    session = line.taken()
    line.send(line.in_dialog("UPDATE", body=b"offer 2"))
    line.send(line.in_dialog("REFER", cseq=3, Refer_To=REFER_TO))
    session.end(line.now)
    line.settle()
    assert sorted(line.peer.statuses[-2:]) == [481, 487]
    assert line.gone()
