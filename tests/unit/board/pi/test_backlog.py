"""`board.pi.backlog`, on a clock of the tests."""

from __future__ import annotations

from collections.abc import Callable

from board.pi.backlog import CATCH_UP, MOST, PATIENCE, START, Backlog


def decode(backlog: Backlog, now: float, answer: Callable[[int], dict[int, float]]) -> tuple[float, list[int]]:
    """Give an access unit, of which ``answer`` says what comes back when.  When that is over, and what came."""
    begin = now
    coming = sorted((begin + after, number) for number, after in answer(backlog.give(now)).items())
    taken = []
    while (wait := backlog.wait(now)) > 0:
        if coming and coming[0][0] <= now + wait:
            now, number = coming.pop(0)
            if backlog.take(number):
                taken.append(number)
        else:
            now += wait
    backlog.settle()
    return now, taken


def test_each_picture_is_waited_for() -> None:
    backlog, now = Backlog(), 100.0
    now, taken = decode(backlog, now, lambda number: {number: START * 0.9})
    assert (round(now - 100, 6), taken) == (round(START * 0.9, 6), [1])
    for number in (2, 3, 4):
        begin = now
        now, taken = decode(backlog, now, lambda given: {given: PATIENCE * 0.9})
        assert taken == [number]
        assert now - begin < PATIENCE
    assert backlog.behind == 0


def test_one_that_gives_nothing_is_too_far_behind_after_a_bounded_time() -> None:
    backlog, now = Backlog(), 100.0
    for _ in range(MOST + 1):
        now, taken = decode(backlog, now, lambda _: {})
        assert taken == []
    assert backlog.behind > MOST
    assert now - 100 <= START * (MOST + 1) + 0.001


def test_one_that_stops_is_too_far_behind_soon() -> None:
    backlog, now = Backlog(), 100.0
    now, _ = decode(backlog, now, lambda number: {number: 0.01})
    begin = now
    for _ in range(MOST + 1):
        now, _ = decode(backlog, now, lambda _: {})
    assert backlog.behind > MOST
    assert now - begin <= PATIENCE * (MOST + 1) + 0.001


def test_one_that_is_always_one_behind_costs_little_time() -> None:
    backlog, now = Backlog(), 100.0
    now, taken = decode(backlog, now, lambda _: {})
    assert taken == []
    for number in range(2, 20):
        begin = now
        now, taken = decode(backlog, now, lambda given: {given - 1: 0.005})
        assert taken == [number - 1]
        assert now - begin <= CATCH_UP + 0.001
        assert backlog.behind == 1


def test_one_that_was_late_once_catches_up() -> None:
    backlog, now = Backlog(), 100.0
    now, _ = decode(backlog, now, lambda number: {number: 0.01})
    now, taken = decode(backlog, now, lambda _: {})
    assert taken == []
    assert backlog.behind == 1
    now, taken = decode(backlog, now, lambda number: {number - 1: 0.0, number: 0.01})
    assert taken == [2, 3]
    assert backlog.behind == 0


def test_what_is_swallowed_is_done_with_when_a_later_one_comes() -> None:
    backlog, now = Backlog(), 100.0
    now, _ = decode(backlog, now, lambda number: {number: 0.01})
    now, _ = decode(backlog, now, lambda _: {})
    now, taken = decode(backlog, now, lambda number: {number: 0.01})
    assert taken == [3]
    assert backlog.behind == 0
    assert not backlog.awaits(2)


def test_what_was_never_given_is_not_taken() -> None:
    backlog = Backlog()
    assert not backlog.take(0)
    assert not backlog.take(1)
    backlog.give(0.0)
    assert not backlog.take(2)
    assert not backlog.take(-1)
    assert backlog.take(1)
    assert not backlog.take(1)


def test_a_new_beginning_and_a_refusal_change_the_time() -> None:
    backlog = Backlog()
    backlog.take(backlog.give(0.0))
    backlog.settle()
    backlog.give(10.0)
    assert abs(backlog.wait(10.0) - PATIENCE) < 1e-6
    backlog.prolong(10.1)
    assert abs(backlog.wait(10.1) - START) < 1e-6
    backlog.shorten(10.2)
    assert abs(backlog.wait(10.2) - CATCH_UP) < 1e-6
    assert backlog.wait(20.0) == 0.0
