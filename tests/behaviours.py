"""What far ends do, and what a call must then be: one list for every protocol.

Each behaviour is a function of a `Bench`, on which a unit and a far end of the same protocol stand on one virtual
network.  It knows calls and channels, never a protocol.  A protocol's conformance test makes its bench and runs all of
`BEHAVIOURS`; after each, `Bench.check_clean` must find nothing left.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from parties import ALL, Bench, accept, but_for_keys, channel, check_agreement, directions, ended, established, settle

from firmware.call.call import Call, EndReason, State
from firmware.call.media import Capabilities, Direction, Kind
from firmware.errors import CallError

PATIENCE = 70.0
"""Seconds after which a far end that says nothing more has been given up."""

BEHAVIOURS: list[Callable[[Bench], None]] = []


def behaviour(function: Callable[[Bench], None]) -> Callable[[Bench], None]:
    BEHAVIOURS.append(function)
    return function


# Making a call


@behaviour
def answers(bench: Bench) -> None:
    ours, theirs = established(bench)
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)
    assert bench.unit.states[ours] == [State.DIALING, State.ALERTING, State.ACTIVE]
    assert bench.far.states[theirs] == [State.INCOMING, State.CONNECTING, State.ACTIVE]


@behaviour
def calls(bench: Bench) -> None:
    ours, theirs = established(bench, by_far_end=True)
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)
    assert ours.incoming
    assert not theirs.incoming
    assert ours.remote


@behaviour
def answers_without_ringing(bench: Bench) -> None:
    bench.far.when_called = Call.accept
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert bench.unit.states[ours] == [State.DIALING, State.ACTIVE]


@behaviour
def rings_for_a_while(bench: Bench) -> None:
    bench.far.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench, 50.0)
    assert ours.state is State.ALERTING
    bench.far.call.accept()
    settle(bench)
    assert ours.state is State.ACTIVE


@behaviour
def lets_us_wait(bench: Bench) -> None:
    bench.far.when_called = lambda call: call.alert(waiting=True)
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ours.state is State.ALERTING
    assert ours.waiting
    bench.far.call.accept()
    settle(bench)
    assert ours.state is State.ACTIVE


@behaviour
def can_be_called_back(bench: Bench) -> None:
    ours, _ = established(bench, by_far_end=True)
    ours.hang_up()
    settle(bench)
    bench.far.when_called = accept
    again = bench.unit.endpoint.dial(ours.remote)
    settle(bench)
    assert again.state is State.ACTIVE


@behaviour
def talks_in_both_directions_at_once(bench: Bench) -> None:
    bench.unit.when_called = bench.far.when_called = accept
    first, second = bench.unit.dial(bench.far), bench.far.dial(bench.unit)
    settle(bench)
    assert first.state is second.state is State.ACTIVE
    addresses = [c.local for call in bench.unit.calls for c in call.channels if c.direction is Direction.RECEIVE]
    assert len(set(addresses)) == len(addresses)


# Not making it


@behaviour
def declines(bench: Bench) -> None:
    bench.far.when_called = lambda call: call.hang_up(EndReason.DECLINED)
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ended(ours, EndReason.DECLINED)
    assert ours.end_detail


@behaviour
def is_busy(bench: Bench) -> None:
    bench.far.when_called = lambda call: call.hang_up(EndReason.BUSY)
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ended(ours, EndReason.BUSY)


@behaviour
def does_not_allow_it(bench: Bench) -> None:
    bench.far.when_called = lambda call: call.hang_up(EndReason.REFUSED)
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ended(ours, EndReason.REFUSED)


@behaviour
def rings_and_declines(bench: Bench) -> None:
    bench.far.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench)
    bench.far.call.hang_up(EndReason.DECLINED)
    settle(bench)
    assert ended(ours, EndReason.DECLINED)


@behaviour
def does_not_pick_up(bench: Bench) -> None:
    bench.far.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench, 30.0)
    bench.far.call.hang_up(EndReason.NO_ANSWER)
    settle(bench)
    assert ended(ours, EndReason.NO_ANSWER)


@behaviour
def is_silent(bench: Bench) -> None:
    bench.far_end_dies()
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ours.state is State.DIALING
    settle(bench, PATIENCE)
    assert ended(ours, EndReason.UNREACHABLE)


@behaviour
def is_given_up_while_it_rings(bench: Bench) -> None:
    bench.far.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench)
    ours.hang_up(EndReason.NO_ANSWER)
    assert ours.state is State.ENDING
    settle(bench)
    assert ended(ours, EndReason.NO_ANSWER)
    assert ended(bench.far.call, EndReason.CANCELLED)


@behaviour
def is_given_up_at_once(bench: Bench) -> None:
    ours = bench.unit.dial(bench.far)
    ours.hang_up()
    settle(bench, PATIENCE)
    assert ended(ours, EndReason.HUNG_UP)
    assert all(call.state is State.ENDED for call in bench.far.calls)


@behaviour
def gives_up_while_we_ring(bench: Bench) -> None:
    bench.unit.when_called = Call.alert
    theirs = bench.far.dial(bench.unit)
    settle(bench)
    theirs.hang_up()
    settle(bench)
    assert ended(bench.unit.call, EndReason.CANCELLED)
    with pytest.raises(CallError):
        bench.unit.call.accept()


@behaviour
def gives_up_as_we_answer(bench: Bench) -> None:
    bench.unit.when_called = Call.alert
    theirs = bench.far.dial(bench.unit)
    settle(bench)
    bench.unit.call.accept()
    theirs.hang_up()
    settle(bench, PATIENCE)
    assert bench.unit.call.state is theirs.state is State.ENDED


@behaviour
def answers_as_we_give_up(bench: Bench) -> None:
    bench.far.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench)
    ours.hang_up()
    bench.far.call.accept()
    settle(bench, PATIENCE)
    assert ended(ours, EndReason.HUNG_UP)
    assert bench.far.call.state is State.ENDED


@behaviour
def never_hears_that_we_answer(bench: Bench) -> None:
    bench.unit.when_called = Call.alert
    bench.far.dial(bench.unit)
    settle(bench)
    bench.far_end_dies()
    bench.unit.call.accept()
    settle(bench, PATIENCE)
    ours = bench.unit.call
    if ours.state is State.ACTIVE:  # agreed before it was answered: it is the room that notices
        ours.hang_up(EndReason.LOST)
        settle(bench, PATIENCE)
    assert ended(ours, EndReason.LOST)


@behaviour
def is_refused_by_us(bench: Bench) -> None:
    for reason in (EndReason.BUSY, EndReason.DECLINED, EndReason.REFUSED):
        bench.unit.when_called = lambda call, reason=reason: call.hang_up(reason)  # type: ignore[misc]
        theirs = bench.far.dial(bench.unit)
        settle(bench)
        assert ended(theirs, reason)
        assert ended(bench.unit.call, reason)


# What flows


@behaviour
def has_no_common_media(bench: Bench) -> None:
    bench.far_end_can(Capabilities(codecs=()))
    bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ended(ours, EndReason.NO_COMMON_MEDIA)


@behaviour
def has_sound_only(bench: Bench) -> None:
    bench.far_end_can(Capabilities(codecs=Capabilities().of(Kind.AUDIO)))
    ours, theirs = established(bench)
    assert directions(ours) == directions(theirs) == {(Kind.AUDIO, d) for d in (Direction.SEND, Direction.RECEIVE)}
    check_agreement(ours, theirs)


@behaviour
def calls_with_sound_only(bench: Bench) -> None:
    bench.far_end_can(Capabilities(codecs=Capabilities().of(Kind.AUDIO)))
    ours, theirs = established(bench, by_far_end=True)
    assert directions(ours) == {(Kind.AUDIO, d) for d in (Direction.SEND, Direction.RECEIVE)}
    check_agreement(ours, theirs)


@behaviour
def has_no_camera(bench: Bench) -> None:
    bench.far_end_can(Capabilities(sends=frozenset({Kind.AUDIO})))
    _goes_one_way(bench, (Kind.VIDEO, Direction.SEND), (Kind.VIDEO, Direction.RECEIVE), by_far_end=False)


@behaviour
def calls_without_a_camera(bench: Bench) -> None:
    bench.far_end_can(Capabilities(sends=frozenset({Kind.AUDIO})))
    _goes_one_way(bench, (Kind.VIDEO, Direction.SEND), (Kind.VIDEO, Direction.RECEIVE), by_far_end=True)


@behaviour
def has_no_screen(bench: Bench) -> None:
    bench.far_end_can(Capabilities(receives=frozenset({Kind.AUDIO})))
    _goes_one_way(bench, (Kind.VIDEO, Direction.RECEIVE), (Kind.VIDEO, Direction.SEND), by_far_end=False)


@behaviour
def calls_without_a_screen(bench: Bench) -> None:
    bench.far_end_can(Capabilities(receives=frozenset({Kind.AUDIO})))
    _goes_one_way(bench, (Kind.VIDEO, Direction.RECEIVE), (Kind.VIDEO, Direction.SEND), by_far_end=True)


def _goes_one_way(
    bench: Bench, not_theirs: tuple[Kind, Direction], not_ours: tuple[Kind, Direction], *, by_far_end: bool
) -> None:
    """The far end's lacks one way of pictures, and ours the other; it stays so when either has held the other."""
    ours, theirs = established(bench, by_far_end=by_far_end)
    for holding, held in ((None, None), (ours, theirs), (theirs, ours)):
        if holding is not None and held is not None:
            holding.hold(True)
            settle(bench)
            assert held.held_by_far_end
            assert not any(c.direction is Direction.SEND for c in held.channels)
            holding.hold(False)
            settle(bench)
        assert (ours.held_by_far_end, theirs.held_by_far_end) == (False, False)
        assert directions(theirs) == ALL - {not_theirs}
        assert directions(ours) == ALL - {not_ours}
        check_agreement(ours, theirs)


@behaviour
def has_neither_camera_nor_screen(bench: Bench) -> None:
    sound = frozenset({Kind.AUDIO})
    bench.far_end_can(Capabilities(sends=sound, receives=sound))
    ours, theirs = established(bench)
    assert directions(ours) == directions(theirs) == {(Kind.AUDIO, d) for d in (Direction.SEND, Direction.RECEIVE)}


@behaviour
def has_less_bitrate(bench: Bench) -> None:
    bench.far_end_can(Capabilities(bitrate=512_000))
    ours, _ = established(bench)
    assert 400_000 <= channel(ours, Kind.VIDEO, Direction.SEND).bitrate <= 512_000


@behaviour
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


@behaviour
def hangs_up(bench: Bench) -> None:
    ours, theirs = established(bench)
    theirs.hang_up()
    settle(bench)
    assert ended(ours, EndReason.HUNG_UP)
    assert ended(theirs, EndReason.HUNG_UP)


@behaviour
def is_hung_up_on(bench: Bench) -> None:
    ours, theirs = established(bench)
    ours.hang_up()
    ours.hang_up()
    assert ours.state is State.ENDING
    settle(bench)
    assert ended(ours, EndReason.HUNG_UP)
    assert ended(theirs, EndReason.HUNG_UP)


@behaviour
def hangs_up_as_we_do(bench: Bench) -> None:
    ours, theirs = established(bench)
    ours.hang_up()
    theirs.hang_up()
    settle(bench)
    assert ended(ours, EndReason.HUNG_UP)
    assert ended(theirs, EndReason.HUNG_UP)


@behaviour
def dies_in_the_call(bench: Bench) -> None:
    ours, _ = established(bench)
    bench.far_end_dies()
    settle(bench, PATIENCE)
    ours.hang_up(EndReason.LOST)  # it is the room that notices: no packets any more
    settle(bench, PATIENCE)
    assert ended(ours, EndReason.LOST)


@behaviour
def dies_while_it_is_put_on_hold(bench: Bench) -> None:
    ours, _ = established(bench)
    bench.far_end_dies()
    ours.hold(True)
    settle(bench, PATIENCE)
    assert ended(ours, EndReason.LOST)


@behaviour
def holds_and_resumes(bench: Bench) -> None:
    ours, theirs = established(bench)
    before = but_for_keys(ours)
    theirs.hold(True)
    settle(bench)
    assert ours.held_by_far_end
    assert not ours.held
    assert not any(c.direction is Direction.SEND for c in ours.channels)
    theirs.hold(False)
    settle(bench)
    assert not ours.held_by_far_end
    assert but_for_keys(ours) == before


@behaviour
def is_held_and_resumed(bench: Bench) -> None:
    ours, theirs = established(bench, by_far_end=True)
    before = but_for_keys(ours), but_for_keys(theirs)
    ours.hold(True)
    settle(bench)
    assert ours.channels == ()
    assert theirs.held_by_far_end
    assert not any(c.direction is Direction.SEND for c in theirs.channels)
    ours.hold(False)
    settle(bench)
    assert (but_for_keys(ours), but_for_keys(theirs)) == before
    assert not theirs.held_by_far_end


@behaviour
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


@behaviour
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


@behaviour
def is_held_and_resumed_at_once(bench: Bench) -> None:
    ours, theirs = established(bench)
    for on in (True, False, True, False):
        ours.hold(on)
    settle(bench, 5.0)
    assert directions(ours) == directions(theirs) == ALL
    assert not theirs.held_by_far_end


@behaviour
def refuses_to_be_held(bench: Bench) -> None:
    ours, _ = established(bench)
    before = ours.channels
    bench.far_end_refuses_changes()
    ours.hold(True)
    settle(bench)
    assert (ours.state, ours.held, ours.channels) == (State.ACTIVE, False, before)


@behaviour
def hangs_up_on_hold(bench: Bench) -> None:
    ours, theirs = established(bench)
    ours.hold(True)
    settle(bench)
    theirs.hang_up()
    settle(bench)
    assert ended(ours, EndReason.HUNG_UP)


@behaviour
def sends_digits(bench: Bench) -> None:
    ours, theirs = established(bench)
    for digit in "0123456789*#ABCD":
        theirs.send_digit(digit)
    ours.send_digit("7")
    settle(bench)
    assert bench.unit.digits == list("0123456789*#ABCD")
    assert bench.far.digits == ["7"]


@behaviour
def wants_key_frames(bench: Bench) -> None:
    ours, theirs = established(bench)
    theirs.request_key_frame()
    settle(bench)
    ours.request_key_frame()
    settle(bench)
    assert (bench.unit.key_frames, bench.far.key_frames) == (1, 1)


@behaviour
def asks_for_key_frames_all_the_time(bench: Bench) -> None:
    ours, _ = established(bench)
    for _ in range(100):
        ours.request_key_frame()
        settle(bench, 0.010)
    settle(bench)
    assert 1 <= bench.far.key_frames <= 4


# Somebody else instead; here it is the far end, once more


@behaviour
def passes_us_on(bench: Bench) -> None:
    ours, theirs = established(bench)
    followed: list[Call] = []
    ours.on_transfer_request = lambda call: followed.append(call.follow())
    theirs.transfer(bench.far.address)
    settle(bench, 3.0)
    [new] = followed
    assert new.state is State.ACTIVE
    assert ours.state is State.ACTIVE, "until we say that we are there"
    assert theirs.transferring
    ours.hang_up(EndReason.TRANSFERRED)
    settle(bench, 3.0)
    assert ended(ours, EndReason.TRANSFERRED)
    assert ended(theirs, EndReason.TRANSFERRED)
    assert new.state is State.ACTIVE
    check_agreement(new, bench.far.call)
    new.hang_up()


@behaviour
def is_passed_on(bench: Bench) -> None:
    ours, theirs = established(bench, by_far_end=True)
    followed: list[Call] = []
    theirs.on_transfer_request = lambda call: followed.append(call.follow())
    bench.unit.when_called = Call.accept
    ours.transfer(bench.unit.address)
    assert ours.transferring
    with pytest.raises(CallError):
        ours.transfer(bench.unit.address)
    settle(bench, 3.0)
    theirs.hang_up(EndReason.TRANSFERRED)
    settle(bench, 3.0)
    assert ended(ours, EndReason.TRANSFERRED)
    assert followed[0].state is bench.unit.call.state is State.ACTIVE
    followed[0].hang_up()


@behaviour
def will_not_be_passed_on(bench: Bench) -> None:
    ours, theirs = established(bench)
    refusals: list[str] = []
    ours.on_transfer_refused = lambda _, detail: refusals.append(detail)
    theirs.on_transfer_request = lambda call: call.refuse_transfer(EndReason.REFUSED)
    for count in (1, 2):
        ours.transfer(bench.far.address)
        settle(bench)
        assert len(refusals) == count
        assert refusals[-1]
    assert ours.state is theirs.state is State.ACTIVE
    assert not ours.transferring
    assert directions(ours) == ALL


@behaviour
def dies_while_it_is_passed_on(bench: Bench) -> None:
    ours, _ = established(bench)
    bench.far_end_dies()
    ours.transfer(bench.far.address)
    settle(bench, 10 * PATIENCE)
    assert not ours.transferring or ours.state is State.ENDED
    ours.hang_up(EndReason.LOST)
    settle(bench, PATIENCE)
    assert ours.state is State.ENDED


@behaviour
def hangs_up_while_we_are_passed_on(bench: Bench) -> None:
    ours, theirs = established(bench)
    followed: list[Call] = []
    ours.on_transfer_request = lambda call: followed.append(call.follow())
    bench.far.when_called = Call.alert
    theirs.transfer(bench.far.address)
    settle(bench)
    theirs.hang_up()
    settle(bench)
    assert ended(ours, EndReason.HUNG_UP)
    bench.far.call.accept()
    settle(bench)
    assert followed[0].state is State.ACTIVE
    ours.refuse_transfer(EndReason.HUNG_UP)  # too late to matter
    followed[0].hang_up()


# Bad networks


@behaviour
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


def run(behaviour: Callable[[Bench], None], bench: Bench) -> None:
    """Let a far end behave so; whatever came of it, nothing of any call may be left."""
    behaviour(bench)
    for party in (bench.unit, bench.far):
        for call in party.calls:
            call.hang_up()
    bench.wire.lost = lambda number, data: False
    settle(bench, PATIENCE)
    assert all(call.state is State.ENDED for party in (bench.unit, bench.far) for call in party.calls)
    settle(bench, 4 * PATIENCE)
    bench.check_clean()
