"""The screen: DRM/KMS, looked at from outside the machine."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hil.monitor import Television
from hil.waiting import wait_for
from PIL import Image

from board import open_board
from board.pi import drm
from board.pi.display import KmsDisplay
from board.sim.card import Card
from board.sim.counter import read_counter
from firmware.errors import DeviceError
from firmware.ports import Board, Plane


def full(picture: object) -> Plane:
    return Plane(picture, 0, 0, 1, 1)  # type: ignore[arg-type]


def looks(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def near(color: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) <= 4 for a, b in zip(color, other, strict=True))


def test_the_screen_has_the_mode_that_it_prefers(television: Television, board: Board) -> None:
    display = board.open_display()
    assert (display.width, display.height) == (1280, 720)


def test_the_picture_is_on_the_screen(television: Television, board: Board) -> None:
    display = board.open_display()
    card = Card(1280, 720, 30)
    for number in (7, 1234):
        display.show([full(card.picture(number))])
        time.sleep(0.2)
        assert read_counter(looks(television.picture())) == number


def test_planes_lie_where_they_should_and_words_are_blended(television: Television, board: Board) -> None:
    display = board.open_display()
    words = Image.new("RGBA", (100, 100), (255, 255, 255, 128))
    red, blue = (Image.new("RGBA", (16, 9), color) for color in ((200, 0, 0, 255), (0, 0, 200, 255)))
    display.show([full(red), Plane(blue, 0.5, 0.5, 0.5, 0.5), Plane(words, 0, 0, 0.25, 0.25)])
    time.sleep(0.2)
    seen = looks(television.picture())
    assert seen.size == (1280, 720)
    assert near(seen.getpixel((1200, 100)), (200, 0, 0))
    assert near(seen.getpixel((1200, 700)), (0, 0, 200))
    assert near(seen.getpixel((160, 90)), (228, 128, 128))
    shot = display.screenshot(640, 360)
    assert near(shot.getpixel((600, 350)), (0, 0, 200))


def test_pictures_follow_each_other_and_the_last_one_stays(television: Television, board: Board) -> None:
    display = board.open_display()
    card = Card(640, 360, 30)
    for number in range(20):
        display.show([full(card.picture(number))])
    time.sleep(0.2)
    assert read_counter(looks(television.picture())) == 19


def test_closing_makes_the_screen_dark_and_it_can_be_lit_again(television: Television, board: Board) -> None:
    white = full(Image.new("RGBA", (16, 9), (255, 255, 255, 255)))
    for _ in range(3):
        display = board.open_display()
        display.show([white])
        display.close()
        display.close()
        with pytest.raises(DeviceError, match="closed"):
            display.show([white])
        with pytest.raises(DeviceError, match="closed"):
            display.screenshot(16, 9)
    time.sleep(0.5)
    assert not near(looks(television.picture()).getpixel((640, 360)), (255, 255, 255))
    display = board.open_display()
    display.show([white])
    time.sleep(0.2)
    assert near(looks(television.picture()).getpixel((640, 360)), (255, 255, 255))


def test_a_screen_that_rests_has_no_signal_and_wakes_with_the_next_picture(
    television: Television, board: Board
) -> None:
    display = board.open_display()
    assert isinstance(display, KmsDisplay)
    card = Card(1280, 720, 30)

    def signal() -> int:
        return display._card.properties(display._crtc, drm.OBJECT_CRTC)["ACTIVE"][1]

    for number in (3, 4, 5):
        display.show([full(card.picture(number))])
        assert signal() == 1
        time.sleep(0.2)
        assert read_counter(looks(television.picture())) == number
        for _ in range(2):
            display.rest()
        assert signal() == 0
        assert near(display.screenshot(16, 9).getpixel((8, 4)), (0, 0, 0))
    for number in range(20):  # and goes on as before
        display.show([full(card.picture(number))])
    time.sleep(0.2)
    assert read_counter(looks(television.picture())) == 19
    display.rest()
    television.unplug()
    assert wait_for(lambda: rests(display) is False)
    television.plug()
    display.close()
    with pytest.raises(DeviceError, match="closed"):
        display.rest()


def rests(display: KmsDisplay) -> bool:
    try:
        display.rest()
    except DeviceError as error:
        return "was pulled out" not in str(error)
    return True


def test_a_screen_that_another_program_has_is_busy_and_free_afterwards(television: Television, board: Board) -> None:
    first = board.open_display()
    with pytest.raises(DeviceError, match="refuses"):
        open_board("pi", {}).open_display()
    first.close()
    board.open_display().show([])


def test_a_screen_that_is_pulled_out_says_so_and_is_taken_when_it_is_back(television: Television, board: Board) -> None:
    display = board.open_display()
    display.show([])
    television.unplug()

    def shows() -> bool:
        try:
            display.show([])
        except DeviceError as error:
            return "was pulled out" not in str(error)
        return True

    assert wait_for(lambda: not shows())
    display.close()
    with pytest.raises(DeviceError, match="no screen is plugged in at Virtual-1"):
        board.open_display()
    television.plug()
    assert wait_for(lambda: can_open(board))
    board.close()


def test_another_screen_is_asked_for_its_own_modes(
    television: Television, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that came so quickly that nobody saw the socket empty.  No driver here reads an EDID: it is in a file."""
    status = television.status
    told = tmp_path / status.parent.name
    told.mkdir()
    (told / "status").symlink_to(status)
    (told / "edid").write_bytes(b"one")
    monkeypatch.setattr("board.pi.display.SYS", tmp_path)
    monkeypatch.setattr("board.pi.display._LOOK", 0.0)
    display = board.open_display()
    for said in (b"one", b"", b"one"):  # who is in standby may say nothing
        (told / "edid").write_bytes(said)
        display.show([])
    (told / "edid").write_bytes(b"another")
    with pytest.raises(DeviceError, match="there is another screen on Virtual-1"):
        display.show([])
    display.close()
    board.open_display().show([])
    board.close()


def can_open(board: Board) -> bool:
    try:
        board.open_display().close()
    except DeviceError:
        return False
    return True


def test_a_connector_that_is_not_there_says_so(television: Television) -> None:
    with pytest.raises(DeviceError, match="no screen is plugged in at HDMI-A-2"):
        open_board("pi", {"display": "HDMI-A-2"}).open_display()
