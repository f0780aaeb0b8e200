"""What is in pictures, and in access units made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from board.pi.m2m_encoder import M2mEncoder

COLORS = {
    "white": (235, 128, 128),
    "yellow": (210, 16, 146),
    "cyan": (170, 166, 16),
    "green": (145, 54, 34),
    "magenta": (106, 202, 222),
    "red": (81, 90, 240),
    "blue": (41, 240, 110),
    "black": (16, 128, 128),
}
"""BT.601, limited range (Y, Cb, Cr)."""
PLAIN = ("white", "green", "red", "blue")
"""Those of which the kernel's drivers show a whole picture."""
STRIPES = list(COLORS)
"""In the order of the kernel's patterns, from the left or from above."""


def middle(frame: av.VideoFrame, x: float = 0.5, y: float = 0.5) -> tuple[int, ...]:
    """The colour in the middle of a picture, or at these parts of its width and height."""
    return tuple(bytes(p)[int(p.height * y) * p.line_size + int(p.width * x)] for p in frame.planes)


def color_at(frame: av.VideoFrame, x: float, y: float) -> str:
    """The name of the colour there; "" where it has none."""
    found = middle(frame, x, y)
    return next((name for name in COLORS if _alike(found, COLORS[name])), "")


def is_color(frame: av.VideoFrame | None, name: str) -> bool:
    return frame is not None and _alike(middle(frame), COLORS[name])


def _alike(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(abs(one - other) <= 4 for one, other in zip(a, b, strict=True))


class Access:
    """What an encoder of a camera gives."""

    def __init__(self) -> None:
        self.units: list[tuple[bytes, float]] = []

    def add(self, data: bytes, taken: float) -> None:
        self.units.append((data, taken))

    def last_picture(self) -> av.VideoFrame | None:
        decoder = av.CodecContext.create("h264", "r")
        frames = [f for p in [*(av.Packet(data) for data, _ in list(self.units)), None] for f in decoder.decode(p)]
        return frames[-1] if frames else None


def stall(encoder: M2mEncoder) -> None:
    """Let nothing come any more of what a hardware encoder makes: it takes pictures until its memory is full."""
    encoder._access_units.take = lambda: None
