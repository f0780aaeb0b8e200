"""Lines of text as pictures.

Drawn once and kept: most scenes repeat the words of the one before.  The typeface is DejaVu Sans where it is installed,
because it knows Greek, Cyrillic and many more; else the one that Pillow brings.
"""

from __future__ import annotations

import functools

from PIL import Image, ImageDraw, ImageFont

from firmware.media.scene import Words

KEPT = 64
"""Drawn lines that are kept; a line across a 1080p screen may take 0.5 MB, most take a tenth."""
LINE_HEIGHT = 1.25
"""Height of the rectangle in heights of the letters, with their ascenders and descenders."""
PADDING = 0.45
"""Space left and right of the words on a background, in heights of the rectangle."""
LONGEST = 300
"""Characters: no screen shows more in a line."""


@functools.lru_cache(maxsize=KEPT)
def draw_words(words: Words, width: int, height: int) -> Image.Image:
    """Give the line as an RGBA picture of *width* x *height* pixels, the size of its place on the screen."""
    picture = Image.new("RGBA", (width, height))
    font = _font(max(6, int(height / LINE_HEIGHT)))
    padding = height * PADDING if words.background else 0.0
    room = width - 2 * padding
    text = _shortened(" ".join(words.text[:LONGEST].split()), font, room)
    length = font.getlength(text)
    left = padding + (room - length) * {"center": 0.5, "right": 1.0}.get(words.align, 0.0)
    draw = ImageDraw.Draw(picture)
    if words.background and text:
        box = (left - padding, 0, left + length + padding - 1, height - 1)
        draw.rounded_rectangle(box, radius=height / 2, fill=words.background)
    draw.text((left, height / 2), text, font=font, fill=words.color, anchor="lm")
    return picture


def _shortened(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """Cut the text, with an ellipsis, where it is wider than *room* pixels."""
    if font.getlength(text) <= room:
        return text
    fits, too_many = 0, len(text)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if font.getlength(text[:middle].rstrip() + "…") <= room:
            fits = middle
        else:
            too_many = middle
    return text[:fits].rstrip() + "…" if fits else ""


@functools.lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font
