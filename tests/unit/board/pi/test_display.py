"""`board.pi.display`: which mode is taken, and a machine without a screen; tests/hil has the screen."""

from pathlib import Path

import pytest

from board.pi import drm
from board.pi.display import choose_mode, edid, open_display
from board.pi.drm import Mode
from firmware.errors import DeviceError


def mode(width: int, height: int, rate: int = 60, *, preferred: bool = False, interlaced: bool = False) -> Mode:
    kind = drm.MODE_TYPE_PREFERRED if preferred else 0
    flags = drm.MODE_FLAG_INTERLACE if interlaced else 0
    return Mode(hdisplay=width, vdisplay=height, vrefresh=rate, type=kind, flags=flags)


def size(chosen: Mode) -> tuple[int, int, int]:
    return chosen.hdisplay, chosen.vdisplay, chosen.vrefresh


def test_the_screens_own_choice_is_taken() -> None:
    assert size(choose_mode([mode(1920, 1080), mode(1280, 800, preferred=True)])) == (1280, 800, 60)


def test_a_screen_of_4k_is_driven_with_less() -> None:
    modes = [mode(3840, 2160, preferred=True), mode(1280, 720), mode(1920, 1080, 24), mode(1920, 1080), mode(720, 576)]
    assert size(choose_mode(modes)) == (1920, 1080, 60)


def test_a_small_pi_may_be_set_to_less() -> None:
    modes = [mode(1920, 1080, preferred=True), mode(1280, 720), mode(720, 576, 50)]
    assert size(choose_mode(modes, 720)) == (1280, 720, 60)
    assert size(choose_mode(modes, 600)) == (720, 576, 50)
    with pytest.raises(DeviceError, match="no mode up to 1920x480"):
        choose_mode(modes, 480)


def test_half_pictures_are_not_taken() -> None:
    assert size(choose_mode([mode(1920, 1080, interlaced=True), mode(1280, 720, 50)])) == (1280, 720, 50)


def test_a_screen_may_have_none_that_can_be_used() -> None:
    with pytest.raises(DeviceError, match="no mode up to 1920x1080"):
        choose_mode([mode(3840, 2160)])


def test_a_machine_without_a_screen_says_so(tmp_path: Path) -> None:
    (tmp_path / "card0").symlink_to("/dev/null")
    with pytest.raises(DeviceError, match="no screen is plugged in at this machine"):
        open_display("", tmp_path)
    with pytest.raises(DeviceError, match="no screen is plugged in at HDMI-A-1"):
        open_display("HDMI-A-1", tmp_path)


def test_what_a_screen_says_of_itself(tmp_path: Path) -> None:
    assert edid(tmp_path) == b""
    (tmp_path / "edid").write_bytes(b"\x00\xff")
    assert edid(tmp_path) == b"\x00\xff"
