"""The test card as a video file, for programs that are not ours to play."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from board.sim.card import Card


def write_card(
    path: Path, label: str, seconds: float, width: int = 1280, height: int = 720, frame_rate: int = 30
) -> Path:
    """Encode the moving test card, with its frame counter, as H.264 in the container that the file's name asks for."""
    card = Card(width, height, frame_rate, label)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=frame_rate, options={"preset": "ultrafast", "crf": "20", "g": "30"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, frame_rate)
        for number in range(round(seconds * frame_rate)):
            picture = card.picture(number)
            picture.pts = number
            picture.time_base = Fraction(1, frame_rate)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path
