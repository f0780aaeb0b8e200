"""Which pair is checked when: RFC 8445 6.1.2 and 6.1.4.2."""

from __future__ import annotations

from firmware.call.ice import Candidate, CandidateType
from firmware.ice.candidate import priority
from firmware.ice.check_list import MAX_PAIRS, CheckList
from firmware.ice.pair import Pair, State, Step

HOST, REFLEXIVE, RELAYED = CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, CandidateType.RELAYED


def candidate(number: int, component: int = 1, kind: CandidateType = HOST, foundation: str = "") -> Candidate:
    address = (f"192.0.2.{number}", 4000 + component)
    return Candidate(foundation or f"{kind.value}{number}", component, priority(kind, component), address, kind)


def addresses(pairs: list[Pair]) -> list[tuple[str, str]]:
    return [(pair.local.address[0][-1], pair.remote.address[0][-1]) for pair in pairs]


def test_reflexive_candidates_stand_for_their_base() -> None:
    ours = [candidate(1), candidate(2, kind=REFLEXIVE), candidate(3, kind=RELAYED)]
    found = CheckList(ours, [candidate(5), candidate(6, kind=REFLEXIVE)], controlling=True)
    assert addresses(found.pairs) == [("1", "5"), ("1", "6"), ("3", "5"), ("3", "6")]
    assert [pair.priority(True) for pair in found.pairs] == sorted(
        (pair.priority(True) for pair in found.pairs), reverse=True
    )


def test_of_two_remote_candidates_at_one_address_the_better_stays() -> None:
    worse = Candidate("r", 1, priority(RELAYED, 1), candidate(5).address, RELAYED)
    found = CheckList([candidate(1)], [worse, candidate(5)], controlling=False)
    assert [pair.remote.type for pair in found.pairs] == [HOST]


def test_one_of_each_foundation_goes_first_of_the_lowest_component() -> None:
    ours = [candidate(1, 1, foundation="a"), candidate(1, 2, foundation="a")]
    theirs = [candidate(5, 2, foundation="x"), candidate(5, 1, foundation="x"), candidate(6, 2, foundation="y")]
    found = CheckList(ours, theirs, controlling=True)
    states = {(pair.remote.foundation, pair.component): pair.state for pair in found.pairs}
    assert states == {("x", 1): State.WAITING, ("x", 2): State.FROZEN, ("y", 2): State.WAITING}


def test_success_lets_the_others_of_its_foundation_go() -> None:
    ours = [candidate(1, component, foundation="a") for component in (1, 2)]
    theirs = [candidate(5, component, foundation="x") for component in (1, 2)]
    found = CheckList(ours, theirs, controlling=True)
    first = found.next()
    assert first is not None
    first.take(Step.PERFORM)
    assert found.next() is None
    assert not found.has_next(), "the other is frozen as long as this one is in progress"
    first.take(Step.SUCCEED)
    found.succeeded(first)
    second = found.next()
    assert second is not None
    assert second.component == 2


def test_failure_lets_them_go_when_nothing_else_is_to_do() -> None:
    ours = [candidate(1, component, foundation="a") for component in (1, 2)]
    theirs = [candidate(5, component, foundation="x") for component in (1, 2)]
    found = CheckList(ours, theirs, controlling=True)
    first = found.next()
    assert first is not None
    first.take(Step.PERFORM)
    first.take(Step.FAIL)
    assert found.has_next()
    second = found.next()
    assert second is not None
    assert (second.component, second.state) == (2, State.WAITING)


def test_the_best_goes_first_and_what_is_triggered_before_it() -> None:
    found = CheckList([candidate(1)], [candidate(5), candidate(6, kind=REFLEXIVE)], controlling=True)
    worse = found.pairs[1]
    found.trigger(worse)
    found.trigger(worse)
    assert found.next() is worse
    worse.take(Step.PERFORM)
    assert found.next() is found.pairs[0]


def test_there_are_a_hundred_pairs_at_most_the_best() -> None:
    theirs = [candidate(number % 250, kind=REFLEXIVE, foundation=f"f{number}") for number in range(1, 150)]
    found = CheckList([candidate(251), candidate(252, kind=RELAYED)], theirs, controlling=True)
    assert len(found.pairs) == MAX_PAIRS
    assert all(pair.local.type is HOST for pair in found.pairs)
    shown = Pair(candidate(251), candidate(253))
    assert not found.add(shown), "all wait for their check"
    found.pairs[-1].state = State.FAILED
    assert found.add(shown)
    assert len(found.pairs) == MAX_PAIRS


def test_find_and_extend() -> None:
    ours = candidate(1)
    found = CheckList([ours], [candidate(5)], controlling=True)
    first = found.find(ours, candidate(5).address)
    assert first is found.pairs[0]
    found.extend([candidate(5), candidate(6)])
    assert addresses(found.pairs) == [("1", "5"), ("1", "6")]
    assert found.find(ours, candidate(5).address) is first
    assert found.find(candidate(9), candidate(5).address) is None


def test_what_is_settled_is_checked_no_more() -> None:
    found = CheckList([candidate(1), candidate(1, 2)], [candidate(5), candidate(6), candidate(5, 2)], controlling=True)
    checked = found.pairs[0]
    checked.take(Step.UNFREEZE)
    checked.take(Step.PERFORM)
    waiting = found.pairs[1]
    found.trigger(waiting)
    assert found.settle(1) == [checked]
    assert [pair.component for pair in found.pairs] == [1, 2]
    checked.take(Step.FAIL)
    following = found.next()
    assert following is not None
    assert following.component == 2


def test_the_order_turns_with_the_role() -> None:
    one = Candidate("a", 1, 10, ("192.0.2.1", 1), HOST)
    two = Candidate("b", 1, 20, ("192.0.2.2", 1), RELAYED)
    found = CheckList([one, two], [Candidate("x", 1, 15, ("192.0.2.5", 1), HOST)], controlling=True)
    before = [pair.priority(True) for pair in found.pairs]
    found.turn(controlling=False)
    assert [pair.priority(False) for pair in found.pairs] == sorted(
        (pair.priority(False) for pair in found.pairs), reverse=True
    )
    assert before == sorted(before, reverse=True)


def test_over_and_active() -> None:
    found = CheckList([candidate(1)], [candidate(5)], controlling=True)
    assert found.active() == 1
    assert not found.is_over(1)
    assert found.is_over(2), "there is none"
    found.pairs[0].take(Step.PERFORM)
    assert found.active() == 1
    found.pairs[0].take(Step.FAIL)
    assert found.active() == 0
    assert found.is_over(1)
