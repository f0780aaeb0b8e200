"""Many calls between two user agents over a network that loses, repeats and reorders: all end well, nothing is left."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from wire import Wire

from firmware.errors import LocalProtocolError
from firmware.sansio import Action, Address, Flow, Send
from firmware.sip import session_timer
from firmware.sip.events import (
    Accepted,
    Confirmed,
    EarlyAnswer,
    Ended,
    Incoming,
    Info,
    Offered,
    Progress,
    ReferProgress,
    Referred,
    RefreshDue,
)
from firmware.sip.identity import Identity
from firmware.sip.invite import InviteSession, State
from firmware.sip.uri import Uri
from firmware.sip.user_agent import UserAgent

A: Address = ("10.0.0.1", 5060)
THIRD = Uri.parse("sip:third@10.0.0.3")
B: Address = ("10.0.0.2", 5060)


class Repeating(UserAgent):
    """A user agent before a network that delivers some datagrams twice."""

    def __init__(self, identity: Identity, rng: random.Random, share: float) -> None:
        super().__init__(identity, rng)
        self.rng, self.share = rng, share

    def actions(self) -> list[Action]:
        actions = super().actions()
        return actions + [each for each in actions if isinstance(each, Send) and self.rng.random() < self.share]


class Calls:
    """Two user agents, and people at both ends who do as chance says."""

    def __init__(self, seed: int, transport: str, lost: float, reorder: float) -> None:
        self.rng = random.Random(seed)
        self.wire = Wire(delay=0.03, lost=lambda *_: self.rng.random() < lost, reorder=reorder, seed=seed)
        self.transport = transport
        identity = Identity("unit", max_sessions=1000, max_transactions=10_000)
        share = 0.1 if transport == "udp" else 0.0
        self.agents = {at: Repeating(identity, random.Random(f"{seed} {at}"), share) for at in (A, B)}
        self.sessions: dict[Address, dict[str, InviteSession]] = {A: {}, B: {}}
        self.later: list[tuple[float, Callable[[], None]]] = []
        for at, agent in self.agents.items():
            self.wire.attach(at, agent, lambda event, at=at: self.react(at, event))

    def dial(self) -> None:
        caller, callee = (A, B) if self.rng.random() < 0.5 else (B, A)
        target = Uri.parse(f"sip:unit@{callee[0]};transport={self.transport}")
        offer = b"offer" if self.rng.random() < 0.8 else None
        flow = Flow(self.transport, caller, callee)
        fields = [("Require", "100rel")] if self.rng.random() < 0.3 else []
        session = self.agents[caller].invite(flow, target, offer, self.wire.now, fields=fields)
        self.sessions[caller][session.call_id] = session
        if self.rng.random() < 0.3:
            self.plan(self.rng.choice([0.01, 0.1, 0.2, 3.0]), lambda: session.end(self.wire.now))

    def react(self, at: Address, event: Any) -> None:
        match event:
            case Incoming(session=session):
                assert session.call_id not in self.sessions[at]
                self.sessions[at][session.call_id] = session
                self.taken(session)
            case Accepted(session=session):
                if session.state is State.ACCEPTED or session.negotiating:
                    session.acknowledge(b"answer", self.wire.now)
                self.disturb(session)
            case Confirmed(session=session):
                self.disturb(session)
            case Referred() | ReferProgress():
                self.transfer(event)
            case Progress(session=session, offered=True):
                session.answer_early(b"answer", self.wire.now)
            case RefreshDue(session=session):
                self.plan(0.0, lambda: session.reinvite(b"description", self.wire.now))
            case Offered(session=session):
                if self.rng.random() < 0.8:
                    session.answer(b"description", self.wire.now)
                else:
                    session.refuse_offer(488, self.wire.now)

    def transfer(self, event: Referred | ReferProgress) -> None:
        session = event.session
        if isinstance(event, ReferProgress):
            if 200 <= event.status < 300:
                session.end(self.wire.now)
        elif self.rng.random() < 0.3:
            session.referral.refuse(603, self.wire.now)
        else:
            session.referral.accept(self.wire.now)
            status = self.rng.choice([200, 486, 180])
            self.plan(1.0, lambda: session.referral.notify(status, self.wire.now))

    def taken(self, session: InviteSession) -> None:
        """Take a call, or don't, or wait until it is too late."""
        choice = self.rng.random()
        early = session.must_offer
        if choice < 0.5 and (early or self.rng.random() < 0.3):
            session.ring(self.wire.now, 183, b"early")
        elif choice < 0.5:
            session.ring(self.wire.now)
        if choice < 0.85:
            body = None if early and choice < 0.5 else b"description"
            delay = self.rng.choice([0.0, 0.05, 2.0])
            self.plan(delay, lambda: session.accept(body, self.wire.now))
        elif choice < 0.95:
            self.plan(0.1, lambda: session.reject(486, self.wire.now))

    def disturb(self, session: InviteSession) -> None:
        """Do something in a call that is up."""
        delay = self.rng.uniform(0.0, 5.0)
        match self.rng.randrange(10):
            case 0:
                self.plan(delay, lambda: session.reinvite(b"offer", self.wire.now))
            case 1:
                self.plan(delay, lambda: session.reinvite(None, self.wire.now))
            case 2:
                self.plan(delay, lambda: session.info("application/dtmf", b"5", self.wire.now))
            case 3:
                self.plan(delay, lambda: session.end(self.wire.now))
            case 4:
                self.plan(delay, lambda: session.update(b"offer", self.wire.now))
            case 5:
                self.plan(delay, lambda: session.update(None, self.wire.now))
            case 6:
                self.plan(delay, lambda: session.referral.refer(THIRD, self.wire.now))

    def plan(self, delay: float, do: Callable[[], None]) -> None:
        self.later.append((self.wire.now + delay, do))

    def run(self, until: float) -> None:
        while self.wire.now < until:
            due = [entry for entry in self.later if entry[0] <= self.wire.now]
            self.later = [entry for entry in self.later if entry[0] > self.wire.now]
            for _, do in due:
                try:
                    do()
                except LocalProtocolError:
                    continue  # The call has moved on meanwhile; that is what the error is for.
            self.wire.pass_time(0.05)

    def events(self, kind: type) -> list[Any]:
        return [event for at in (A, B) for event in self.wire.events[at] if isinstance(event, kind)]


@pytest.mark.parametrize(
    ("transport", "lost", "reorder"), [("udp", 0.0, 0.0), ("udp", 0.2, 0.2), ("udp", 0.4, 1.0), ("tcp", 0.0, 0.0)]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_two_hundred_calls_leave_nothing_behind(
    seed: int, transport: str, lost: float, reorder: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_timer, "INTERVAL", 100)
    calls = Calls(seed, transport, lost, reorder)
    for number in range(200):
        calls.dial()
        calls.run(0.2 * (number + 1))
    calls.run(300.0)

    # Every call that is still up is up at both ends, and both mean the same one.
    up = {at: {one.call_id for one in calls.agents[at].sessions} for at in (A, B)}
    assert up[A] == up[B]
    assert all(one.state is State.CONFIRMED for agent in calls.agents.values() for one in agent.sessions)
    assert len(up[A]) >= 20, "some calls must have survived to prove anything"

    for at in (A, B):
        for session in calls.agents[at].sessions:
            if calls.rng.random() < 0.7:
                session.end(calls.wire.now)
    calls.run(400.0)
    for agent in calls.agents.values():
        for session in agent.sessions:
            session.end(calls.wire.now)
    calls.run(500.0)
    for agent in calls.agents.values():
        assert agent.sizes == {"sessions": 0, "dialogs": 0, "transactions": 0, "timers": 0}
        harmless = {"stray response", "stray ACK", "refused 481", "refused 491", "refused 500"}
        assert set(agent.counters) <= {*harmless, "late copy of an INVITE"}

    ended = Counter(id(event.session) for event in calls.events(Ended))
    assert set(ended.values()) == {1}, "exactly one Ended for each"
    assert len(ended) == sum(len(sessions) for sessions in calls.sessions.values())
    assert all(session.state is State.ENDED for sessions in calls.sessions.values() for session in sessions.values())
    assert calls.events(Info)
    assert calls.events(Offered)
    assert calls.events(EarlyAnswer)
    assert calls.events(Referred)
    assert any(event.status >= 200 for event in calls.events(ReferProgress))


def test_hostile_bytes_never_raise_and_never_end_a_call() -> None:
    """Damaged copies of real messages, to both ends of a call that is up."""
    calls = Calls(3, "udp", 0.0, 0.0)
    session = calls.agents[A].invite(Flow("udp", A, B), Uri.parse("sip:unit@10.0.0.2"), b"offer", 0.0)
    calls.wire.pass_time(0.05)
    [theirs] = calls.agents[B].sessions
    if theirs.state is State.INCOMING:
        theirs.accept(b"answer", calls.wire.now)
    calls.wire.pass_time(1.0)
    assert session.state is theirs.state is State.CONFIRMED
    session.info("application/dtmf", b"5", calls.wire.now)
    calls.wire.pass_time(1.0)
    calls.wire.on_event.clear()
    messages = [data for _, _, data in calls.wire.sent]
    rng = random.Random(4)
    for _ in range(4000):
        data = bytearray(rng.choice(messages))
        for _ in range(rng.randint(1, 8)):
            position = rng.randrange(len(data))
            match rng.randrange(3):
                case 0:
                    data[position] = rng.randrange(256)
                case 1:
                    del data[position : position + rng.randrange(20)]
                case _:
                    data[position:position] = rng.choice([b"\r\n", b";", b",", b"<", b'"', b"\x00", b"\xff", b":" * 9])
            if not data:
                break
        # From an address of its own: what it is answered goes nowhere.
        at = rng.choice([A, B])
        calls.agents[at].receive_data(Flow("udp", at, ("10.0.0.66", 5060)), bytes(data), calls.wire.now)
        calls.wire.pass_time(0.01)
    assert session.state is theirs.state is State.CONFIRMED
    session.end(calls.wire.now)
    calls.wire.pass_time(600.0)
    assert theirs.state is State.ENDED
    for agent in calls.agents.values():
        assert not any(agent.sizes.values()), "nothing of it stays, and nobody answered the calls it made"
