"""The levels of H.264 (table A-1) as far as signalling needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firmware.call.media import H264

LEVEL_1B: Final = 9
MAX_BITRATES: Final = {
    10: 64, LEVEL_1B: 128, 11: 192, 12: 384, 13: 768, 20: 2_000, 21: 4_000, 22: 4_000, 30: 10_000, 31: 14_000,
    32: 20_000, 40: 20_000, 41: 50_000, 42: 50_000, 50: 135_000, 51: 240_000, 52: 240_000,
}  # fmt: skip
"""MaxBR: level_idc -> kbit/s of VCL data in Baseline and Main; the lowest level first."""


def max_bitrate(h264: H264) -> int:
    """Give the most that a receiver with these limits takes, bit/s."""
    return max(MAX_BITRATES[h264.level] * 1000, h264.max_bitrate)
