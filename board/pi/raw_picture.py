"""From what a camera gives to what the firmware takes: ``yuv420p``, BT.601, limited range."""

from __future__ import annotations

import av
from av.codec.context import Flags
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from board.pi.camera_mode import CODED, FORMATS

_PLANE_ROWS = {"yuv420p": (1, 2, 2), "nv12": (1, 2), "yuyv422": (1,), "uyvy422": (1,), "rgb24": (1,)}
"""By what the picture's height is divided for a plane's."""
_PLANE_STRIDES = {"yuv420p": (1, 2, 2), "nv12": (1, 1), "yuyv422": (1,), "uyvy422": (1,), "rgb24": (1,)}
"""By what the first plane's stride is divided for a plane's."""
_DECODED = ("mjpeg", "h264")


class Converter:
    """Converts the pictures of one camera; for one thread."""

    def __init__(self, pixel_format: str, width: int, height: int, stride: int) -> None:
        self._name = (FORMATS | CODED)[pixel_format]
        self._width, self._height, self._stride = width, height, stride
        self._reformatter = VideoReformatter()
        self._decoder = _decoder(self._name) if self._name in _DECODED else None

    def convert(self, data: memoryview) -> av.VideoFrame | None:
        """The picture, one of its own each time; None where what the camera sent is none (cut off, say)."""
        frame = self._decode(data) if self._decoder is not None else self._lay_out(data)
        if frame is None or (frame.width, frame.height) != (self._width, self._height):
            return None
        if frame.format.name != "yuv420p":
            frame = self._reformatter.reformat(
                frame,
                format="yuv420p",
                src_colorspace=Colorspace.ITU601,
                dst_colorspace=Colorspace.ITU601,
                dst_color_range=ColorRange.MPEG,
                threads=1,
            )
        frame.colorspace, frame.color_range = Colorspace.ITU601, ColorRange.MPEG
        frame.pict_type = PictureType.NONE  # a JPEG's says I, by which an encoder makes every picture a key frame
        return frame

    def _decode(self, data: memoryview) -> av.VideoFrame | None:
        assert self._decoder is not None
        try:
            frames = self._decoder.decode(av.Packet(bytes(data)))
        except av.FFmpegError:
            return None
        return frames[-1] if frames else None

    def _lay_out(self, data: memoryview) -> av.VideoFrame | None:
        rows, strides = _PLANE_ROWS[self._name], _PLANE_STRIDES[self._name]
        if len(data) < sum(self._stride // s * (self._height // r) for r, s in zip(rows, strides, strict=True)):
            return None
        frame = av.VideoFrame(self._width, self._height, self._name)
        if self._name != "rgb24":
            frame.colorspace, frame.color_range = Colorspace.ITU601, ColorRange.MPEG
        start = 0
        for plane, row_part, stride_part in zip(frame.planes, rows, strides, strict=True):
            height, stride = self._height // row_part, self._stride // stride_part
            pixels = memoryview(plane)
            if plane.line_size == stride:
                pixels[: stride * height] = data[start : start + stride * height]
            else:
                length = min(plane.line_size, stride)
                for row in range(height):
                    place = start + row * stride
                    pixels[row * plane.line_size :][:length] = data[place : place + length]
            start += stride * height
        return frame


def _decoder(name: str) -> av.VideoCodecContext:
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    decoder.flags |= Flags.low_delay
    return decoder
