"""The levels of H.264."""

from __future__ import annotations

from firmware.call.media import H264
from firmware.signaling.h264_levels import LEVEL_1B, MAX_BITRATES, max_bitrate


def test_a_higher_level_takes_no_less() -> None:
    assert list(MAX_BITRATES.values()) == sorted(MAX_BITRATES.values())
    assert list(MAX_BITRATES)[:3] == [10, LEVEL_1B, 11], "level 1b stands between 1 and 1.1"


def test_a_limit_of_its_own_raises_that_of_the_level() -> None:
    assert max_bitrate(H264(level=13)) == 768_000
    assert max_bitrate(H264(level=13, max_bitrate=1_000_000)) == 1_000_000
    assert max_bitrate(H264(level=31, max_bitrate=1_000_000)) == 14_000_000
