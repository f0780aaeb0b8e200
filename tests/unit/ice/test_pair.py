"""A pair's states, as the figure of RFC 8445 6.1.2.6 draws them."""

from __future__ import annotations

import pytest

from firmware.call.ice import Candidate, CandidateType
from firmware.ice.pair import STEPS, Pair, State, Step


def pair(ours: int = 1, theirs: int = 2) -> Pair:
    local = Candidate("l", 1, ours, ("192.0.2.1", 4000), CandidateType.HOST)
    remote = Candidate("r", 1, theirs, ("192.0.2.2", 4000), CandidateType.HOST)
    return Pair(local, remote)


def test_the_usual_way() -> None:
    one = pair()
    assert one.state is State.FROZEN
    assert [one.take(step) for step in (Step.UNFREEZE, Step.PERFORM, Step.SUCCEED)] == [True] * 3
    assert one.state is State.SUCCEEDED


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("step", Step)
def test_every_step_of_every_state(state: State, step: Step) -> None:
    one = pair()
    one.state = state
    assert one.take(step) is ((state, step) in STEPS)
    assert one.state is STEPS.get((state, step), state)


def test_success_is_left_by_failure_only() -> None:
    assert {step for (state, step) in STEPS if state is State.SUCCEEDED} == {Step.FAIL}


def test_priority_is_the_same_at_both_ends() -> None:
    ours, theirs = pair(5, 9), pair(9, 5)
    assert ours.priority(True) == theirs.priority(False)
    assert ours.priority(False) == theirs.priority(True)
    assert ours.priority(True) != ours.priority(False)
    assert ours.foundation == ("l", "r")
    assert ours.component == 1
