"""The standard sizes of H.261 and H.263: what to send of those that a receiver takes.

Their pixels are not square: any of the sizes, but the smallest, fills a screen of 4:3 (H.261 3.1, H.263 4.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from firmware.call.media import QCIF, PictureSize
from firmware.media.level import LEAST_RATE, PictureFormat, macroblocks

PIXEL_ASPECT = Fraction(12, 11)
"""Width of a pixel to its height."""
MOST_RATE = 30
"""Pictures a second: 29.97, as H.264's are counted here."""
BITS_PER_MACROBLOCK = 20
"""Below this, fewer pictures, and then smaller ones, are the better ones: CIF at 30 wants 238 kbit/s, at 15 half."""


def best_size(sizes: Sequence[PictureSize], width: int, height: int, frame_rate: int, bitrate: int) -> PictureFormat:
    """The largest size, and the highest rate, that the receiver and the bitrate (bit/s) allow.

    The source is *width* x *height* pixels; pictures are not enlarged, unless all sizes are larger.
    """
    ordered = sorted(sizes or (QCIF,), key=lambda size: size.width * size.height, reverse=True)
    fitting = [size for size in ordered if size.height <= height and size.width <= width * 1.1] or ordered[-1:]
    for size in fitting:
        most = min(frame_rate, MOST_RATE // size.interval)
        rate = min(most, bitrate // (macroblocks(size.width, size.height) * BITS_PER_MACROBLOCK))
        if rate >= min(LEAST_RATE, frame_rate):
            break
    else:
        rate = most
    return PictureFormat(size.width, size.height, max(rate, 1), 0, PIXEL_ASPECT)
