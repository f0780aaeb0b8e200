"""`board.pi.drift`: a speaker whose clock is not the microphone's, without a speaker."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable
from itertools import pairwise

import pytest

from board.pi.drift import BAND, Drift, longer, shorter
from firmware.ports import BLOCK_BYTES, BLOCK_TIME, SAMPLE_RATE

WANTED = 0.040
MILLIONTH = 1e-6


class Speaker:
    """What waits before a speaker that is this much too fast; blocks come up to *late* s late."""

    def __init__(self, drift: float, late: float = 0.0) -> None:
        self.drift = Drift(WANTED)
        self.waiting = WANTED
        self.corrected = 0
        self._pace = 1 + drift
        self._late = late
        self._random = random.Random(1)

    def play(self, seconds: float) -> tuple[float, float]:
        """Play; give the least and the most that waited."""
        seen = []
        for _ in range(round(seconds / BLOCK_TIME)):
            seen.append(self.waiting)
            block = self.drift.correct(bytes(BLOCK_BYTES), self.waiting - self._random.uniform(0, self._late))
            self.corrected += len(block) != BLOCK_BYTES
            self.waiting += len(block) / 2 / SAMPLE_RATE - BLOCK_TIME * self._pace
        return min(seen), max(seen)


@pytest.mark.parametrize("drift", [-1500, -100, 100, 1500])
def test_a_speaker_of_another_clock_neither_runs_dry_nor_runs_over(drift: int) -> None:
    least, most = Speaker(drift * MILLIONTH).play(400)
    assert least > WANTED - 1.5 * BAND
    assert most < WANTED + 1.5 * BAND


def test_blocks_that_come_late_now_and_then_change_nothing() -> None:
    speaker = Speaker(0.0, late=0.010)
    speaker.play(100)
    assert speaker.corrected == 0


def test_what_is_right_is_let_be() -> None:
    speaker = Speaker(100 * MILLIONTH)
    speaker.play(900)
    assert speaker.corrected == pytest.approx(100 * MILLIONTH * 900 * SAMPLE_RATE, rel=0.1), "and never to and fro"


def test_it_begins_anew() -> None:
    drift = Drift(WANTED)
    while len(drift.correct(bytes(BLOCK_BYTES), 0.0)) == BLOCK_BYTES:
        pass
    drift.restart()
    assert len(drift.correct(bytes(BLOCK_BYTES), WANTED)) == BLOCK_BYTES


@pytest.mark.parametrize(("change", "samples"), [(shorter, 479), (longer, 481)])
def test_a_block_changes_by_a_sample_which_nobody_hears(change, samples: int) -> None:
    turn = 2 * math.pi * 440 / SAMPLE_RATE
    steady = array("h", (round(20_000 * math.sin(turn * n)) for n in range(480)))
    changed = array("h", change(steady.tobytes()))
    assert len(changed) == samples

    def roughness(sound: array[int]) -> int:
        return max(abs(b - a) for a, b in pairwise(sound))

    assert roughness(changed) <= roughness(steady)


def test_which_sample_comes_or_goes() -> None:
    assert samples(longer, -30_000, 30_000, 30_010, -30_000) == [-30_000, 30_000, 30_005, 30_010, -30_000]
    assert samples(shorter, 0, 900, -900, 880, 100) == [0, 900, 880, 100], "its neighbours differ by 20 only"


def samples(change: Callable[[bytes], bytes], *block: int) -> list[int]:
    return list(array("h", change(array("h", block).tobytes())))
