"""What is in pictures, and in access units made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from board.pi.m2m_encoder import M2mEncoder

COLORS = {"red": (81, 90, 240), "green": (145, 54, 34), "blue": (41, 240, 110), "white": (235, 128, 128)}
"""BT.601, limited range (Y, Cb, Cr)."""


def middle(frame: av.VideoFrame) -> tuple[int, ...]:
    """The colour in the middle of a picture."""
    return tuple(bytes(p)[p.height // 2 * p.line_size + p.width // 2] for p in frame.planes)


def is_color(frame: av.VideoFrame | None, name: str) -> bool:
    return frame is not None and all(abs(a - b) <= 4 for a, b in zip(middle(frame), COLORS[name], strict=True))


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
