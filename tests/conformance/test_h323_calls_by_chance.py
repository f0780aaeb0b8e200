"""Two terminals that do what they like, when they like: whatever the order, every call ends once and leaves nothing."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from h323_terminals import CAPABILITIES, Bench, Party, proposal

from firmware.errors import LocalProtocolError
from firmware.h323 import events
from firmware.h323.identity import Destination
from firmware.h323.session import Session
from firmware.sansio import Flow

DATA = ("audioData", ("g711Alaw64k", 20))
PARAMETERS = {"sessionID": 1}


class Player:
    """One side, which does something by chance to one of its calls."""

    def __init__(self, bench: Bench, party: Party, other: Party, rng: random.Random) -> None:
        self.bench, self.party, self.other, self.rng = bench, party, other, rng
        self.done: Counter[str] = Counter()

    def move(self) -> None:
        now, rng = self.bench.wire.now, self.rng
        sessions = self.party.terminal.sessions
        session = rng.choice(sessions) if sessions else None
        what = rng.choices(("call", "alert", "accept", "release", "control", "lose"), (2, 4, 4, 1, 3, 0.2))[0]
        try:
            if what == "call":
                self.call()
            elif session is not None:
                self.command(what, session, now)
            self.done[what] += 1
        except LocalProtocolError:
            self.done["refused"] += 1

    def call(self) -> None:
        rng = self.rng
        self.party.terminal.call(
            Flow("tcp", self.party.address, self.other.address),
            Destination(),
            self.bench.wire.now,
            capabilities=CAPABILITIES,
            fast_start=[proposal(1, 5000)] if rng.random() < 0.5 else [],
            tunnelling=rng.random() < 0.5,
            h245_in_setup=rng.random() < 0.5,
        )

    def command(self, what: str, session: Session, now: float) -> None:
        rng = self.rng
        chosen = [proposal(1, 6000)] if rng.random() < 0.5 else []
        match what:
            case "alert":
                session.alert(now, fast_start=chosen)
            case "accept":
                session.accept(CAPABILITIES, now, fast_start=chosen)
            case "release":
                session.release(rng.choice((16, 17, 21)), now)
            case "control":
                rng.choice(
                    (
                        lambda: session.control.open_channel(DATA, PARAMETERS, now),
                        lambda: session.control.close_channel(rng.randrange(1, 5), now),
                        lambda: session.control.request_close(rng.randrange(1, 5), now),
                        lambda: session.control.request_key_frame(rng.randrange(1, 5), now),
                        lambda: session.control.digit("5", now),
                        lambda: session.control.send_capabilities({}, now),
                    )
                )()
            case "lose":
                self.bench.wire.cut(self.party.address, session.flow)


@pytest.mark.parametrize("seed", range(25))
def test_walk(seed: int) -> None:
    rng = random.Random(seed)
    bench = Bench(
        caller={"tunnelling": rng.random() < 0.8, "max_waiting_per_host": 8},
        called={"tunnelling": rng.random() < 0.8, "max_waiting_per_host": 8},
    )
    players = [
        Player(bench, bench.caller, bench.called, rng),
        Player(bench, bench.called, bench.caller, rng),
    ]
    for _ in range(150):
        rng.choice(players).move()
        bench.settle(rng.choice((0.0, 0.001, 0.005, 0.011, 0.05, 0.5)))
    bench.settle(1)
    for party in (bench.caller, bench.called):
        for session in party.terminal.sessions:
            session.release(16, bench.wire.now)
    bench.settle(10)
    bench.check_clean()
    for party in (bench.caller, bench.called):
        ended = Counter(event.session for event in party.of(events.Ended))
        assert set(ended.values()) <= {1}
        begun = {event.session for event in party.events}
        assert begun == set(ended)
        for session in begun:
            mine = [event for event in party.events if event.session is session]
            assert isinstance(mine[-1], events.Ended)
            assert len([event for event in mine if isinstance(event, events.FastStart)]) <= 1
            assert len([event for event in mine if isinstance(event, events.Connected)]) <= 1
            if not session.outgoing:
                assert isinstance(mine[0], events.Incoming)
        assert not [kind for kind in party.terminal.counters if "malformed" in kind or "broken" in kind]
    done = players[0].done + players[1].done
    assert done["accept"]
    assert done["control"]
