"""`board.sim.beat`."""

import threading
import time

from board.sim.beat import Beat


def test_beats_come_in_order_and_never_early() -> None:
    beat = Beat(0.002)
    for number in range(1, 20):
        got = beat.wait()
        assert got is not None
        assert got >= number
        assert time.monotonic() >= beat.time(got)


def test_lateness_does_not_become_drift() -> None:
    beat = Beat(0.01, patience=1000)
    start = beat.time(0)
    for number in range(1, 8):
        assert beat.wait() == number
        time.sleep(0.008)
        assert beat.time(number) == start + number * 0.01


def test_a_patient_clock_keeps_what_was_missed() -> None:
    beat = Beat(0.005, patience=1000)
    time.sleep(0.05)
    assert [beat.wait() for _ in range(8)] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_when_patience_is_over_all_but_the_latest_are_lost() -> None:
    beat = Beat(0.005, patience=3)
    assert beat.wait() == 1
    time.sleep(0.1)
    late = beat.wait()
    assert late is not None
    assert late >= 20


def test_without_patience_only_the_latest_counts() -> None:
    beat = Beat(0.005)
    time.sleep(0.03)
    first, second = beat.wait(), beat.wait()
    assert first is not None
    assert second is not None
    assert first >= 6
    assert second > first


def test_stop_lets_a_waiting_thread_go() -> None:
    beat = Beat(60.0)
    got: list[int | None] = [0]
    waiting = threading.Thread(target=lambda: got.append(beat.wait()))
    waiting.start()
    beat.stop()
    waiting.join(10)
    assert got == [0, None]
    assert beat.wait() is None
