"""Pictures from libav to Pillow and back, without numpy."""

from __future__ import annotations

import av
from PIL import Image


def to_image(frame: av.VideoFrame) -> Image.Image:
    """The picture of a frame that is ``rgb24``, or the luma of one that is planar YUV or grey, as RGB or L."""
    mode = "RGB" if frame.format.name == "rgb24" else "L"
    plane = frame.planes[0]
    return Image.frombuffer(mode, (frame.width, frame.height), bytes(plane), "raw", mode, plane.line_size, 1)


def to_frame(image: Image.Image) -> av.VideoFrame:
    """The image as a frame of ``rgb24``."""
    frame = av.VideoFrame(image.width, image.height, "rgb24")
    plane = frame.planes[0]
    length = image.width * 3
    pixels = image.convert("RGB").tobytes()
    with memoryview(plane) as rows:
        for y in range(image.height):
            rows[y * plane.line_size : y * plane.line_size + length] = pixels[y * length : (y + 1) * length]
    return frame


def copied(frame: av.VideoFrame) -> av.VideoFrame:
    """A copy of a ``yuv420p`` frame, of the same time and colours; nothing else uses its memory or its attributes."""
    return cropped(frame, 0, 0, frame.width, frame.height)


def cropped(frame: av.VideoFrame, left: int, top: int, width: int, height: int) -> av.VideoFrame:
    """A part of a ``yuv420p`` frame as one of its own, of the same time and colours; all numbers are even."""
    part = av.VideoFrame(width, height, "yuv420p")
    for plane, source, scale in zip(part.planes, frame.planes, (1, 2, 2), strict=True):
        line, source_line = plane.line_size, source.line_size
        first = top // scale * source_line + left // scale
        with memoryview(plane) as rows, memoryview(source) as pixels:
            if line == source_line and not left:
                rows[: line * plane.height] = pixels[first : first + line * plane.height]
                continue
            length = plane.width
            for row in range(plane.height):
                start = first + row * source_line
                rows[row * line : row * line + length] = pixels[start : start + length]
    part.colorspace, part.color_range = frame.colorspace, frame.color_range
    if frame.time_base is not None:
        part.time_base, part.pts = frame.time_base, frame.pts
    return part
