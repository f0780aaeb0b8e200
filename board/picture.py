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
