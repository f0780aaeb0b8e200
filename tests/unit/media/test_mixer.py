"""Who hears whom, and the sum of sounds."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from firmware.media.mixer import ROOM, heard_by, mix, seen_by

SAMPLES = st.lists(st.integers(-32_768, 32_767), min_size=4, max_size=4)


def test_a_room_of_three_far_ends() -> None:
    far_ends = ("a", "b", "c")
    assert heard_by(ROOM, far_ends, echo=False) == ("a", "b", "c")
    assert heard_by("b", far_ends, echo=False) == (ROOM, "a", "c")
    assert seen_by("b", echo=False) == ROOM


def test_an_echo_gives_each_its_own() -> None:
    assert heard_by("b", ("a", "b"), echo=True) == ("b",)
    assert heard_by(ROOM, ("a", "b"), echo=True) == ()
    assert seen_by("b", echo=True) == "b"


def test_silence_is_nothing() -> None:
    assert mix([]) is None
    assert mix([None, None]) is None


def test_one_source_is_passed_on_untouched() -> None:
    block = bytes(range(8))
    assert mix([None, block, None]) is block


@given(st.lists(SAMPLES, min_size=2, max_size=4))
def test_the_sum_saturates(sounds: list[list[int]]) -> None:
    mixed = mix([array("h", sound).tobytes() for sound in sounds])
    assert mixed is not None
    expected = [max(-32_768, min(32_767, sum(samples))) for samples in zip(*sounds, strict=True)]
    assert list(array("h", mixed)) == expected
