"""Lines of text, by what can be seen of them."""

from __future__ import annotations

import pytest
from PIL import Image

from firmware.media.scene import Rectangle, Words
from firmware.media.words import draw_words

PLACE = Rectangle(0, 0, 1, 1)


def inked(picture: Image.Image) -> tuple[int, int, int, int]:
    box = picture.getchannel("A").getbbox()
    assert box is not None, "nothing was drawn"
    return box


def test_the_picture_has_the_size_of_its_place() -> None:
    picture = draw_words(Words("Room", PLACE), 300, 40)
    assert (picture.mode, picture.size) == ("RGBA", (300, 40))


def test_the_text_is_as_high_as_its_place() -> None:
    _, top, _, bottom = inked(draw_words(Words("Äg|", PLACE), 300, 100))
    assert bottom - top > 70


@pytest.mark.parametrize(("align", "left"), [("left", 0), ("center", 0.4), ("right", 0.7)])
def test_alignment(align: str, left: float) -> None:
    box = inked(draw_words(Words("abc", PLACE, align=align), 400, 40))
    assert left * 400 <= box[0] <= (left + 0.25) * 400


def test_text_that_is_too_wide_is_cut_with_an_ellipsis() -> None:
    long, short = (draw_words(Words(text, PLACE), 200, 40) for text in ("W" * 1_000, "W"))
    assert inked(long)[2] <= 200
    assert inked(long)[2] > 150
    assert inked(short)[2] < 60
    draw_words(Words("WWW", PLACE), 20, 40)  # not even one letter fits: no error


def test_the_background_is_behind_the_words_only() -> None:
    picture = draw_words(Words("abc", PLACE, background="#ff0000"), 400, 40)
    left, top, right, bottom = inked(picture)
    assert (left, top, bottom) == (0, 0, 40)
    assert right < 200
    assert picture.getpixel((right // 2, 1)) == (255, 0, 0, 255)
    assert picture.getpixel((0, 0)) != (255, 0, 0, 255)  # a round corner


def test_nothing_to_say() -> None:
    assert draw_words(Words("", PLACE, background="#ff0000"), 100, 20).getchannel("A").getbbox() is None


def test_the_same_words_are_drawn_once() -> None:
    words = Words("Visavis", PLACE)
    assert draw_words(words, 200, 30) is draw_words(Words("Visavis", PLACE), 200, 30)
    assert draw_words(words, 200, 30) is not draw_words(words, 200, 31)
