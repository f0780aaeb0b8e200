"""A unit and its far end as behaviours see them: their calls, what happened to them, what may be asked of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from wire import Wire

from firmware.call.call import Call, EndReason, State
from firmware.call.endpoint import Endpoint
from firmware.call.media import Capabilities, Channel, Direction, Kind

SIGNALLING_TIME = 1.0
"""Seconds in which everything that is not waited for has happened, whatever the protocol."""


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


class Wanderer(Party):
    """A party that answers, and goes where it is sent, unless the test says otherwise."""

    def __init__(self, endpoint: Endpoint, address: str) -> None:
        super().__init__(endpoint, address)
        self.follows = True
        self.refusals: list[str] = []
        """Words with which far ends refused to go where we sent them."""
        self.when_called = accept
        self._left: dict[Call, Call] = {}

    def _watch(self, call: Call) -> None:
        super()._watch(call)
        call.on_transfer_request = self._requested
        call.on_transfer_refused = lambda _, detail: self.refusals.append(detail)

    def _requested(self, call: Call) -> None:
        if not self.follows:
            call.refuse_transfer(EndReason.REFUSED)
            return
        new = call.follow()
        self._watch(new)
        self._left[new] = call
        self._changed(new)  # it may have failed at once

    def _changed(self, call: Call) -> None:
        super()._changed(call)
        left = self._left.get(call) or call.replaces
        if left is not None and call.state is State.ACTIVE:
            left.hang_up(EndReason.TRANSFERRED)
            self._left.pop(call, None)
        elif left is not None and call.state is State.ENDED and call in self._left:
            left.refuse_transfer(call.end_reason or EndReason.HUNG_UP)
            del self._left[call]


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


def settle(bench: Bench, seconds: float = SIGNALLING_TIME) -> None:
    bench.wire.pass_time(seconds)


def accept(call: Call) -> None:
    call.alert()
    call.accept()


def directions(call: Call) -> set[tuple[Kind, Direction]]:
    return {(channel.kind, channel.direction) for channel in call.channels}


ALL = {(kind, direction) for kind in Kind for direction in (Direction.SEND, Direction.RECEIVE)}


def channel(call: Call, kind: Kind, direction: Direction) -> Channel:
    return next(c for c in call.channels if (c.kind, c.direction) == (kind, direction))


def but_for_keys(call: Call) -> set[Channel]:
    """The channels of a call, any key as good as another: who opens a channel again makes a new one."""
    return {replace(c, crypto=replace(c.crypto, key=b"") if c.crypto else None) for c in call.channels}


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
            assert sent[kind].crypto == received[kind].crypto


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
