"""Provisional responses that must arrive (RFC 3262), from both sides."""

from __future__ import annotations

from typing import Any

import pytest
from sip_peer import Line, request, response

from firmware.errors import LocalProtocolError
from firmware.sip.events import Accepted, Confirmed, EarlyAnswer, Ended, Offered, Progress
from firmware.sip.invite import InviteSession, State
from firmware.sip.message import Response


def provisionals(line: Line) -> list[Response]:
    return [answer for answer in line.peer.responses if 100 < answer.status < 200]


def prack(line: Line, rseq: int | None = None, cseq: int = 2, **fields: Any) -> int:
    """Let the peer acknowledge the last provisional response; gives the status of the answer."""
    number = provisionals(line)[-1].rseq if rseq is None else rseq
    line.send(line.in_dialog("PRACK", cseq=cseq, **{"RAck": f"{number} 1 INVITE", **fields}))
    line.settle()
    answers = [answer for answer in line.peer.responses if answer.cseq.method == "PRACK"]
    return answers[-1].status


def ringing(body: bytes = b"offer") -> tuple[Line, InviteSession]:
    """A call of a peer that requires to be sure that it rings."""
    line = Line()
    session = line.incoming(Require="100rel", body=body)
    return line, session


# We are called


def test_it_is_repeated_until_its_prack() -> None:
    """RFC 3262 3: at T1, doubled each time without a bound, over any transport."""
    line, session = ringing()
    session.ring(line.now)
    line.settle(4)
    assert line.peer.times("SIP/2.0 180") == [0, 0.5, 1.5, 3.5]
    first = provisionals(line)[0]
    assert first.require == ("100rel",)
    assert {answer.rseq for answer in provisionals(line)} == {first.rseq}
    assert prack(line) == 200
    line.settle(20)
    assert len(provisionals(line)) == 4
    session.accept(b"answer", line.now)
    line.settle()
    assert line.peer.statuses[-1] == 200
    line.send(line.in_dialog("ACK", cseq=1))
    assert session.state is State.CONFIRMED


def test_nobody_acknowledges() -> None:
    line, session = ringing()
    session.ring(line.now)
    line.settle(33)
    assert line.peer.statuses[-1] == 504
    assert line.event(Ended).session is session
    assert line.gone()


def test_the_next_waits_for_the_prack_of_the_first() -> None:
    line, session = ringing()
    session.ring(line.now)
    session.ring(line.now, 182)
    session.ring(line.now, 183)
    line.settle()
    assert [answer.status for answer in provisionals(line)] == [180]
    assert prack(line) == 200
    first, second = provisionals(line)
    assert second.status == 183, "the latest"
    assert second.rseq == (first.rseq or 0) + 1
    assert prack(line, cseq=3) == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"RAck": None}, 400), ({"RAck": "1"}, 400), ({"RAck": "0 1 INVITE"}, 400), ({"rseq": 5}, 481)],
)
def test_a_prack_for_nothing(fields: dict[str, Any], status: int) -> None:
    line, session = ringing()
    session.ring(line.now)
    line.settle()
    assert prack(line, **fields) == status
    line.settle(0.5)
    assert len(provisionals(line)) == 2, "it still waits"
    rseq = provisionals(line)[-1].rseq or 0
    assert prack(line, cseq=3, RAck=f"{rseq} 2 INVITE") == 481
    assert prack(line, cseq=4, RAck=f"{rseq} 1 UPDATE") == 481
    assert prack(line, cseq=5) == 200
    assert prack(line, cseq=6) == 481, "once only"


def test_a_prack_where_none_was_wanted() -> None:
    line = Line()
    line.incoming(Supported="100rel").ring(line.now)
    line.settle()
    assert "RSeq" not in provisionals(line)[0].headers
    assert prack(line, rseq=1) == 481


def test_the_2xx_ends_the_repetition() -> None:
    """RFC 3262 3: a final response may be sent before the PRACK."""
    line, session = ringing()
    session.ring(line.now)
    session.accept(b"answer", line.now)
    line.settle(0.2)
    line.send(line.in_dialog("ACK", cseq=1))
    line.settle(10)
    assert len(provisionals(line)) == 1


def test_an_invite_without_offer_gets_ours_with_the_ringing() -> None:
    """RFC 3262 5, RFC 6337 table 1, pattern 4: offer in the 180, answer in PRACK."""
    line, session = ringing(body=b"")
    assert session.must_offer
    session.ring(line.now, 180, b"our offer")
    assert not session.must_offer
    line.settle()
    assert provisionals(line)[0].body == b"our offer"
    assert prack(line, body=b"their answer") == 200
    assert line.event(EarlyAnswer).body == b"their answer"
    session.accept(None, line.now)
    line.settle()
    assert (line.peer.responses[-1].status, line.peer.responses[-1].body) == (200, b"")
    line.send(line.in_dialog("ACK", cseq=1))
    assert line.event(Confirmed).body is None


def test_the_2xx_waits_for_the_answer_in_prack() -> None:
    """RFC 3262 5: "the UAS MUST delay sending the 2xx until the provisional response is acknowledged"."""
    line, session = ringing(body=b"")
    session.ring(line.now, 180, b"our offer")
    session.accept(None, line.now)
    line.settle(1)
    assert 200 not in line.peer.statuses
    assert prack(line, body=b"their answer") == 200
    assert [answer.cseq.method for answer in line.peer.responses if answer.status == 200] == ["PRACK", "INVITE"]


@pytest.mark.parametrize("how", ["CANCEL", "hang up", "never"])
def test_a_2xx_that_waits_in_vain(how: str) -> None:
    line, session = ringing(body=b"")
    session.ring(line.now, 180, b"our offer")
    session.accept(None, line.now)
    line.settle()
    if how == "CANCEL":
        line.send(request("CANCEL"))
    elif how == "hang up":
        session.end(line.now)
    line.settle(40)
    status = {"CANCEL": 487, "hang up": 603, "never": 504}[how]
    assert [answer.status for answer in line.peer.responses if answer.cseq.method == "INVITE"][-1] == status
    assert line.gone()


def test_an_offer_in_prack_after_an_early_answer() -> None:
    """RFC 3262 5, RFC 6337 table 1, pattern 5: the 2xx to the PRACK answers."""
    line, session = ringing()
    session.ring(line.now, 183, b"answer")
    line.settle()
    line.send(line.in_dialog("PRACK", RAck=f"{provisionals(line)[0].rseq} 1 INVITE", body=b"offer 2"))
    assert line.event(Offered).body == b"offer 2"
    session.answer(b"answer 2", line.now)
    line.settle()
    assert (line.peer.statuses[-1], line.peer.responses[-1].body) == (200, b"answer 2")


def test_an_offer_in_prack_before_theirs_is_answered() -> None:
    line, session = ringing()
    session.ring(line.now)
    line.settle()
    assert prack(line, body=b"offer 2") == 500


# We call


def provisional(line: Line, status: int = 180, rseq: int = 7, tag: str = "peer", **fields: Any) -> None:
    invite = line.peer.last_request("INVITE")
    line.send(response(invite, status, tag=tag, Require="100rel", RSeq=str(rseq), **fields))


def pracks(line: Line) -> list[tuple[str | None, str, bytes]]:
    """To tag, RAck and body of each."""
    return [
        (each.to.tag, each.headers.get("RAck") or "", each.body)
        for each in line.peer.requests
        if each.method == "PRACK"
    ]


def test_we_say_that_we_can() -> None:
    line = Line()
    line.dial()
    assert "100rel" in line.peer.last_request("INVITE").supported


def test_we_acknowledge_once_and_in_order() -> None:
    """RFC 3262 4."""
    line = Line()
    session = line.dial()
    number = line.peer.last_request("INVITE").cseq.number
    provisional(line, body=b"answer")
    provisional(line, body=b"answer")  # again
    provisional(line, 183, rseq=9)  # before its turn
    provisional(line, 183, rseq=8)
    line.settle()
    assert pracks(line) == [("peer", f"7 {number} INVITE", b""), ("peer", f"8 {number} INVITE", b"")]
    progress = [event for event in line.events if isinstance(event, Progress)]
    assert [(event.status, event.body, event.offered) for event in progress] == [
        (180, b"answer", False),
        (183, None, False),
    ]
    line.answer(200)
    assert line.event(Accepted).body == b"answer"
    assert session.state is State.CONFIRMED
    assert line.peer.last_request("ACK").cseq.number == number
    session.end(line.now)
    line.settle()
    assert line.peer.last_request("BYE").cseq.number == number + 3


def test_each_fork_has_its_own_numbers() -> None:
    line = Line()
    line.dial()
    provisional(line, rseq=7, tag="one")
    provisional(line, rseq=900, tag="two")
    provisional(line, rseq=8, tag="one")
    line.settle()
    assert [(tag, rack.split()[0]) for tag, rack, _ in pracks(line)] == [("one", "7"), ("two", "900"), ("one", "8")]


@pytest.mark.parametrize("fields", [{"RSeq": "0"}, {"RSeq": "x"}, {"RSeq": "4294967296"}, {"Require": ""}])
def test_what_can_not_be_acknowledged_is_not(fields: dict[str, str]) -> None:
    line = Line()
    line.dial()
    invite = line.peer.last_request("INVITE")
    line.send(response(invite, 180, **{"Require": "100rel", "RSeq": "7"} | fields))
    assert pracks(line) == []
    assert line.kinds == ["Progress"]


def test_an_early_offer_is_answered_in_prack() -> None:
    """RFC 6337 table 1, pattern 4, from the other side: nothing is left to say in ACK."""
    line = Line()
    session = line.dial(offer=None)
    provisional(line, 183, body=b"their offer")
    assert (line.event(Progress).body, line.event(Progress).offered) == (b"their offer", True)
    assert pracks(line) == []
    session.answer_early(b"our answer", line.now)
    line.settle()
    assert [body for _, _, body in pracks(line)] == [b"our answer"]
    line.answer(200)
    assert line.event(Accepted).body is None
    assert session.state is State.CONFIRMED
    assert line.peer.last_request("ACK").body == b""
    with pytest.raises(LocalProtocolError):
        session.answer_early(b"again", line.now)


def test_another_fork_answers_than_the_one_with_the_early_offer() -> None:
    line = Line()
    session = line.dial(offer=None)
    provisional(line, 183, tag="one", body=b"offer 1")
    session.answer_early(b"answer 1", line.now)
    line.answer(200, tag="two", body=b"offer 2")
    assert line.event(Accepted).body == b"offer 2"
    session.acknowledge(b"answer 2", line.now)
    line.settle()
    assert line.peer.last_request("ACK").body == b"answer 2"


def test_an_early_offer_that_nobody_answers() -> None:
    line = Line()
    session = line.dial(offer=None)
    provisional(line, 183, body=b"their offer")
    session.end(line.now)
    line.settle()
    assert line.peer.last_request("CANCEL")
    line.answer(487)
    assert line.gone()


@pytest.mark.parametrize("status", [481, 500])
def test_a_prack_that_is_refused_is_no_end(status: int) -> None:
    line = Line()
    session = line.dial()
    provisional(line, body=b"answer")
    line.settle()
    line.send(response(line.peer.last_request("PRACK"), status))
    assert session.state is State.CALLING
    line.answer(200)
    assert session.state is State.CONFIRMED


def test_offers_of_two_forks_are_answered_in_their_order() -> None:
    line = Line()
    session = line.dial(offer=None)
    provisional(line, 183, tag="one", body=b"offer 1")
    provisional(line, 183, tag="two", body=b"offer 2")
    session.answer_early(b"answer 1", line.now)
    session.answer_early(b"answer 2", line.now)
    line.settle()
    assert [(tag, body) for tag, _, body in pracks(line)] == [("one", b"answer 1"), ("two", b"answer 2")]
