"""A list of planes made one picture, in memory.

For the simulated display, for screenshots, and for a screen whose hardware can't scale and blend planes.
A raw picture is scaled and converted by libswscale; an RGBA image is scaled and blended by Pillow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from PIL import Image

from board.picture import to_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av

    from firmware.ports import Plane

_UNSPECIFIED = 2
"""AVCOL_SPC_UNSPECIFIED: the stream said nothing about its colours."""


class Composer:
    """Composes again and again; keeps the scalers' tables from one time to the next.  For one thread at a time."""

    def __init__(self) -> None:
        self._reformatters: list[VideoReformatter] = []

    def compose(self, planes: Sequence[Plane], width: int, height: int, background: str = "#000000") -> Image.Image:
        """The planes, the last on top, on a screen of this size in pixels, as RGB."""
        screen = Image.new("RGB", (width, height), background)
        while len(self._reformatters) < len(planes):
            self._reformatters.append(VideoReformatter())
        for plane, reformatter in zip(planes, self._reformatters, strict=False):
            left, top, right, bottom = rectangle(plane, width, height)
            if right <= left or bottom <= top:
                continue
            size = fit(plane.picture.width, plane.picture.height, right - left, bottom - top, fill=plane.fill)
            picture = _scaled(plane.picture, size, reformatter)
            if plane.fill:
                cut_x, cut_y = (size[0] - (right - left)) // 2, (size[1] - (bottom - top)) // 2
                picture = picture.crop((cut_x, cut_y, cut_x + right - left, cut_y + bottom - top))
            place = (left + (right - left - picture.width) // 2, top + (bottom - top - picture.height) // 2)
            screen.paste(picture, place, picture if picture.mode == "RGBA" else None)
        return screen


def rectangle(plane: Plane, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a plane on a screen of this size, pixels; neighbours meet without a gap."""
    return (
        round(plane.x * width),
        round(plane.y * height),
        round((plane.x + plane.width) * width),
        round((plane.y + plane.height) * height),
    )


def fit(width: int, height: int, room_width: int, room_height: int, *, fill: bool) -> tuple[int, int]:
    """The size, in pixels, at which a picture fits into a room with its shape kept, or fills all of it."""
    scales = room_width / width, room_height / height
    scale = max(scales) if fill else min(scales)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _scaled(picture: av.VideoFrame | Image.Image, size: tuple[int, int], reformatter: VideoReformatter) -> Image.Image:
    if isinstance(picture, Image.Image):
        image = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2)
    colorspace = None if picture.colorspace != _UNSPECIFIED else Colorspace.ITU601
    return to_image(
        reformatter.reformat(
            picture, *size, "rgb24", src_colorspace=colorspace, dst_color_range=ColorRange.JPEG, threads=1
        )
    )
