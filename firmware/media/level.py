"""H.264 levels: what a receiver's level allows (H.264 table A-1), and the best picture that keeps within it.

Sizes are counted in macroblocks of 16x16 pixels, as in the standard.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from firmware.call.media import H264


@dataclass(frozen=True, slots=True)
class Level:
    """A row of H.264 table A-1."""

    macroblock_rate: int
    """MaxMBPS: macroblocks a second."""
    frame_size: int
    """MaxFS: macroblocks a frame."""
    bitrate: int
    """MaxBR for Baseline, Main and the VCL, bit/s."""


LEVELS = {
    9: Level(1_485, 99, 128_000),  # level 1b
    10: Level(1_485, 99, 64_000),
    11: Level(3_000, 396, 192_000),
    12: Level(6_000, 396, 384_000),
    13: Level(11_880, 396, 768_000),
    20: Level(11_880, 396, 2_000_000),
    21: Level(19_800, 792, 4_000_000),
    22: Level(20_250, 1_620, 4_000_000),
    30: Level(40_500, 1_620, 10_000_000),
    31: Level(108_000, 3_600, 14_000_000),
    32: Level(216_000, 5_120, 20_000_000),
    40: Level(245_760, 8_192, 20_000_000),
    41: Level(245_760, 8_192, 50_000_000),
    42: Level(522_240, 8_704, 50_000_000),
    50: Level(589_824, 22_080, 135_000_000),
    51: Level(983_040, 36_864, 240_000_000),
    52: Level(2_073_600, 36_864, 240_000_000),
}
"""By level_idc (9 stands for 1b)."""

HEIGHTS = (1080, 720, 576, 540, 480, 432, 360, 288, 270, 234, 180, 144, 90, 48)
"""Lines of the pictures that we send, largest first."""

LEAST_RATE = 15
"""Frames a second below which a smaller picture is the better one."""

BITS_PER_MACROBLOCK = 6
"""Below this, a smaller picture is the better one: 720p30 wants 650 kbit/s, 360p30 166 kbit/s."""


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """What an encoder is set to."""

    width: int
    height: int
    frame_rate: int
    level: int
    """level_idc of the stream: the lowest that holds it; 0 where the codec has no levels."""
    pixel_aspect: Fraction = Fraction(1)
    """Width of a pixel to its height."""


def limits(h264: H264) -> Level:
    """What the receiver takes: its level, raised by what it said beyond (RFC 6184 8.1: max-mbps, max-fs, max-br)."""
    known = [level for level in LEVELS if level <= h264.level] or [min(LEVELS)]
    level = LEVELS[max(known)]
    return Level(
        max(level.macroblock_rate, h264.max_macroblock_rate),
        max(level.frame_size, h264.max_frame_size),
        max(level.bitrate, h264.max_bitrate),
    )


def macroblocks(width: int, height: int) -> int:
    """Macroblocks of a frame of this size in pixels."""
    return math.ceil(width / 16) * math.ceil(height / 16)


def best_format(receiver: H264, width: int, height: int, frame_rate: int, bitrate: int) -> PictureFormat:
    """The largest picture of the source's shape, and the highest rate, that the receiver and the bitrate (bit/s) allow.

    The source is *width* x *height* pixels; pictures are never enlarged.
    """
    allowed = limits(receiver)
    heights = [height, *(lines for lines in HEIGHTS if lines < height)]
    for lines in heights:
        columns = width if lines == height else max(16, round(width * lines / height / 16) * 16)
        size = macroblocks(columns, lines)
        rate = min(frame_rate, allowed.macroblock_rate // size)
        # H.264 A.3.1 f, g: neither side longer than sqrt(8 MaxFS) macroblocks.
        longest = math.isqrt(8 * allowed.frame_size)
        fits = size <= allowed.frame_size and math.ceil(max(columns, lines) / 16) <= longest
        smooth = rate >= min(LEAST_RATE, frame_rate)
        fine = size * rate * BITS_PER_MACROBLOCK <= bitrate
        if (fits and smooth and fine) or lines == heights[-1]:
            break
    rate = max(rate, 1)
    return PictureFormat(columns, lines, rate, _level_of(receiver, size, size * rate, bitrate))


def _level_of(receiver: H264, frame_size: int, macroblock_rate: int, bitrate: int) -> int:
    for number, level in sorted(LEVELS.items()):
        if number == min(LEVELS):
            continue  # 1b has a signalling of its own, and is hardly more than 1
        holds = level.frame_size >= frame_size and level.macroblock_rate >= macroblock_rate and level.bitrate >= bitrate
        if holds or number >= receiver.level:
            return number
    return max(LEVELS)
