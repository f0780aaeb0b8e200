"""`board.pi.access_unit`: what is in an access unit."""

import pytest

from board.pi.access_unit import Parts, has_key_frame, has_picture, profile, with_level

SPS = bytes.fromhex("00000001 6742c028 da0f00")
PPS = bytes.fromhex("00000001 68ce3c80")
IDR = bytes.fromhex("00000001 65b80000")
P = bytes.fromhex("000001 419a28")
DELIMITER = bytes.fromhex("00000001 09f0")
SEI = bytes.fromhex("000001 060401aa80")


@pytest.mark.parametrize(
    ("data", "picture", "key_frame"),
    [
        (SPS + PPS + IDR, True, True),
        (DELIMITER + SEI + P, True, False),
        (IDR, True, True),
        (SPS + PPS, False, False),
        (SEI, False, False),
        (b"", False, False),
        (b"\0\0\1", False, False),
        (b"\x65\x41", False, False),
    ],
)
def test_what_is_in_it(data: bytes, picture: bool, key_frame: bool) -> None:
    assert has_picture(data) is picture
    assert has_key_frame(data) is key_frame


def test_the_agreed_level_is_written() -> None:
    assert with_level(SPS + IDR, 31) == bytes.fromhex("00000001 6742c01f da0f00") + IDR


def test_the_agreed_level_is_written_behind_a_delimiter_and_with_a_short_start_code() -> None:
    assert with_level(DELIMITER + SPS[1:] + IDR, 31) == DELIMITER + bytes.fromhex("000001 6742c01f da0f00") + IDR


def test_what_looks_like_parameters_within_a_picture_is_none() -> None:
    assert with_level(P + SPS, 31) == P + SPS


@pytest.mark.parametrize("data", [SPS + IDR, IDR, b"", SPS[:7], bytes.fromhex("00000001 41 9a 28")])
def test_all_else_is_left_as_it_is(data: bytes) -> None:
    assert with_level(data, 40) is data


def test_parameter_sets_that_come_alone_go_before_the_next_picture() -> None:
    parts = Parts()
    assert [parts.join(data) for data in (SPS, PPS, IDR, P)] == [b"", b"", SPS + PPS + IDR, P]


def test_an_encoder_that_never_gives_a_picture_takes_no_memory() -> None:
    parts = Parts()
    for _ in range(10_000):
        parts.join(SPS)
    assert len(parts.join(IDR)) < 5000


@pytest.mark.parametrize(("data", "number"), [(DELIMITER + SPS + IDR, 66), (IDR, None), (b"\0\0\1\x67", None)])
def test_the_profile_is_what_the_parameter_set_says(data: bytes, number: int | None) -> None:
    assert profile(data) == number
