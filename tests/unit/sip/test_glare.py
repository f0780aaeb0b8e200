"""Offers that cross (RFC 3261 14.1)."""

from __future__ import annotations

import random

import pytest
from sip_peer import Line
from wire import Wire

from firmware.sansio import Flow
from firmware.sip.events import Answered, Incoming, Offered, OfferRefused
from firmware.sip.glare import MAX_TRIES
from firmware.sip.identity import Identity
from firmware.sip.invite import InviteSession
from firmware.sip.uri import Uri
from firmware.sip.user_agent import UserAgent


def crossed(ours: bool) -> tuple[Line, InviteSession]:
    """A call whose re-INVITE was answered 491."""
    line = Line()
    session = line.established() if ours else line.taken()
    line.peer.received[1:] = []
    session.reinvite(b"offer 2", line.now)
    line.settle()
    line.answer(491, tag="")
    return line, session


def reinvites(line: Line) -> list[bytes]:
    return [message.body for message in line.peer.requests if message.method == "INVITE" and message.to.tag]


@pytest.mark.parametrize(("ours", "least", "most"), [(True, 2.1, 4.0), (False, 0.0, 2.0)])
def test_the_offer_is_sent_again_after_a_time_that_depends_on_who_called(ours: bool, least: float, most: float) -> None:
    line, session = crossed(ours)
    assert not session.negotiating
    start = line.now
    line.settle(least - 0.01 if least else 0.0)
    assert len(reinvites(line)) == 1
    line.settle(start + most - line.now)
    assert reinvites(line)[:2] == [b"offer 2"] * 2
    line.answer(200, tag="", body=b"answer 2")
    assert line.event(Answered).body == b"answer 2"


def test_another_offer_replaces_the_one_that_waits() -> None:
    line, session = crossed(ours=True)
    session.reinvite(b"offer 3", line.now)
    line.settle()
    assert reinvites(line) == [b"offer 2"], "RFC 3261 14.1: not before the time has passed"
    line.settle(4.0)
    assert reinvites(line)[1] == b"offer 3"


def test_an_offer_that_theirs_has_overtaken_is_not_sent() -> None:
    line, session = crossed(ours=True)
    line.send(line.in_dialog("INVITE", body=b"their offer"))
    session.answer(b"our answer", line.now)
    line.settle()
    line.send(line.in_dialog("ACK"))
    line.settle(4.0)
    assert line.event(OfferRefused).status == 491
    assert reinvites(line) == [b"offer 2"]


def test_offers_that_cross_for_ever_are_given_up() -> None:
    line, session = crossed(ours=True)
    for _ in range(MAX_TRIES):
        assert "OfferRefused" not in line.kinds
        line.settle(4.0)
        line.answer(491, tag="")
    assert line.event(OfferRefused).status == 491
    assert len(reinvites(line)) >= MAX_TRIES + 1
    assert session.reinvite(b"offer 4", line.now) is None


def test_a_call_that_ends_meanwhile_offers_nothing() -> None:
    for by_us in (True, False):
        line, session = crossed(ours=True)
        if by_us:
            session.end(line.now)
        else:
            line.send(line.in_dialog("BYE"))
        assert line.gone()
        assert reinvites(line) == [b"offer 2"]


def test_two_user_agents_that_offer_at_the_same_time_agree() -> None:
    a, b = ("10.0.0.1", 5060), ("10.0.0.2", 5060)
    for seed in range(20):
        wire = Wire(delay=0.05)
        agents = [UserAgent(Identity("a"), random.Random(seed)), UserAgent(Identity("b"), random.Random(seed + 99))]

        def react(event: object, wire: Wire = wire) -> None:
            match event:
                case Incoming(session=session):
                    session.accept(b"answer", wire.now)
                case Offered(session=session, body=body):
                    session.answer(b"answer to " + (body or b""), wire.now)

        wire.attach(a, agents[0], react)
        wire.attach(b, agents[1], react)
        ours = agents[0].invite(Flow("udp", a, b), Uri.parse("sip:b@10.0.0.2"), b"offer", wire.now)
        wire.pass_time(1.0)
        [theirs] = agents[1].sessions
        ours.reinvite(b"offer of a", wire.now)
        theirs.reinvite(b"offer of b", wire.now)
        wire.pass_time(10.0)
        events = [*wire.events[a], *wire.events[b]]
        assert next(event.body for event in events if isinstance(event, Answered)) == b"answer to offer of b"
        outcome = [event for event in wire.events[a] if isinstance(event, Answered | OfferRefused)]
        assert len(outcome) == 1, "ours is answered too, or told to be out of date"
        assert not ours.negotiating
        assert not theirs.negotiating


def test_an_offer_that_got_through_starts_the_count_anew() -> None:
    line, session = crossed(ours=True)
    for number in range(MAX_TRIES + 3):
        line.settle(4.0)
        line.answer(200, tag="", body=b"answer")
        session.reinvite(b"offer %d" % number, line.now)
        line.settle()
        line.answer(491, tag="")
    assert "OfferRefused" not in line.kinds
