"""What far ends do, and what a call must then be: one list for every protocol.

Each behaviour is a function of a `Bench`, on which a unit and a far end of the same protocol stand on one virtual
network.  It knows calls and channels, never a protocol.  A protocol's conformance test makes its bench and runs all of
`BEHAVIOURS`; after each, `Bench.check_clean` must find nothing left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest
from wire import Wire

from firmware.call.call import Call, EndReason, State
from firmware.call.endpoint import Endpoint
from firmware.call.media import Capabilities, Channel, Direction, Kind
from firmware.errors import CallError

SIGNALLING_TIME = 1.0
"""Seconds in which everything that is not waited for has happened, whatever the protocol."""
PATIENCE = 70.0
"""Seconds after which a far end that says nothing more has been given up."""


class Party:
    """An endpoint and what happened to its calls."""

    def __init__(self, endpoint: Endpoint, address: str) -> None:
        self.endpoint = endpoint
        self.address = address
        self.calls: list[Call] = []
        self.states: dict[Call, list[State]] = {}
        self.digits: list[str] = []
        self.key_frames = 0
        self.when_called: Callable[[Call], None] = lambda call: None
        endpoint.on_call = self._called

    @property
    def call(self) -> Call:
        """The newest call."""
        return self.calls[-1]

    def dial(self, other: Party) -> Call:
        call = self.endpoint.dial(other.address)
        self._watch(call)
        return call

    def _called(self, call: Call) -> None:
        self._watch(call)
        self.when_called(call)

    def _watch(self, call: Call) -> None:
        self.calls.append(call)
        self.states[call] = [call.state]
        call.on_change = self._changed
        call.on_digit = lambda _, digit: self.digits.append(digit)
        call.on_key_frame_request = self._key_frame

    def _changed(self, call: Call) -> None:
        if self.states[call][-1] is not call.state:
            self.states[call].append(call.state)

    def _key_frame(self, call: Call) -> None:
        self.key_frames += 1


class Bench(Protocol):
    """Two parties on a virtual network; what only their protocol can arrange is here."""

    wire: Wire
    unit: Party
    far: Party

    def far_end_can(self, capabilities: Capabilities) -> None:
        """Let the far end have these capabilities from its next call on."""

    def far_end_lies(self) -> None:
        """Let the far end's next description be nonsense."""

    def far_end_refuses_changes(self) -> None:
        """Let the far end refuse every change of a call."""

    def far_end_dies(self) -> None:
        """Nothing that the far end sends arrives any more, nor does it hear anything."""

    def check_clean(self) -> None:
        """Assert that nothing is left of ended calls: no ports, no sessions, no timers."""


# What the behaviours have in common


def settle(bench: Bench, seconds: float = SIGNALLING_TIME) -> None:
    bench.wire.pass_time(seconds)


def accept(call: Call) -> None:
    call.alert()
    call.accept()


def directions(call: Call) -> set[tuple[Kind, Direction]]:
    return {(channel.kind, channel.direction) for channel in call.channels}


ALL = {(kind, direction) for kind in Kind for direction in Direction}


def channel(call: Call, kind: Kind, direction: Direction) -> Channel:
    return next(c for c in call.channels if (c.kind, c.direction) == (kind, direction))


def check_agreement(one: Call, other: Call) -> None:
    """What one sends is what the other receives: address, payload type, codec and its limits."""
    for sender, receiver in ((one, other), (other, one)):
        sent = {c.kind: c for c in sender.channels if c.direction is Direction.SEND}
        received = {c.kind: c for c in receiver.channels if c.direction is Direction.RECEIVE}
        assert sent.keys() == received.keys()
        for kind in sent:
            assert sent[kind].remote == received[kind].local
            assert sent[kind].format in received[kind].formats
            assert sent[kind].feedback == received[kind].feedback


def established(bench: Bench, *, by_far_end: bool = False) -> tuple[Call, Call]:
    """Make a call that is up: the unit's and the far end's view of it."""
    caller, callee = (bench.far, bench.unit) if by_far_end else (bench.unit, bench.far)
    callee.when_called = accept
    caller.dial(callee)
    settle(bench)
    assert (bench.unit.call.state, bench.far.call.state) == (State.ACTIVE, State.ACTIVE)
    return bench.unit.call, bench.far.call


def ended(call: Call, reason: EndReason) -> bool:
    assert (call.state, call.end_reason) == (State.ENDED, reason), call.end_detail
    assert call.channels == ()
    return True


# Making a call


def answers(bench: Bench) -> None:
    ours, theirs = established(bench)
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)
    assert bench.unit.states[ours] == [State.DIALING, State.ALERTING, State.ACTIVE]
    assert bench.far.states[theirs] == [State.INCOMING, State.CONNECTING, State.ACTIVE]


def calls(bench: Bench) -> None:
    ours, theirs = established(bench, by_far_end=True)
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)
    assert ours.incoming
    assert not theirs.incoming
    assert ours.remote


def answers_without_ringing(bench: Bench) -> None:
    bench.far.when_called = Call.accept
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert bench.unit.states[ours] == [State.DIALING, State.ACTIVE]


def rings_for_a_while(bench: Bench) -> None:
    bench.far.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench, 50.0)
    assert ours.state is State.ALERTING
    bench.far.call.accept()
    settle(bench)
    assert ours.state is State.ACTIVE


def can_be_called_back(bench: Bench) -> None:
    ours, _ = established(bench, by_far_end=True)
    ours.hang_up()
    settle(bench)
    bench.far.when_called = accept
    again = bench.unit.endpoint.dial(ours.remote)
    settle(bench)
    assert again.state is State.ACTIVE


def talks_in_both_directions_at_once(bench: Bench) -> None:
    bench.unit.when_called = bench.far.when_called = accept
    first, second = bench.unit.dial(bench.far), bench.far.dial(bench.unit)
    settle(bench)
    assert first.state is second.state is State.ACTIVE
    addresses = [c.local for call in bench.unit.calls for c in call.channels if c.direction is Direction.RECEIVE]
    assert len(set(addresses)) == len(addresses)


# Not making it


def declines(bench: Bench) -> None:
    bench.far.when_called = lambda call: call.hang_up(EndReason.DECLINED)
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ended(ours, EndReason.DECLINED)
    assert ours.end_detail


def is_busy(bench: Bench) -> None:
    bench.far.when_called = lambda call: call.hang_up(EndReason.BUSY)
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ended(ours, EndReason.BUSY)


def does_not_allow_it(bench: Bench) -> None:
    bench.far.when_called = lambda call: call.hang_up(EndReason.REFUSED)
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ended(ours, EndReason.REFUSED)


def rings_and_declines(bench: Bench) -> None:
    bench.far.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench)
    bench.far.call.hang_up(EndReason.DECLINED)
    settle(bench)
    assert ended(ours, EndReason.DECLINED)


def does_not_pick_up(bench: Bench) -> None:
    bench.far.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench, 30.0)
    bench.far.call.hang_up(EndReason.NO_ANSWER)
    settle(bench)
    assert ended(ours, EndReason.NO_ANSWER)


def is_silent(bench: Bench) -> None:
    bench.far_end_dies()
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ours.state is State.DIALING
    settle(bench, PATIENCE)
    assert ended(ours, EndReason.UNREACHABLE)


def is_given_up_while_it_rings(bench: Bench) -> None:
    bench.far.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench)
    ours.hang_up(EndReason.NO_ANSWER)
    assert ours.state is State.ENDING
    settle(bench)
    assert ended(ours, EndReason.NO_ANSWER)
    assert ended(bench.far.call, EndReason.CANCELLED)


def is_given_up_at_once(bench: Bench) -> None:
    ours = bench.unit.dial(bench.far)
    ours.hang_up()
    settle(bench, PATIENCE)
    assert ended(ours, EndReason.HUNG_UP)
    assert all(call.state is State.ENDED for call in bench.far.calls)


def gives_up_while_we_ring(bench: Bench) -> None:
    bench.unit.when_called = Call.alert
    theirs = bench.far.dial(bench.unit)
    settle(bench)
    theirs.hang_up()
    settle(bench)
    assert ended(bench.unit.call, EndReason.CANCELLED)
    with pytest.raises(CallError):
        bench.unit.call.accept()


def gives_up_as_we_answer(bench: Bench) -> None:
    bench.unit.when_called = Call.alert
    theirs = bench.far.dial(bench.unit)
    settle(bench)
    bench.unit.call.accept()
    theirs.hang_up()
    settle(bench, PATIENCE)
    assert bench.unit.call.state is theirs.state is State.ENDED


def is_refused_by_us(bench: Bench) -> None:
    for reason in (EndReason.BUSY, EndReason.DECLINED, EndReason.REFUSED):
        bench.unit.when_called = lambda call, reason=reason: call.hang_up(reason)  # type: ignore[misc]
        theirs = bench.far.dial(bench.unit)
        settle(bench)
        assert ended(theirs, reason)
        assert ended(bench.unit.call, reason)


# What flows


def has_no_common_media(bench: Bench) -> None:
    bench.far_end_can(Capabilities(codecs=()))
    bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ended(ours, EndReason.NO_COMMON_MEDIA)


def has_sound_only(bench: Bench) -> None:
    bench.far_end_can(Capabilities(codecs=Capabilities().of(Kind.AUDIO)))
    ours, theirs = established(bench)
    assert directions(ours) == directions(theirs) == {(Kind.AUDIO, d) for d in Direction}
    check_agreement(ours, theirs)


def calls_with_sound_only(bench: Bench) -> None:
    bench.far_end_can(Capabilities(codecs=Capabilities().of(Kind.AUDIO)))
    ours, theirs = established(bench, by_far_end=True)
    assert directions(ours) == {(Kind.AUDIO, d) for d in Direction}
    check_agreement(ours, theirs)


def has_less_bitrate(bench: Bench) -> None:
    bench.far_end_can(Capabilities(bitrate=512_000))
    ours, _ = established(bench)
    assert 400_000 <= channel(ours, Kind.VIDEO, Direction.SEND).bitrate <= 512_000


def lies_about_its_media(bench: Bench) -> None:
    bench.far_end_lies()
    bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ours.state is State.ENDED
    assert ours.end_reason in (EndReason.NO_COMMON_MEDIA, EndReason.PROTOCOL_ERROR)
    settle(bench, PATIENCE)
    assert bench.far.call.state is State.ENDED


# During the call


def hangs_up(bench: Bench) -> None:
    ours, theirs = established(bench)
    theirs.hang_up()
    settle(bench)
    assert ended(ours, EndReason.HUNG_UP)
    assert ended(theirs, EndReason.HUNG_UP)


def is_hung_up_on(bench: Bench) -> None:
    ours, theirs = established(bench)
    ours.hang_up()
    ours.hang_up()
    assert ours.state is State.ENDING
    settle(bench)
    assert ended(ours, EndReason.HUNG_UP)
    assert ended(theirs, EndReason.HUNG_UP)


def hangs_up_as_we_do(bench: Bench) -> None:
    ours, theirs = established(bench)
    ours.hang_up()
    theirs.hang_up()
    settle(bench)
    assert ended(ours, EndReason.HUNG_UP)
    assert ended(theirs, EndReason.HUNG_UP)


def dies_in_the_call(bench: Bench) -> None:
    ours, _ = established(bench)
    bench.far_end_dies()
    settle(bench, PATIENCE)
    ours.hang_up(EndReason.LOST)  # it is the room that notices: no packets any more
    settle(bench, PATIENCE)
    assert ended(ours, EndReason.LOST)


def dies_while_it_is_put_on_hold(bench: Bench) -> None:
    ours, _ = established(bench)
    bench.far_end_dies()
    ours.hold(True)
    settle(bench, PATIENCE)
    assert ended(ours, EndReason.LOST)


def holds_and_resumes(bench: Bench) -> None:
    ours, theirs = established(bench)
    before = set(ours.channels)
    theirs.hold(True)
    settle(bench)
    assert ours.held_by_far_end
    assert not ours.held
    assert not any(c.direction is Direction.SEND for c in ours.channels)
    theirs.hold(False)
    settle(bench)
    assert not ours.held_by_far_end
    assert set(ours.channels) == before


def is_held_and_resumed(bench: Bench) -> None:
    ours, theirs = established(bench, by_far_end=True)
    before = set(ours.channels), set(theirs.channels)
    ours.hold(True)
    settle(bench)
    assert ours.channels == ()
    assert theirs.held_by_far_end
    assert not any(c.direction is Direction.SEND for c in theirs.channels)
    ours.hold(False)
    settle(bench)
    assert (set(ours.channels), set(theirs.channels)) == before
    assert not theirs.held_by_far_end


def holds_while_it_is_held(bench: Bench) -> None:
    ours, theirs = established(bench)
    ours.hold(True)
    settle(bench)
    theirs.hold(True)
    settle(bench)
    assert ours.channels == theirs.channels == ()
    assert ours.held_by_far_end
    assert theirs.held_by_far_end
    ours.hold(False)
    settle(bench)
    assert ours.held_by_far_end
    assert not any(c.direction is Direction.SEND for c in ours.channels)
    theirs.hold(False)
    settle(bench)
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)


def holds_as_we_do(bench: Bench) -> None:
    ours, theirs = established(bench)
    ours.hold(True)
    theirs.hold(True)
    settle(bench, 20.0)
    assert (ours.held, theirs.held) == (True, True)
    assert (ours.held_by_far_end, theirs.held_by_far_end) == (True, True)
    assert ours.channels == theirs.channels == ()
    ours.hold(False)
    theirs.hold(False)
    settle(bench, 20.0)
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)


def is_held_and_resumed_at_once(bench: Bench) -> None:
    ours, theirs = established(bench)
    for on in (True, False, True, False):
        ours.hold(on)
    settle(bench, 5.0)
    assert directions(ours) == directions(theirs) == ALL
    assert not theirs.held_by_far_end


def refuses_to_be_held(bench: Bench) -> None:
    ours, _ = established(bench)
    before = ours.channels
    bench.far_end_refuses_changes()
    ours.hold(True)
    settle(bench)
    assert (ours.state, ours.held, ours.channels) == (State.ACTIVE, False, before)


def hangs_up_on_hold(bench: Bench) -> None:
    ours, theirs = established(bench)
    ours.hold(True)
    settle(bench)
    theirs.hang_up()
    settle(bench)
    assert ended(ours, EndReason.HUNG_UP)


def sends_digits(bench: Bench) -> None:
    ours, theirs = established(bench)
    for digit in "0123456789*#ABCD":
        theirs.send_digit(digit)
    ours.send_digit("7")
    settle(bench)
    assert bench.unit.digits == list("0123456789*#ABCD")
    assert bench.far.digits == ["7"]


def wants_key_frames(bench: Bench) -> None:
    ours, theirs = established(bench)
    theirs.request_key_frame()
    settle(bench)
    ours.request_key_frame()
    settle(bench)
    assert (bench.unit.key_frames, bench.far.key_frames) == (1, 1)


def asks_for_key_frames_all_the_time(bench: Bench) -> None:
    ours, _ = established(bench)
    for _ in range(100):
        ours.request_key_frame()
        settle(bench, 0.010)
    settle(bench)
    assert 1 <= bench.far.key_frames <= 4


# Bad networks


def is_behind_a_lossy_network(bench: Bench) -> None:
    bench.wire.lost = lambda number, data: number % 3 == 0
    bench.wire.reorder = 0.050
    bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    settle(bench, 20.0)
    assert ours.state is State.ACTIVE
    check_agreement(ours, bench.far.call)
    ours.hold(True)
    settle(bench, 20.0)
    assert bench.far.call.held_by_far_end
    bench.far.call.hang_up()
    settle(bench, PATIENCE)
    assert ended(ours, EndReason.HUNG_UP)


BEHAVIOURS: tuple[Callable[[Bench], None], ...] = (
    answers,
    calls,
    answers_without_ringing,
    rings_for_a_while,
    can_be_called_back,
    talks_in_both_directions_at_once,
    declines,
    is_busy,
    does_not_allow_it,
    rings_and_declines,
    does_not_pick_up,
    is_silent,
    is_given_up_while_it_rings,
    is_given_up_at_once,
    gives_up_while_we_ring,
    gives_up_as_we_answer,
    is_refused_by_us,
    has_no_common_media,
    has_sound_only,
    calls_with_sound_only,
    has_less_bitrate,
    lies_about_its_media,
    hangs_up,
    is_hung_up_on,
    hangs_up_as_we_do,
    dies_in_the_call,
    dies_while_it_is_put_on_hold,
    holds_and_resumes,
    is_held_and_resumed,
    holds_while_it_is_held,
    holds_as_we_do,
    is_held_and_resumed_at_once,
    refuses_to_be_held,
    hangs_up_on_hold,
    sends_digits,
    wants_key_frames,
    asks_for_key_frames_all_the_time,
    is_behind_a_lossy_network,
)
