"""`board.sim.counter`: what is written is read after all that happens to pictures, and nothing else is."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from board.picture import to_frame
from board.sim.counter import MODULES, card_number, modules, read_cards, read_counter


def draw(counter: int, label: str = "A", module: int = 6, height: int = 40) -> Image.Image:
    """A code on a white strip."""
    code = Image.new("L", (MODULES + 8, 1), 255)
    for n, bit in enumerate(modules(card_number(label), counter)):
        code.putpixel((n + 4, 0), 0 if bit == "1" else 255)
    return code.resize((code.width * module, height), Image.Resampling.NEAREST).convert("RGB")


@given(st.integers(0, 2**24 - 1), st.text(max_size=10))
def test_what_is_written_is_read(counter: int, label: str) -> None:
    picture = draw(counter, label, module=2, height=4)
    assert read_counter(picture) == read_counter(picture, label) == counter


def test_the_counter_begins_again_after_24_bits() -> None:
    assert read_counter(draw(2**24 + 5)) == 5


@pytest.mark.parametrize("factor", [0.34, 0.5, 0.77, 1.5, 2.9])
def test_any_size_is_read(factor: float) -> None:
    picture = draw(1_234_567)
    size = (round(picture.width * factor), round(picture.height * factor))
    assert read_counter(picture.resize(size, Image.Resampling.BICUBIC)) == 1_234_567


def test_place_does_not_matter() -> None:
    screen = Image.new("RGB", (1280, 720), "#203040")
    screen.paste(draw(77), (311, 503))
    assert read_counter(screen) == 77


def test_blur_noise_and_poor_contrast_are_borne() -> None:
    rng = random.Random(1)
    picture = draw(4242).filter(ImageFilter.GaussianBlur(2.0)).convert("L")
    picture = picture.point([60 + value // 2 for value in range(256)])
    noise = Image.frombytes("L", picture.size, rng.randbytes(picture.width * picture.height))
    assert read_counter(Image.blend(picture, noise, 0.15)) == 4242


def test_raw_pictures_are_read_by_their_luma() -> None:
    assert read_counter(to_frame(draw(9)).reformat(format="yuv420p")) == 9
    assert read_counter(to_frame(draw(9)).reformat(format="nv12")) == 9
    assert read_counter(to_frame(draw(9)).reformat(format="bgra")) == 9


def test_several_cards_are_told_apart() -> None:
    screen = Image.new("RGB", (1280, 720), "#203040")
    screen.paste(draw(100, "far", module=12, height=80), (100, 100))
    screen.paste(draw(200, "self", module=4, height=20), (900, 600))
    assert read_cards(screen) == {card_number("far"): 100, card_number("self"): 200}
    assert read_counter(screen) == 100
    assert read_counter(screen, "self") == 200
    assert read_counter(screen, "nobody") is None


def test_pictures_without_a_card_read_as_none() -> None:
    rng = random.Random(2)
    assert read_counter(Image.new("RGB", (1280, 720), "white")) is None
    assert read_counter(Image.new("RGB", (1280, 720), "black")) is None
    assert read_counter(Image.linear_gradient("L")) is None
    for size in ((640, 360), (31, 17), (1, 1)):
        assert read_counter(Image.frombytes("L", size, rng.randbytes(size[0] * size[1]))) is None


def test_any_flipped_module_reads_as_none() -> None:
    code = modules(7, 123_456)
    for flipped in range(7, MODULES - 7):
        picture = Image.new("L", (MODULES + 8, 1), 255)
        for n, bit in enumerate(code):
            picture.putpixel((n + 4, 0), 0 if (bit == "1") is not (n == flipped) else 255)
        assert read_counter(picture.resize((picture.width * 3, 8), Image.Resampling.NEAREST)) is None


def test_one_line_is_not_believed() -> None:
    screen = Image.new("RGB", (800, 200), "white")
    screen.paste(draw(5, height=1), (10, 100))
    assert read_counter(screen) is None


def test_the_upper_half_of_one_picture_over_the_lower_of_another_gives_one_of_both() -> None:
    torn = draw(1000)
    torn.paste(draw(1001).crop((0, 0, torn.width, 12)))
    assert read_counter(torn) == 1000
