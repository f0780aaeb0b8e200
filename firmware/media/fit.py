"""Fits pictures of any shape into one of another: nothing is stretched or cut, what is left over is black."""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.reformatter import VideoReformatter

SLACK = Fraction(1, 20)
"""A picture that would be stretched by less than this fills all: nobody sees it."""
_BLACK = (16, 128, 128)  # BT.601, limited range


class Fitter:
    """Fits one stream's pictures into *width* x *height* pixels, whose width to their height is *pixel_aspect*."""

    def __init__(self, width: int, height: int, pixel_aspect: Fraction = Fraction(1)) -> None:
        self._size = width, height
        self._pixel_aspect = pixel_aspect
        self._reformatter = VideoReformatter()

    def fit(self, frame: av.VideoFrame, *, own: bool = False) -> av.VideoFrame:
        """Give the picture, whose own pixels are square, as yuv420p of that size.

        It may be *frame* itself, which others look at, too; *own*: a picture that may be changed.
        """
        width, height = self._size
        inner = self.inner_size(frame.width, frame.height)
        fitted = self._reformatter.reformat(frame, *inner, "yuv420p")
        return _embed(fitted, width, height) if inner != (width, height) or (own and fitted is frame) else fitted

    def inner_size(self, source_width: int, source_height: int) -> tuple[int, int]:
        """Give the size of the picture within, even in both directions; all where the shapes are nearly the same."""
        width, height = self._size
        ratio = Fraction(source_width, source_height) / (self._pixel_aspect * Fraction(width, height))
        if abs(ratio - 1) <= SLACK:
            return width, height
        if ratio > 1:
            return width, max(2, round(height / ratio / 2) * 2)
        return max(2, round(width * ratio / 2) * 2), height


def _embed(inner: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """Give a black picture with the inner one in its middle."""
    # A new one each time: an encoder may keep those it was given.
    outer = av.VideoFrame(width, height, "yuv420p")
    outer.colorspace, outer.color_range = inner.colorspace, inner.color_range
    if inner.time_base is not None:
        outer.time_base, outer.pts = inner.time_base, inner.pts
    for plane, source, black in zip(outer.planes, inner.planes, _BLACK, strict=True):
        line, source_line = plane.line_size, source.line_size
        rows = bytearray([black]) * (line * plane.height)
        content = memoryview(source)
        left, top = (plane.width - source.width) // 2, (plane.height - source.height) // 2
        for row in range(source.height):
            begin = (top + row) * line + left
            rows[begin : begin + source.width] = content[row * source_line : row * source_line + source.width]
        plane.update(bytes(rows))
    return outer
