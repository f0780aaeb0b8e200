"""The pairs that work, and the choice among them."""

from __future__ import annotations

from firmware.call.ice import Candidate, CandidateType
from firmware.ice.candidate import priority
from firmware.ice.pair import Pair, State
from firmware.ice.valid import PATIENCE, PATIENCE_RELAYED, Valid, ValidList

HOST, RELAYED = CandidateType.HOST, CandidateType.RELAYED


def pair(number: int, kind: CandidateType = HOST, state: State = State.SUCCEEDED) -> Pair:
    local = Candidate("l", 1, priority(HOST, 1), ("192.0.2.1", 4000), HOST)
    made = Pair(local, Candidate("r", 1, priority(kind, 1) - number, (f"192.0.2.{number}", 4000), kind))
    made.state = state
    made.checked = True
    return made


def valid(number: int, kind: CandidateType = HOST) -> Valid:
    made = pair(number, kind)
    return Valid(made, made.local)


def test_what_is_sent_goes_by_the_best_until_one_is_chosen() -> None:
    found = ValidList()
    assert found.way(True) is None
    worse = found.add(valid(9), 0.0)
    assert found.way(True) is worse
    better = found.add(valid(5), 1.0)
    assert found.way(True) is better
    assert found.select(worse, True)
    assert found.way(True) is worse


def test_of_two_nominated_the_better_is_taken() -> None:
    """An agent of RFC 5245 may nominate all that works."""
    found = ValidList()
    worse, better = found.add(valid(9), 0.0), found.add(valid(5), 0.0)
    assert found.select(worse, False)
    assert found.select(better, False)
    assert not found.select(worse, False)
    assert found.selected is better


def test_a_pair_that_works_again_is_the_same() -> None:
    found = ValidList()
    one = found.add(valid(5), 0.0)
    learned = Candidate("p", 1, 5, ("198.51.100.1", 9), CandidateType.PEER_REFLEXIVE)
    assert found.add(Valid(one.pair, learned), 1.0) is one
    assert one.local == learned
    assert len(found) == 1
    assert found.of(one.pair) is one
    found.remove(one)
    assert found.best(True) is None
    assert found.of(one.pair) is None


def test_the_best_there_can_be_is_chosen_at_once() -> None:
    found = ValidList()
    one = found.add(valid(5), 0.0)
    assert found.choice([one.pair, pair(9, state=State.IN_PROGRESS)], 0.0, True) is one


def test_a_better_one_is_waited_for_but_not_for_long() -> None:
    found = ValidList()
    one = found.add(valid(5), 10.0)
    open_pair = pair(2, state=State.IN_PROGRESS)
    assert found.choice([one.pair, open_pair], 10.0, True) is None
    assert found.decides(True) == 10.0 + PATIENCE
    assert found.choice([one.pair, open_pair], 10.0 + PATIENCE, True) is one
    open_pair.state = State.FAILED
    assert found.choice([one.pair, open_pair], 10.0, True) is one


def test_the_far_ends_own_check_is_waited_for_too() -> None:
    found = ValidList()
    one = found.add(valid(5), 10.0)
    one.pair.checked = False
    assert found.choice([one.pair], 10.0, True) is None
    assert found.choice([one.pair], 10.0 + PATIENCE, True) is one
    one.pair.checked = True
    assert found.choice([one.pair], 10.0, True) is one


def test_a_relay_waits_longer() -> None:
    found = ValidList()
    one = found.add(valid(5, RELAYED), 0.0)
    assert one.relayed
    assert found.decides(True) == PATIENCE_RELAYED


def test_nothing_is_chosen_twice() -> None:
    found = ValidList()
    one = found.add(valid(5), 0.0)
    found.nominating = one
    assert found.choice([], 99.0, True) is None
    found.nominating = None
    found.select(one, True)
    assert found.decides(True) is None
