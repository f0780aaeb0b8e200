"""The far end's INVITE: what we answer, how often, and what happens when nobody takes it."""

from __future__ import annotations

import pytest
from sip_peer import Line, request

from firmware.errors import LocalProtocolError
from firmware.sip.events import Confirmed, Ended, Incoming
from firmware.sip.invite import State
from firmware.sip.invite_server import ANSWER_LIMIT


def test_a_call_comes_rings_and_is_taken() -> None:
    line = Line()
    session = line.incoming(Record_Route="<sip:10.0.0.2;lr>, <sip:10.0.0.3;lr>")
    incoming = line.event(Incoming)
    assert incoming.offer == b"offer"
    assert (str(session.remote.uri), session.call_id) == ("sip:peer@10.0.0.2", "call@peer")
    assert str(session.remote_target) == "sip:peer@10.0.0.2:5060"
    session.ring(line.now)
    session.accept(b"answer", line.now)
    line.settle()
    ringing, accepted = line.peer.responses
    assert (ringing.status, accepted.status) == (180, 200)
    assert ringing.to.tag == accepted.to.tag
    for answer in (ringing, accepted):
        assert answer.contact is not None
        assert str(answer.contact.uri) == "sip:room@10.0.0.1:5060"
        assert [str(route) for route in answer.record_routes] == ["<sip:10.0.0.2;lr>", "<sip:10.0.0.3;lr>"]
    assert (ringing.body, accepted.body) == (b"", b"answer")
    assert "INVITE" in accepted.allow
    assert session.state is State.ACCEPTED
    line.send(line.in_dialog("ACK", cseq=1))
    assert line.event(Confirmed).body is None
    assert session.state is State.CONFIRMED


def test_an_invite_without_offer_gets_ours_and_the_answer_comes_in_ack() -> None:
    line = Line()
    session = line.incoming(body=b"")
    assert line.event(Incoming).offer is None
    session.accept(b"our offer", line.now)
    line.settle()
    assert line.peer.responses[-1].body == b"our offer"
    line.send(line.in_dialog("ACK", cseq=1, body=b"their answer"))
    assert line.event(Confirmed).body == b"their answer"


def test_the_2xx_is_repeated_until_its_ack_comes() -> None:
    """RFC 3261 13.3.1.4: at T1, doubling up to T2, over any transport."""
    for transport in ("udp", "tcp"):
        line = Line(transport)
        if transport == "tcp":
            line.peer.flows.append(line.peer.connect())
        start = line.now
        session = line.incoming()
        session.accept(b"answer", line.now)
        line.settle(12)
        times = [time - start for time in line.peer.times("SIP/2.0 200")]
        assert times == pytest.approx([0, 0.5, 1.5, 3.5, 7.5, 11.5])
        line.send(line.in_dialog("ACK", cseq=1))
        line.settle(60)
        assert len(line.peer.statuses) == 6
        assert session.state is State.CONFIRMED


def test_a_2xx_that_nobody_acknowledges_ends_with_bye_after_32_seconds() -> None:
    line = Line()
    session = line.incoming()
    session.accept(b"answer", line.now)
    line.settle(31.9)
    assert not line.peer.requests
    line.settle(0.1)
    assert [message.method for message in line.peer.requests] == ["BYE"]
    ended = line.event(Ended)
    assert (ended.status, ended.by_far_end) == (408, True)
    assert line.gone()


def test_an_ack_of_another_cseq_or_dialog_confirms_nothing() -> None:
    line = Line()
    session = line.incoming()
    session.accept(b"answer", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=2))
    line.send(line.in_dialog("ACK", cseq=1, to_tag="other"))
    assert session.state is State.ACCEPTED
    assert line.agent.counters["stray ACK"] == 1


def test_an_ack_with_the_branch_of_the_invite_confirms() -> None:
    """A peer of RFC 2543 has no branch; some newer ones take the INVITE's again (RFC 6026 7.1)."""
    for branch in ("", "z9hG4bKsame"):
        line = Line()
        session = line.incoming(branch=branch)
        session.accept(b"answer", line.now)
        line.settle()
        line.send(line.in_dialog("ACK", cseq=1, branch=branch))
        assert session.state is State.CONFIRMED, branch


def test_repeated_acks_are_nothing_new() -> None:
    line = Line()
    line.taken()
    line.send(line.in_dialog("ACK", cseq=1))
    line.send(line.in_dialog("ACK", cseq=1))
    assert line.kinds == ["Incoming", "Confirmed"]


def test_ringing_is_repeated_every_minute() -> None:
    """RFC 3261 13.3.1.1."""
    line = Line()
    line.incoming().ring(line.now)
    line.settle(170)
    assert line.peer.times("SIP/2.0 180") == [0, 60, 120]
    line = Line()
    line.incoming().ring(line.now, 183, b"early answer")
    line.settle(60)
    assert [(answer.status, answer.body) for answer in line.peer.responses] == [(183, b"early answer")] * 2


@pytest.mark.parametrize(("expires", "seconds", "status"), [(None, ANSWER_LIMIT, 480), ("20", 20, 487), ("0", 0, 487)])
def test_a_call_that_nobody_takes_ends(expires: str | None, seconds: float, status: int) -> None:
    line = Line()
    session = line.incoming(Expires=expires)
    if seconds:
        line.settle(seconds - 1)
        assert session.state is State.INCOMING
        line.settle(1)
    assert line.peer.statuses[-1] == status
    assert line.event(Ended).status == status
    assert line.gone()


def test_a_far_expiry_does_not_let_it_ring_longer() -> None:
    line = Line()
    line.incoming(Expires="4294967295")
    line.settle(ANSWER_LIMIT)
    assert line.event(Ended).status == 480


@pytest.mark.parametrize("status", [302, 415, 486, 488, 603])
def test_a_call_is_rejected(status: int) -> None:
    line = Line()
    session = line.incoming()
    session.reject(status, line.now, "Not Now")
    line.settle()
    assert (line.peer.responses[-1].status, line.peer.responses[-1].reason) == (status, "Not Now")
    ended = line.event(Ended)
    assert (ended.status, ended.reason, ended.by_far_end) == (status, "Not Now", False)
    line.send(request("ACK", to_tag=line.peer.responses[-1].to.tag or ""))
    assert line.gone(10)


# CANCEL, RFC 3261 9.2


def test_a_reason_that_is_none_refuses_nothing() -> None:
    line = Line()
    session = line.incoming()
    with pytest.raises(LocalProtocolError):
        session.reject(486, line.now, "Busy\r\nHere")
    assert session.state is State.INCOMING
    line.settle(180)
    assert line.event(Ended).status == 480, "it still ends by itself"
    assert line.gone()


def test_cancel_ends_a_call_that_rings() -> None:
    line = Line()
    session = line.incoming()
    session.ring(line.now)
    line.send(request("CANCEL", Reason='SIP;cause=200;text="Call completed elsewhere"'))
    assert [(answer.status, answer.cseq.method) for answer in line.peer.responses] == [
        (180, "INVITE"),
        (200, "CANCEL"),
        (487, "INVITE"),
    ]
    assert len({answer.to.tag for answer in line.peer.responses}) == 1
    ended = line.event(Ended)
    assert (ended.status, ended.by_far_end) == (487, True)
    assert "Call completed elsewhere" in ended.reason
    with pytest.raises(LocalProtocolError):
        session.accept(b"answer", line.now)
    line.send(request("ACK", to_tag=line.peer.responses[-1].to.tag or ""))
    assert line.gone()


def test_a_cancel_that_comes_too_late_changes_nothing() -> None:
    line = Line()
    session = line.incoming()
    session.accept(b"answer", line.now)
    line.settle()
    line.send(request("CANCEL"))
    assert [(answer.status, answer.cseq.method) for answer in line.peer.responses] == [
        (200, "INVITE"),
        (200, "CANCEL"),
    ]
    assert session.state is State.ACCEPTED


def test_a_cancel_of_nothing_is_481() -> None:
    line = Line()
    line.send(request("CANCEL"))
    assert line.peer.statuses == [481]
    line.incoming()
    line.send(request("CANCEL", branch="z9hG4bKother"))
    assert line.peer.statuses == [481, 481]


def test_a_cancel_of_rfc_2543_finds_its_invite() -> None:
    line = Line()
    line.incoming(branch="1")
    line.send(request("CANCEL", branch="1"))
    assert line.peer.statuses == [200, 487]


def test_bye_of_the_caller_ends_a_call_that_rings() -> None:
    """RFC 3261 15.1.2: 200 to the BYE, 487 to the INVITE."""
    line = Line()
    line.incoming().ring(line.now)
    line.settle()
    line.send(line.in_dialog("BYE"))
    assert [(answer.status, answer.cseq.method) for answer in line.peer.responses][1:] == [
        (200, "BYE"),
        (487, "INVITE"),
    ]
    assert line.kinds == ["Incoming", "Ended"]
    assert line.gone()


def test_the_callee_sends_no_bye_before_the_ack() -> None:
    """RFC 3261 15: not before the ACK, or until the transaction times out."""
    line = Line()
    session = line.incoming()
    session.accept(b"answer", line.now)
    session.end(line.now)
    line.settle(10)
    assert not line.peer.requests
    line.send(line.in_dialog("ACK", cseq=1))
    assert [message.method for message in line.peer.requests] == ["BYE"]
    line = Line()
    session = line.incoming()
    session.accept(b"answer", line.now)
    session.end(line.now)
    line.settle(32)
    assert line.peer.requests[0].method == "BYE"
    assert line.gone()
    assert line.event(Ended).by_far_end is False


@pytest.mark.parametrize("status", [100, 200, 700])
def test_a_status_that_is_none_of_its_kind_is_refused(status: int) -> None:
    session = Line().incoming()
    with pytest.raises(LocalProtocolError):
        session.ring(0.0, status)
    if status != 700:
        with pytest.raises(LocalProtocolError):
            session.reject(status, 0.0)
    assert session.state is State.INCOMING


def test_a_bye_before_the_ack_stops_the_2xx() -> None:
    line = Line()
    session = line.incoming()
    session.accept(b"answer", line.now)
    line.settle()
    line.send(line.in_dialog("BYE"))
    line.settle(40)
    assert [(answer.status, answer.cseq.method) for answer in line.peer.responses] == [(200, "INVITE"), (200, "BYE")]
    assert line.kinds == ["Incoming", "Ended"]
    assert not line.peer.requests
