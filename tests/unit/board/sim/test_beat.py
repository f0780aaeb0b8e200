"""`board.sim.beat`."""

import threading
import time

import pytest

from board.sim import beat as module
from board.sim.beat import Beat


class Clock:
    """A clock that only sleeping moves, exactly."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_beats_come_in_order_and_never_early() -> None:
    beat = Beat(0.002)
    for number in range(1, 20):
        got = beat.wait()
        assert got is not None
        assert got >= number
        assert time.monotonic() >= beat.time(got)


def test_lateness_does_not_become_drift(clock: Clock) -> None:
    beat = Beat(0.01)
    for number in range(1, 100):
        assert beat.wait() == number
        assert clock.now == pytest.approx(1000 + number * 0.01)
        clock.now += 0.0099


def test_a_patient_clock_keeps_what_was_missed(clock: Clock) -> None:
    beat = Beat(0.01, patience=20)
    clock.now += 0.2001
    assert [beat.wait() for _ in range(20)] == list(range(1, 21))
    assert clock.now == pytest.approx(1000.2001)
    assert beat.wait() == 21
    assert clock.now == pytest.approx(1000.21)


def test_when_patience_is_over_all_but_the_latest_are_lost(clock: Clock) -> None:
    beat = Beat(0.01, patience=20)
    clock.now += 0.2201
    assert beat.wait() == 22
    assert beat.wait() == 23
    assert clock.now == pytest.approx(1000.23)


def test_without_patience_only_the_latest_counts(clock: Clock) -> None:
    beat = Beat(0.01)
    clock.now += 0.0351
    assert [beat.wait(), beat.wait()] == [3, 4]
    assert clock.now == pytest.approx(1000.04)


def test_stop_lets_a_waiting_thread_go() -> None:
    beat = Beat(60.0)
    got: list[int | None] = [0]
    waiting = threading.Thread(target=lambda: got.append(beat.wait()))
    waiting.start()
    beat.stop()
    waiting.join(10)
    assert got == [0, None]
    assert beat.stopped
    assert beat.wait() is None
