"""Two endpoints that are at one another's mercy: what they say to each other is changed on its way, by chance.

Whatever comes, nothing raises, each call ends, and nothing is left of it.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest
from behaviours import PATIENCE
from h323_bench import H323Bench
from h323_mutation import change_message, change_octets, change_payload

from firmware.call.call import Call, State
from firmware.errors import CallError
from firmware.sansio import Action, Send

Change = Callable[[bytes, random.Random], bytes]
BUTTONS: list[Callable[[Call], None]] = [
    lambda call: call.hold(True),
    lambda call: call.hold(False),
    lambda call: call.send_digit("5"),
    lambda call: call.request_key_frame(),
    lambda call: call.alert(),
    lambda call: call.accept(),
    lambda call: call.hang_up(),
]
MODES = [(True, False), (True, True), (False, False), (False, True)]
ROUNDS = 25
"""Calls for each seed and mode."""


class Line:
    """A bench on whose wire each message is changed with this chance; *changed* counts them."""

    def __init__(self, rng: random.Random, change: Change, chance: float, *mode: bool) -> None:
        self.bench = H323Bench(*mode)
        self.rng, self.change, self.chance = rng, change, chance
        self.changed = 0
        self._act = self.bench.wire._act
        self.bench.wire._act = self._tamper  # type: ignore[method-assign]

    def _tamper(self, address: tuple[str, int], action: Action) -> None:
        if isinstance(action, Send) and self.rng.random() < self.chance:
            self.changed += 1
            action = Send(action.flow, self.change(action.data, self.rng))
        self._act(address, action)

    def press(self) -> None:
        parties = [party for party in (self.bench.unit, self.bench.far) if party.calls]
        if parties and self.rng.random() < 0.4:
            with contextlib.suppress(CallError):
                self.rng.choice(BUTTONS)(self.rng.choice(parties).call)

    def end(self) -> None:
        for call in (*self.bench.unit.calls, *self.bench.far.calls):
            call.hang_up()
        self.bench.wire.pass_time(PATIENCE)
        assert all(call.state is State.ENDED for call in (*self.bench.unit.calls, *self.bench.far.calls))
        self.bench.check_clean()
        assert all(terminal.sizes["streams"] == 0 for terminal in self.bench.terminals)


def answer(call: Call) -> None:
    call.alert()
    with contextlib.suppress(CallError):
        call.accept()


@pytest.mark.parametrize("mode", MODES, ids=["tunnelled", "tunnelled, fast", "separate", "separate, fast"])
@pytest.mark.parametrize("change", [change_octets, change_payload, change_message], ids=lambda c: c.__name__)
@pytest.mark.parametrize("seed", range(2))
def test_messages_are_changed_on_their_way(seed: int, change: Change, mode: tuple[bool, bool]) -> None:
    rng = random.Random(f"{seed} {mode}")
    changed = 0
    for _ in range(ROUNDS):
        line = Line(rng, change, rng.choice((0.05, 0.2, 0.6)), *mode)
        line.bench.far.when_called = line.bench.unit.when_called = answer
        line.bench.unit.dial(line.bench.far)
        for _ in range(12):
            line.bench.wire.pass_time(rng.choice((0.005, 0.02, 0.2)))
            line.press()
        line.bench.wire.pass_time(rng.choice((0.1, 40)))
        line.end()
        changed += line.changed
    assert changed > ROUNDS
