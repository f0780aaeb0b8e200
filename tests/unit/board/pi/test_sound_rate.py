"""`board.pi.sound_rate`: what is heard at another rate."""

from __future__ import annotations

import math
from array import array

import pytest

from board.pi.sound_rate import converter


def tone(frequency: int, rate: int, seconds: float = 1.0) -> bytes:
    samples = (round(16_000 * math.sin(2 * math.pi * frequency * n / rate)) for n in range(round(rate * seconds)))
    return array("h", samples).tobytes()


def converted(sound: bytes, rate: int, wanted: int) -> array[int]:
    """Block by block, as sound comes."""
    convert = converter(rate, wanted)
    size = rate // 100 * 2
    return array("h", b"".join(convert(sound[place : place + size]) for place in range(0, len(sound), size)))


def level(samples: array[int], frequency: int, rate: int) -> float:
    """The amplitude of a frequency."""
    turn = 2 * math.pi * frequency / rate
    cosine = sum(sample * math.cos(turn * n) for n, sample in enumerate(samples))
    sine = sum(sample * math.sin(turn * n) for n, sample in enumerate(samples))
    return 2 * math.hypot(cosine, sine) / len(samples)


@pytest.mark.parametrize("rate", [16_000, 32_000, 44_100])
def test_a_tone_stays_the_same_in_both_directions(rate: int) -> None:
    for source, wanted in ((rate, 48_000), (48_000, rate)):
        heard = converted(tone(1000, source), source, wanted)
        assert wanted * 0.99 < len(heard) <= wanted
        middle = heard[wanted // 10 : wanted // 10 * 9]
        assert level(middle, 1000, wanted) == pytest.approx(16_000, rel=0.01)


def test_what_a_card_can_not_play_is_not_heard_as_something_else() -> None:
    heard = converted(tone(10_000, 48_000), 48_000, 16_000)[1600:]
    assert max(map(abs, heard)) < 20


def test_the_same_rate_is_let_be() -> None:
    sound = tone(440, 48_000, 0.01)
    assert converter(48_000, 48_000)(sound) == sound
