"""What a camera can give, and which of it comes nearest to what is wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from board.pi import v4l2
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from board.pi.v4l2_device import Device

FORMATS = {
    "YU12": "yuv420p", "NV12": "nv12", "YUYV": "yuyv422", "UYVY": "uyvy422", "MJPG": "mjpeg", "RGB3": "rgb24",
}  # fmt: skip
"""Pixel formats that are understood, the best first, by libav's names; MJPG is decoded."""
CODED = {"H264": "h264"}
"""Likewise, those in which a camera encodes by itself."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which a camera gives pictures."""

    pixel_format: str
    width: int
    height: int
    frame_rate: int
    """The highest."""


def modes(device: Device, formats: Collection[str] = FORMATS) -> list[Mode]:
    """Everything that a camera can give in these formats; one that scales has the usual sizes."""
    found = []
    for number in device.formats(v4l2.VIDEO_CAPTURE):
        pixel_format = v4l2.fourcc_text(number)
        if pixel_format in formats:
            for width, height in _sizes(device, number):
                rate = _rate(device, number, width, height)
                found.append(Mode(pixel_format, width, height, rate))
    return found


def choose(offered: Iterable[Mode], width: int, height: int, frame_rate: int) -> Mode:
    """The mode nearest to what is wanted: large enough, then fast enough, then small and cheap.

    DeviceError: the camera offers nothing that is understood.
    """
    order = list(FORMATS)

    def distance(mode: Mode) -> tuple[int, int, int, int]:
        missing = max(0, width - mode.width) + max(0, height - mode.height)
        slow = max(0, frame_rate - mode.frame_rate)
        # A smaller picture in time looks better than a large one that stutters, within reason.
        stutters = int(mode.frame_rate * 2 < frame_rate)
        return stutters, missing, slow, mode.width * mode.height * len(order) + order.index(mode.pixel_format)

    best = min(offered, key=distance, default=None)
    if best is None:
        raise DeviceError(f"the camera has none of the formats {', '.join(FORMATS)}")
    return best


_USUAL_SIZES = ((640, 360), (1280, 720), (1920, 1080))


def _sizes(device: Device, pixel_format: int) -> list[tuple[int, int]]:
    sizes = []
    for found in device.frame_sizes(pixel_format):
        if found.type == v4l2.FRMSIZE_DISCRETE:
            sizes.append((found.size[0], found.size[1]))
        else:
            most = found.size[1], found.size[4]
            sizes += [size for size in _USUAL_SIZES if size[0] <= most[0] and size[1] <= most[1]]
    return sizes


def _rate(device: Device, pixel_format: int, width: int, height: int) -> int:
    """The highest; 30 where the camera does not say."""
    rates = [
        round(found.interval[0].denominator / found.interval[0].numerator)  # of a range, the shortest interval
        for found in device.frame_intervals(pixel_format, width, height)
        if found.interval[0].numerator
    ]
    return max(rates, default=30)
