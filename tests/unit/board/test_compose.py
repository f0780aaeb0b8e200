"""`board.compose`."""

import pytest
from PIL import Image

from board.compose import Composer, fit
from board.picture import to_frame
from firmware.ports import Plane

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def raw(color: tuple[int, int, int] | str, width: int = 64, height: int = 36):
    """A raw picture of one colour."""
    return to_frame(Image.new("RGB", (width, height), color)).reformat(format="yuv420p", dst_colorspace="itu601")


def near(pixel: object, color: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= 4 for a, b in zip(pixel, color, strict=True))


def test_an_empty_screen_is_background() -> None:
    image = Composer().compose((), 32, 18, "#102030")
    assert (image.mode, image.size) == ("RGB", (32, 18))
    assert image.getcolors() == [(32 * 18, (0x10, 0x20, 0x30))]


@pytest.mark.parametrize("color", [RED, GREEN, BLUE, (255, 255, 255), (0, 0, 0), (191, 64, 20)])
def test_colours_of_a_raw_picture_are_those_of_bt_601_limited(color: tuple[int, int, int]) -> None:
    image = Composer().compose([Plane(raw(color), 0, 0, 1, 1)], 64, 36)
    assert near(image.getpixel((30, 20)), color)


def test_a_raw_picture_that_says_bt_709_is_believed() -> None:
    frame = to_frame(Image.new("RGB", (64, 36), GREEN)).reformat(format="yuv420p", dst_colorspace="itu709")
    frame.colorspace = 1
    image = Composer().compose([Plane(frame, 0, 0, 1, 1)], 64, 36)
    assert near(image.getpixel((30, 20)), GREEN)


def test_the_last_plane_is_on_top() -> None:
    planes = [Plane(raw(RED), 0, 0, 1, 1), Plane(raw(BLUE), 0.5, 0.5, 0.5, 0.5)]
    image = Composer().compose(planes, 64, 36)
    assert near(image.getpixel((10, 10)), RED)
    assert near(image.getpixel((48, 27)), BLUE)


def test_a_picture_keeps_its_shape_and_is_centred() -> None:
    image = Composer().compose([Plane(raw(RED, 36, 36), 0, 0, 1, 1)], 64, 36)
    assert [near(image.getpixel((x, 18)), RED) for x in (10, 17, 46, 53)] == [False, True, True, False]


def test_filling_cuts_what_is_over() -> None:
    left = Image.new("RGB", (128, 36), RED)
    left.paste(BLUE, (32, 0, 96, 36))
    frame = to_frame(left).reformat(format="yuv420p", dst_colorspace="itu601")
    image = Composer().compose([Plane(frame, 0, 0, 1, 1, fill=True)], 64, 36)
    assert all(near(image.getpixel((x, 18)), BLUE) for x in (3, 32, 60))


def test_filling_stays_in_its_rectangle() -> None:
    image = Composer().compose([Plane(raw(RED, 360, 36), 0.25, 0.25, 0.5, 0.5, fill=True)], 64, 36)
    assert not near(image.getpixel((10, 18)), RED)
    assert near(image.getpixel((32, 18)), RED)


def test_an_rgba_image_is_blended() -> None:
    words = Image.new("RGBA", (64, 36), (255, 255, 255, 128))
    words.paste((0, 0, 0, 0), (0, 0, 32, 36))
    image = Composer().compose([Plane(raw(BLUE), 0, 0, 1, 1), Plane(words, 0, 0, 1, 1)], 64, 36)
    assert near(image.getpixel((10, 18)), BLUE)
    assert near(image.getpixel((50, 18)), (128, 128, 255))


def test_what_is_over_the_edge_is_cut_and_what_has_no_size_is_left_out() -> None:
    planes = [Plane(raw(RED), -0.5, 0, 1, 1), Plane(raw(BLUE), 0.5, 0.5, 0.0001, 0.0001)]
    image = Composer().compose(planes, 64, 36)
    assert near(image.getpixel((5, 18)), RED)
    assert image.getpixel((40, 25)) == (0, 0, 0)


def test_the_same_composer_takes_other_planes_and_sizes() -> None:
    composer = Composer()
    for width, height, color in ((64, 36, RED), (320, 180, GREEN), (31, 17, BLUE)):
        image = composer.compose([Plane(raw(color, width, height), 0, 0, 1, 1)] * 3, width, height)
        assert image.size == (width, height)
        assert near(image.getpixel((width // 2, height // 2)), color)


@pytest.mark.parametrize(
    ("picture", "room", "fitted", "filled"),
    [
        ((1280, 720), (640, 360), (640, 360), (640, 360)),
        ((640, 480), (1280, 720), (960, 720), (1280, 960)),
        ((1000, 1), (10, 10), (10, 1), (10_000, 10)),
    ],
)
def test_fit(picture: tuple[int, int], room: tuple[int, int], fitted: tuple[int, int], filled: tuple[int, int]) -> None:
    assert fit(*picture, *room, fill=False) == fitted
    assert fit(*picture, *room, fill=True) == filled


def test_an_image_is_scaled_once_until_it_or_its_size_is_another() -> None:
    composer = Composer()
    white, black = (Image.new("RGBA", (8, 8), color) for color in ("white", "black"))
    composer.compose([Plane(white, 0, 0, 1, 1)], 64, 36)
    first = composer._images[0][1]
    composer.compose([Plane(white, 0, 0, 1, 1)], 64, 36)
    assert composer._images[0][1] is first
    assert composer.compose([Plane(white, 0, 0, 1, 1)], 32, 18).getpixel((16, 9)) == (255, 255, 255)
    assert composer.compose([Plane(black, 0, 0, 1, 1)], 32, 18).getpixel((16, 9)) == (0, 0, 0)
    composer.compose([], 32, 18)
    assert not composer._images


def test_an_overlay_lets_what_is_below_shine_through() -> None:
    words = Image.new("RGBA", (10, 10), (200, 100, 50, 128))
    over = Composer().overlay([Plane(words, 0.5, 0.5, 0.5, 0.5), Plane(words, -0.25, 0.5, 0.5, 0.5)], 40, 40)
    assert over.mode == "RGBA"
    assert over.getpixel((0, 0)) == (0, 0, 0, 0)
    for seen in ((30, 30), (5, 30)):
        pixel = over.getpixel(seen)
        assert isinstance(pixel, tuple)
        assert near(pixel[:3], (200, 100, 50))
        assert pixel[3] == 128
    assert over.getpixel((15, 30)) == (0, 0, 0, 0)
