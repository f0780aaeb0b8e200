"""PNG as others read it."""

from __future__ import annotations

import io

from PIL import Image

from firmware.media.png import encode_png


def test_pillow_reads_the_same_pixels() -> None:
    picture = Image.effect_mandelbrot((31, 17), (-2, -1, 1, 1), 20).convert("RGB")
    picture.putpixel((30, 16), (1, 2, 3))
    read = Image.open(io.BytesIO(encode_png(picture)))
    read.load()
    assert (read.format, read.mode, read.size) == ("PNG", "RGB", (31, 17))
    assert read.tobytes() == picture.tobytes()
