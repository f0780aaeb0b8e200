"""What a level allows, and what is made of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware.call.media import H264
from firmware.media.level import LEVELS, PictureFormat, best_format, limits, macroblocks


@pytest.mark.parametrize(
    ("level", "bitrate", "expected"),
    [
        (31, 1_500_000, PictureFormat(1280, 720, 30, 31)),
        (40, 1_500_000, PictureFormat(1280, 720, 30, 31)),  # never larger than the camera; no higher level than needed
        (30, 1_500_000, PictureFormat(848, 480, 25, 30)),
        (13, 768_000, PictureFormat(416, 234, 30, 13)),
        (31, 384_000, PictureFormat(960, 540, 30, 31)),  # few bits: a smaller picture, not a worse one
        (9, 64_000, PictureFormat(160, 90, 24, 10)),  # level 1b
    ],
)
def test_720p30_camera(level: int, bitrate: int, expected: PictureFormat) -> None:
    assert best_format(H264(level=level), 1280, 720, 30, bitrate) == expected


def test_what_the_receiver_takes_beyond_its_level_counts() -> None:
    # RFC 6184 8.1: max-fs and max-mbps; many rooms say level 1.3 and so allow 720p.
    beyond = H264(level=13, max_frame_size=3_600, max_macroblock_rate=108_000)
    assert best_format(beyond, 1280, 720, 30, 1_500_000) == PictureFormat(1280, 720, 30, 13)
    assert limits(H264(level=31, max_bitrate=20_000_000)).bitrate == 20_000_000
    assert limits(H264(level=31, max_frame_size=99)) == LEVELS[31]  # less than the level says means nothing


def test_an_unknown_level_is_the_next_lower_one() -> None:
    assert limits(H264(level=33)) == LEVELS[32]
    assert limits(H264(level=1)) == LEVELS[9]


@given(
    st.builds(
        H264,
        level=st.sampled_from(sorted(LEVELS)),
        max_frame_size=st.sampled_from((0, 3_600, 8_192)),
        max_macroblock_rate=st.sampled_from((0, 108_000, 245_760)),
    ),
    st.tuples(st.integers(64, 1920), st.integers(36, 1088)).filter(lambda size: 0.3 < size[0] / size[1] < 4),
    st.integers(1, 60),
    st.integers(48_000, 8_000_000),
)
@example(H264(level=9), (258, 82), 30, 64_000)
def test_every_format_keeps_within_the_level(h264: H264, size: tuple[int, int], rate: int, bitrate: int) -> None:
    # Even sizes, as any 4:2:0 source has.
    width, height = size[0] // 2 * 2, size[1] // 2 * 2
    chosen, allowed = best_format(h264, width, height, rate, bitrate), limits(h264)
    blocks = macroblocks(chosen.width, chosen.height)
    assert chosen.width % 2 == chosen.height % 2 == 0
    assert chosen.height <= height
    assert 1 <= chosen.frame_rate <= rate
    assert blocks <= allowed.frame_size
    assert blocks * chosen.frame_rate <= allowed.macroblock_rate
    assert math.ceil(max(chosen.width, chosen.height) / 16) <= math.isqrt(8 * allowed.frame_size)  # A.3.1 f, g
    assert chosen.level <= max(h264.level, 10)
