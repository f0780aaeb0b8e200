"""What is on the screen, read from the screen."""

from __future__ import annotations

import io
import time

import PIL.Image
import pytest
from media_parts import picture

from board import open_board
from firmware.errors import DeviceError
from firmware.media import compositor as module
from firmware.media import device
from firmware.media.compositor import Compositor
from firmware.media.message import DeviceFailed, DeviceRestored, Report
from firmware.media.png import encode_png
from firmware.media.scene import FULL_SCREEN, FarEnd, Image, Rectangle, Scene, SelfView, Words

LEFT, RIGHT = Rectangle(0, 0, 0.5, 1), Rectangle(0.5, 0, 0.5, 1)


@pytest.fixture
def compositor():
    compositor = Compositor(open_board("sim", {"display_width": 320, "display_height": 180}), lambda report: None)
    yield compositor
    compositor.stop()


def shot(compositor: Compositor, image_format: str = "png") -> PIL.Image.Image:
    data = compositor.screenshot(image_format, 320, 180)
    return PIL.Image.open(io.BytesIO(data)).convert("RGB") if data else PIL.Image.new("RGB", (320, 180), "#ff00ff")


def grey(compositor: Compositor, x: int, y: int) -> int:
    pixel = shot(compositor).getpixel((x, y))
    assert isinstance(pixel, tuple)
    return sum(pixel) // 3


def test_the_background(compositor: Compositor, eventually) -> None:
    compositor.show(Scene(background="#204060"))
    eventually(lambda: shot(compositor).getpixel((5, 5)) == (0x20, 0x40, 0x60))


def test_far_ends_have_their_places_and_only_the_newest_picture(compositor: Compositor, eventually) -> None:
    compositor.show(Scene((FarEnd("a", LEFT), FarEnd("b", RIGHT)), background="#000000"))
    first, second = compositor.far_end("a"), compositor.far_end("b")
    first.picture(picture(0))
    second.picture(picture(190))
    eventually(lambda: grey(compositor, 80, 90) < 10 and grey(compositor, 240, 90) > 200)
    first.picture(picture(190))
    eventually(lambda: grey(compositor, 80, 90) > 200)
    second.camera_closed()
    eventually(lambda: grey(compositor, 240, 90) < 10)


def test_a_far_end_that_is_not_in_the_scene_is_not_shown(compositor: Compositor, eventually) -> None:
    compositor.show(Scene((FarEnd("a", FULL_SCREEN),), background="#000000"))
    compositor.far_end("b").picture(picture(190))
    compositor.show(Scene((FarEnd("a", FULL_SCREEN),), background="#010101"))
    eventually(lambda: shot(compositor).getpixel((160, 90)) == (1, 1, 1))


def test_the_self_view_goes_when_the_camera_does(compositor: Compositor, eventually) -> None:
    viewer = compositor.self_view()
    compositor.show(Scene((SelfView(Rectangle(0.75, 0.75, 0.25, 0.25)),), background="#000000"))
    assert viewer.camera_opened(None) is False  # type: ignore[arg-type] - it needs pictures
    viewer.picture(picture(190))
    eventually(lambda: grey(compositor, 300, 165) > 200 and grey(compositor, 100, 90) < 10)
    viewer.camera_closed()
    eventually(lambda: grey(compositor, 300, 165) < 10)


def test_words_and_images_are_above_pictures_whatever_the_order(compositor: Compositor, eventually) -> None:
    red = encode_png(PIL.Image.new("RGB", (8, 8), "#ff0000"))
    compositor.show(
        Scene(
            (
                Image(red, Rectangle(0.45, 0.4, 0.1, 0.2)),
                Words("WWWW", Rectangle(0, 0, 1, 0.2), color="#00ff00"),
                FarEnd("a", FULL_SCREEN),
            )
        )
    )
    compositor.far_end("a").picture(picture(0))

    def there() -> bool:
        seen = shot(compositor)
        top = {seen.getpixel((x, y)) for x in range(100) for y in range(30)}
        return seen.getpixel((160, 90)) == (255, 0, 0) and any(g > 200 and r < 60 for r, g, b in top)

    eventually(there)


def test_an_image_that_is_none(compositor: Compositor, eventually) -> None:
    compositor.show(Scene((Image(b"\x89PNG no", FULL_SCREEN), Image(b"", FULL_SCREEN)), background="#0000ff"))
    eventually(lambda: shot(compositor).getpixel((160, 90)) == (0, 0, 255))


@pytest.mark.parametrize(("image_format", "name"), [("png", "PNG"), ("jpeg", "JPEG")])
def test_screenshots(compositor: Compositor, eventually, image_format: str, name: str) -> None:
    eventually(lambda: compositor.screenshot(image_format, 64, 36))
    opened = PIL.Image.open(io.BytesIO(compositor.screenshot(image_format, 64, 36)))
    assert (opened.format, opened.size) == (name, (64, 36))


def test_a_dark_scene_lets_the_screen_rest(compositor: Compositor, eventually) -> None:
    red, dark = Scene(background="#ff0000"), Scene(dark=True)
    for scene, color in ((red, (255, 0, 0)), (dark, (0, 0, 0)), (red, (255, 0, 0))):
        compositor.show(scene)
        eventually(lambda color=color: shot(compositor).getpixel((160, 90)) == color)


class Display:
    width, height = 320, 180

    def __init__(self) -> None:
        self.shown = 0
        self.broken = False

    def show(self, planes: object) -> None:
        if self.broken:
            raise DeviceError("the cable is out")
        self.shown += 1

    def close(self) -> None: ...


class Board:
    def __init__(self, absent: frozenset[str] = frozenset()) -> None:
        self.absent = absent
        self.display = Display()
        self.missing = ""

    def look_for(self, device: str) -> None:
        assert device == "display"
        if self.missing:
            raise DeviceError(self.missing)

    def open_display(self) -> Display:
        self.look_for("display")
        return self.display


def test_nothing_is_drawn_while_nothing_changes(eventually) -> None:
    board = Board()
    compositor = Compositor(board, lambda report: None)
    eventually(lambda: board.display.shown == 1)
    time.sleep(0.1)
    assert board.display.shown == 1
    compositor.far_end("a").picture(picture())  # not in the scene
    time.sleep(0.1)
    assert board.display.shown == 1
    compositor.show(Scene((FarEnd("a", FULL_SCREEN),)))
    eventually(lambda: board.display.shown == 2)
    compositor.stop()


def test_a_screen_that_is_missing_or_breaks(eventually, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY", 0.01)
    monkeypatch.setattr(device, "RETRY", 0.01)
    board = Board()
    board.missing = "no screen"
    reports: list[Report] = []
    compositor = Compositor(board, reports.append)
    eventually(lambda: reports == [DeviceFailed("display", "no screen")])
    assert compositor.screenshot("png", 10, 10) == b""
    board.missing = ""
    eventually(lambda: reports[1:] == [DeviceRestored("display")])
    board.display.broken = True
    compositor.show(Scene(background="#111111"))
    eventually(lambda: DeviceFailed("display", "the cable is out") in reports)
    board.display.broken = False
    shown = board.display.shown
    eventually(lambda: board.display.shown > shown)
    compositor.stop()


def test_a_screen_that_is_pulled_out_while_nothing_changes(eventually, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY", 0.01)
    monkeypatch.setattr(device, "RETRY", 0.01)
    board = Board()
    reports: list[Report] = []
    compositor = Compositor(board, reports.append)
    eventually(lambda: board.display.shown == 1)
    compositor.look()
    time.sleep(0.05)
    assert board.display.shown == 1
    board.missing, board.display.broken = "no screen", True
    compositor.look()
    eventually(lambda: DeviceFailed("display", "no screen") in reports)
    board.missing, board.display.broken = "", False
    eventually(lambda: reports[-1] == DeviceRestored("display"))
    compositor.stop()


def test_a_room_without_a_screen_is_no_fault() -> None:
    board, reports = Board(frozenset({"display"})), []
    board.missing = "no screen"
    compositor = Compositor(board, reports.append)
    compositor.show(Scene(background="#111111"))
    compositor.look()
    time.sleep(0.05)
    assert compositor.screenshot("png", 10, 10) == b""
    compositor.stop()
    assert reports == []
    assert board.display.shown == 0
