from __future__ import annotations

from firmware.sip.timers import Timers


def test_timers_fire_in_order_and_once() -> None:
    timers, fired = Timers(), []
    for at in (3.0, 1.0, 2.0, 1.0):
        timers.start(at, lambda now, at=at: fired.append((at, now)))
    assert timers.next() == 1.0
    timers.fire(0.5)
    assert not fired
    timers.fire(2.5)
    assert fired == [(1.0, 2.5), (1.0, 2.5), (2.0, 2.5)]
    timers.fire(2.5)
    assert len(fired) == 3
    assert timers.next() == 3.0
    assert len(timers) == 1


def test_a_cancelled_timer_does_not_fire_and_is_not_waited_for() -> None:
    timers = Timers()
    fired: list[float] = []
    first, second = timers.start(1.0, fired.append), timers.start(2.0, fired.append)
    first.cancel()
    first.cancel()
    assert not first.running
    assert timers.next() == 2.0
    second.cancel()
    assert timers.next() is None
    timers.fire(9.0)
    assert not fired


def test_a_timer_may_cancel_one_that_is_due_with_it() -> None:
    timers = Timers()
    fired: list[float] = []
    second = None

    def cancel(now: float) -> None:
        assert second is not None
        second.cancel()

    timers.start(1.0, cancel)
    second = timers.start(1.0, fired.append)
    timers.fire(1.0)
    assert not fired


def test_a_timer_may_start_another() -> None:
    timers = Timers()
    fired: list[float] = []
    timers.start(1.0, lambda now: timers.start(now + 1.0, fired.append) and None)
    timers.fire(1.0)
    assert timers.next() == 2.0
    timers.fire(2.0)
    assert fired == [2.0]


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers()
    for number in range(20_000):
        timers.start(number + 32.0, lambda now: None).cancel()
    kept = [timers.start(1e6, lambda now: None) for _ in range(300)]
    assert len(timers) == 300
    assert len(timers._heap) < 1000
    assert all(timer.running for timer in kept)
