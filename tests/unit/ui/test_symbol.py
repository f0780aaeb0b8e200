"""`firmware.ui.symbol`: what is drawn is a PNG that others read, and looks as it should where it can be told."""

import io

import pytest
from PIL import Image

from firmware.ui import symbol

SYMBOLS = {
    "disc": lambda: symbol.disc("#3ddc84"),
    "lifted": lambda: symbol.handset("#ffffff", "#22a55b", down=False),
    "down": lambda: symbol.handset("#ffffff", "#d64545", down=True),
    "microphone": lambda: symbol.microphone("#ffffff", muted=False),
    "muted": lambda: symbol.microphone("#ffffff", muted=True),
    "speaker": lambda: symbol.speaker("#ffffff"),
    "pause": lambda: symbol.pause("#ffffff"),
    "locked": lambda: symbol.padlock("#ffffff", closed=True),
    "exposed": lambda: symbol.padlock("#ffffff", closed=True, struck=True),
    "unlocked": lambda: symbol.padlock("#ffffff", closed=False),
    "sign": lambda: symbol.face_to_face("#0000ff", "#00ff00"),
}


def image(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    picture.load()
    assert picture.mode == "RGBA"
    return picture


@pytest.mark.parametrize("name", SYMBOLS)
def test_symbols_are_pictures_with_something_in_them_and_nothing_at_the_corners(name: str) -> None:
    picture = image(SYMBOLS[name]())
    assert picture.size == (symbol.PIXELS, symbol.PIXELS)
    alpha = picture.getchannel("A")
    last = symbol.PIXELS - 1
    assert [alpha.getpixel(corner) for corner in ((0, 0), (last, 0), (0, last), (last, last))] == [0, 0, 0, 0]
    covered = sum(alpha.histogram()[128:]) / symbol.PIXELS**2
    assert 0.08 < covered < 0.9


def test_symbols_differ_and_are_drawn_once() -> None:
    assert len({draw() for draw in SYMBOLS.values()}) == len(SYMBOLS)
    assert all(draw() is draw() for draw in SYMBOLS.values())


def test_edges_are_smooth() -> None:
    steps = image(symbol.disc("#ffffff")).getchannel("A").histogram()
    assert sum(steps[1:255]) > 50


def test_a_disc_has_its_colour() -> None:
    assert image(symbol.disc("#12345678")).getpixel((32, 32)) == (0x12, 0x34, 0x56, 0x78)


def test_the_sign_looks_both_ways() -> None:
    sign = image(symbol.face_to_face("#0000ff", "#00ff00"))
    assert sign.getpixel((10, 32)) == (0, 0, 255, 255)
    assert sign.getpixel((54, 32)) == (0, 255, 0, 255)
    assert sign.getpixel((32, 32))[3] == 0


def test_a_handset_lies_with_both_ends_down() -> None:
    down = image(symbol.handset("#ffffff", "#000000", down=True))
    for x in (16, 47):
        assert down.getpixel((x, 38)) == (255, 255, 255, 255)
    assert down.getpixel((32, 38)) == (0, 0, 0, 255)


@pytest.mark.parametrize("size", [(300, 90), (40, 40), (7, 5), (1, 1)])
def test_a_panel_has_round_corners_and_is_even_inside(size: tuple[int, int]) -> None:
    panel = image(symbol.panel(*size, "#10203080", 20))
    assert panel.size == size
    assert panel.getpixel((size[0] // 2, size[1] // 2)) == (0x10, 0x20, 0x30, 0x80)
    assert panel.tobytes() == panel.transpose(Image.Transpose.FLIP_LEFT_RIGHT).tobytes()
    assert panel.tobytes() == panel.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes()
    if min(size) >= 40:
        assert panel.getpixel((0, 0))[3] == 0
        assert panel.getpixel((size[0] // 2, 0))[3] >= 0x7E


@pytest.mark.parametrize("part", [0.0, 0.25, 0.5, 1.0])
def test_a_bar_is_filled_as_far_as_it_says(part: float) -> None:
    bar = image(symbol.bar(200, 10, part, "#ffffff", "#000000"))
    filled = [bar.getpixel((x, 5))[0] > 128 for x in range(200)]
    assert filled.count(True) == pytest.approx(10 * (part > 0) + 190 * part, abs=1)


@pytest.mark.parametrize(
    ("text", "color"), [("#ffffff", (255, 255, 255, 255)), ("#01020304", (1, 2, 3, 4)), ("000000", (0, 0, 0, 255))]
)
def test_colours(text: str, color: symbol.Color) -> None:
    assert symbol.rgba(text) == color
