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
    from collections.abc import Iterator, Sequence

    import av

    from firmware.ports import Plane

_UNSPECIFIED = 2
"""AVCOL_SPC_UNSPECIFIED: the stream said nothing about its colours."""


class Composer:
    """Composes again and again; keeps the scalers' tables from one time to the next.  For one thread at a time."""

    def __init__(self) -> None:
        self._reformatters: list[VideoReformatter] = []
        self._images: dict[int, tuple[Image.Image, Image.Image]] = {}
        """By a plane's number, the image that it had and the same in its size: words rarely change."""

    def compose(self, planes: Sequence[Plane], width: int, height: int, background: str = "#000000") -> Image.Image:
        """The planes, the last on top, on a screen of this size in pixels, as RGB."""
        screen = Image.new("RGB", (width, height), background)
        for picture, place in self._placed(planes, width, height):
            screen.paste(picture, place, picture if picture.mode == "RGBA" else None)
        return screen

    def overlay(self, planes: Sequence[Plane], width: int, height: int) -> Image.Image:
        """The same on nothing, as RGBA: where no plane lies, what is below shines through."""
        screen = Image.new("RGBA", (width, height))
        for picture, (left, top) in self._placed(planes, width, height):
            seen = picture.crop((max(0, -left), max(0, -top), picture.width, picture.height)).convert("RGBA")
            screen.alpha_composite(seen, (max(0, left), max(0, top)))
        return screen

    def _placed(
        self, planes: Sequence[Plane], width: int, height: int
    ) -> Iterator[tuple[Image.Image, tuple[int, int]]]:
        """Each plane that is seen, in its size, and where its left upper corner lies."""
        while len(self._reformatters) < len(planes):
            self._reformatters.append(VideoReformatter())
        self._images = {number: kept for number, kept in self._images.items() if number < len(planes)}
        for number, plane in enumerate(planes):
            left, top, right, bottom = rectangle(plane, width, height)
            if right <= left or bottom <= top:
                continue
            size = fit(plane.picture.width, plane.picture.height, right - left, bottom - top, fill=plane.fill)
            picture = self._scaled(number, plane.picture, size)
            if plane.fill:
                cut_x, cut_y = (size[0] - (right - left)) // 2, (size[1] - (bottom - top)) // 2
                picture = picture.crop((cut_x, cut_y, cut_x + right - left, cut_y + bottom - top))
            yield picture, (left + (right - left - picture.width) // 2, top + (bottom - top - picture.height) // 2)

    def _scaled(self, number: int, picture: av.VideoFrame | Image.Image, size: tuple[int, int]) -> Image.Image:
        """The picture in this size: RGB, or RGBA where something shines through."""
        if isinstance(picture, Image.Image):
            kept = self._images.get(number)
            if kept is not None and kept[0] is picture and kept[1].size == size:
                return kept[1]
            image = _visible(picture).resize(size, Image.Resampling.BICUBIC, reducing_gap=2)
            self._images[number] = picture, image
            return image
        return to_image(
            self._reformatters[number].reformat(
                picture,
                *size,
                "rgb24",
                src_colorspace=Colorspace.ITU601 if picture.colorspace == _UNSPECIFIED else None,
                dst_color_range=ColorRange.JPEG,
                threads=1,
            )
        )


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


def _visible(image: Image.Image) -> Image.Image:
    """The image without its opacity where that is full everywhere: then nothing has to be blended."""
    blended = image.convert("RGBA")
    return blended.convert("RGB") if blended.getchannel("A").getextrema() == (255, 255) else blended
