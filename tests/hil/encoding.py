"""What the encoders in a camera make of a picture of one colour."""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.frame import PictureType

Color = tuple[int, int, int]
"""Y, Cb and Cr, of limited range."""


class Encoder:
    """One of H.264, which makes a key frame at first and when it is told to."""

    def __init__(self, width: int, height: int, rate: int) -> None:
        self._size = width, height
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base, encoder.framerate, encoder.gop_size = Fraction(1, rate), Fraction(rate), 10_000
        encoder.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "forced-idr": "1",
            "level": "4",
        }
        encoder.open()
        self._encoder = encoder

    def encode(self, color: Color, *, key_frame: bool) -> bytes:
        """Its access unit."""
        picture = _picture(*self._size, color, "yuv420p")
        if key_frame:
            picture.pict_type = PictureType.I
        return b"".join(map(bytes, self._encoder.encode(picture)))


def jpeg(width: int, height: int, color: Color) -> bytes:
    """A JPEG of it; there, the colour has the full range."""
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj422p"
    encoder.time_base = Fraction(1)
    y, *others = color
    full = (round((y - 16) * 255 / 219), *(128 + round((value - 128) * 255 / 224) for value in others))
    return b"".join(map(bytes, encoder.encode(_picture(width, height, full, "yuvj422p"))))


def _picture(width: int, height: int, color: tuple[int, ...], form: str) -> av.VideoFrame:
    picture = av.VideoFrame(width, height, form)
    for plane, value in zip(picture.planes, color, strict=True):
        memoryview(plane)[:] = bytes([value]) * plane.buffer_size
    return picture
