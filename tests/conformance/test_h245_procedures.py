"""H.245 annex C: every row of every figure is walked by real controls, and every timer has its row.

The figures are those of the procedures that H.323 uses: master slave determination, capability exchange, logical
channels, close logical channel, mode request, round trip delay.  The unit tests say what each arrow means; here
controls talk to each other, and to far ends that break the rules at random, until every arrow has been seen.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from h245_bench import AUDIO, CAPABILITIES, PROTOCOL, VIDEO, Bench, open_channel, request, response

from firmware.asn1 import Value
from firmware.errors import LocalProtocolError
from firmware.h323.control import (
    capability_exchange,
    close_channel,
    logical_channel,
    master_slave,
    mode_request,
    round_trip,
)
from firmware.h323.control.control import Control
from firmware.h323.control.events import ChannelRequested, Failed
from firmware.h323.control.procedure import Machine, Procedure

MACHINES: tuple[Machine[Any, Any, Any], ...] = (
    master_slave.MSDSE,
    capability_exchange.OUTGOING,
    capability_exchange.INCOMING,
    logical_channel.OUTGOING,
    logical_channel.INCOMING,
    close_channel.OUTGOING,
    close_channel.INCOMING,
    mode_request.OUTGOING,
    mode_request.INCOMING,
    round_trip.RTDSE,
)
TIMERS = {
    "MSDSE": master_slave.T106,
    "outgoing CESE": capability_exchange.T101,
    "outgoing LCSE": logical_channel.T103,
    "outgoing CLCSE": close_channel.T108,
    "outgoing MRSE": mode_request.T109,
    "RTDSE": round_trip.T105,
}
ANSWERED_AT_ONCE = {"incoming CESE", "incoming CLCSE", "incoming MRSE"}
"""Figures whose owner may take its time; ours does not, so what may come meanwhile can't (their unit tests walk it)."""

NEVER_ASKED = ("RTDSE", round_trip.State.AWAITING_RESPONSE, round_trip.Input.TRANSFER_REQUEST)
"""We ask at intervals, never while a question is under way."""

Row = tuple[str, Enum, Enum]


class Stranger:
    """A far end that says anything at any time, always by the syntax."""

    def __init__(self, bench: Bench, rng: random.Random) -> None:
        self.bench = bench
        self.rng = rng

    def number(self) -> int:
        channels = self.bench.control._channels
        return self.rng.choice([*channels.outgoing, *channels.incoming, 1, 2, 101, 102])

    def sequence(self) -> int:
        return self.rng.choice(
            [
                self.bench.control._ours._sequence,
                self.bench.control._round_trip._sequence,
                self.bench.control._our_mode._sequence,
                7,
            ]
        )

    def message(self) -> Value:
        number, sequence = {"forwardLogicalChannelNumber": self.number()}, {"sequenceNumber": self.sequence()}
        master = self.bench.control._master_slave
        draw = self.rng.choice([master.number, master.number + 1, master.number - 1]) % 2**24
        kind = self.rng.choice([40, 50, 50, 50, 60])
        mode = [{"type": ("audioMode", (self.rng.choice(["g711Alaw64k", "g728"]), None))}]
        return self.rng.choice(
            [
                request("masterSlaveDetermination", terminalType=kind, statusDeterminationNumber=draw),
                response("masterSlaveDeterminationAck", decision=(self.rng.choice(["master", "slave"]), None)),
                response("masterSlaveDeterminationReject", cause=("identicalNumbers", None)),
                ("indication", ("masterSlaveDeterminationRelease", {})),
                request("terminalCapabilitySet", **sequence, **PROTOCOL, **CAPABILITIES),
                response("terminalCapabilitySetAck", **sequence),
                response("terminalCapabilitySetReject", **sequence, cause=("unspecified", None)),
                ("indication", ("terminalCapabilitySetRelease", {})),
                open_channel(number["forwardLogicalChannelNumber"], self.rng.choice([AUDIO, VIDEO])),
                response("openLogicalChannelAck", **number),
                response("openLogicalChannelReject", **number, cause=("unspecified", None)),
                request("closeLogicalChannel", **number, source=("user", None)),
                response("closeLogicalChannelAck", **number),
                request("requestChannelClose", **number),
                response("requestChannelCloseAck", **number),
                response("requestChannelCloseReject", **number, cause=("unspecified", None)),
                ("indication", ("requestChannelCloseRelease", number)),
                request("requestMode", **sequence, requestedModes=[mode]),
                response("requestModeAck", **sequence, response=("willTransmitMostPreferredMode", None)),
                response("requestModeReject", **sequence, cause=("requestDenied", None)),
                ("indication", ("requestModeRelease", {})),
                request("roundTripDelayRequest", **sequence),
                response("roundTripDelayResponse", **sequence),
            ]
        )


def stroll(seed: int) -> None:
    """Let a stranger and an owner who does anything at any time have a call."""
    rng = random.Random(seed)
    bench = Bench(seed=seed)
    stranger = Stranger(bench, rng)
    if rng.random() < 0.9:
        bench.start()
    if rng.random() < 0.7:
        bench.receive(
            request("masterSlaveDetermination", terminalType=40, statusDeterminationNumber=7),
            response("masterSlaveDeterminationAck", decision=("master", None)),
            request("terminalCapabilitySet", sequenceNumber=1, **PROTOCOL, **CAPABILITIES),
        )
    for _ in range(rng.randrange(80)):
        if rng.random() < 0.5:
            bench.receive(stranger.message())
        elif rng.random() < 0.2:
            bench.pass_time(rng.choice([0.1, 5.0, 10.0, 31.0]))
        else:
            with contextlib.suppress(LocalProtocolError):
                act(bench.control, stranger.number(), rng.randrange(8), bench.now)
        bench.sent()
        for event in bench.events():
            if isinstance(event, ChannelRequested) and rng.random() < 0.5:
                bench.control.accept_channel(event.number, {}, bench.now)
            if isinstance(event, Failed):
                return


def act(control: Control, number: int, what: int, now: float) -> None:
    """Give any command, too many channels and what is too early included."""
    commands: list[Callable[[], object]] = [
        lambda: control.open_channel(AUDIO, {"sessionID": 1}, now),
        lambda: control.close_channel(number, now),
        lambda: control.accept_channel(number, {}, now),
        lambda: control.reject_channel(number, "unspecified", now),
        lambda: control.request_close(number, now),
        lambda: control.request_mode([[{"type": ("audioMode", ("g711Alaw64k", None))}]], now),
        lambda: control.send_capabilities(CAPABILITIES, now),
        lambda: control.send_capabilities({}, now),
    ]
    commands[what]()


def every_row() -> set[Row]:
    return {
        (machine.name, state, what)
        for machine in MACHINES
        for state, rows in machine.table.items()
        for what in rows
        if not (machine.name in ANSWERED_AT_ONCE and state is not machine.initial)
        if (machine.name, state, what) != NEVER_ASKED
    }


def duel(*, rejects: bool) -> None:
    """Let two ends draw the same numbers until they give up."""
    bench = Bench()
    bench.start()
    while not any(isinstance(event, Failed) for event in bench.events()):
        number = bench.control._master_slave.number
        bench.receive(
            response("masterSlaveDeterminationReject", cause=("identicalNumbers", None))
            if rejects
            else request("masterSlaveDetermination", terminalType=50, statusDeterminationNumber=number)
        )


def test_every_row_is_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: set[Row] = set()
    take = Procedure._take

    def recorded(self: Procedure[Any, Any, Any], what: Enum, now: float) -> bool:
        state = self.state
        taken = take(self, what, now)
        if taken:
            walked.add((self.machine.name, state, what))
        return taken

    monkeypatch.setattr(Procedure, "_take", recorded)
    duel(rejects=True)
    duel(rejects=False)
    for seed in range(3000):
        stroll(seed)
        if seed % 50 == 0 and every_row() <= walked:
            break
    assert every_row() - walked == set()


def test_every_timer_has_a_row_and_a_duration() -> None:
    for machine in MACHINES:
        waiting = {state for state, rows in machine.table.items() if machine.expiry in rows}
        assert waiting == set(machine.timers), machine.name
        assert set(machine.timers.values()) == ({TIMERS[machine.name]} if machine.name in TIMERS else set())


def test_rows_lead_to_states_of_the_figure() -> None:
    for machine in MACHINES:
        states = {state for rows in machine.table.values() for state, _ in rows.values()}
        assert states <= set(machine.table), machine.name
        assert machine.initial in machine.table
    assert sum(len(rows) for machine in MACHINES for rows in machine.table.values()) == 70
