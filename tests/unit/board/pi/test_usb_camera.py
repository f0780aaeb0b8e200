"""`board.pi.usb_camera`: which camera is taken; tests/hil has the cameras."""

from pathlib import Path

import pytest

from board.pi.usb_camera import UsbCamera, choose_camera, usb_cameras
from firmware.errors import DeviceError

LOGITECH, JABRA = (Path("/dev/video0"), "HD Pro Webcam C920"), (Path("/dev/video4"), "Jabra PanaCast 20")


@pytest.mark.parametrize(
    ("wanted", "camera"),
    [("", LOGITECH), ("c920", LOGITECH), ("PanaCast", JABRA), ("/dev/video4", JABRA), ("Jabra PanaCast 20", JABRA)],
)
def test_the_camera_is_chosen_by_name_or_the_first(wanted: str, camera: tuple[Path, str]) -> None:
    assert choose_camera([LOGITECH, JABRA], wanted) == camera[0]


def test_a_camera_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(
        DeviceError, match="no camera 'EagleEye' here; there are: HD Pro Webcam C920, Jabra PanaCast 20"
    ):
        choose_camera([LOGITECH, JABRA], "EagleEye")
    with pytest.raises(DeviceError, match="there is no camera here"):
        choose_camera([], "")


def test_what_is_no_camera_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "video0").symlink_to("/dev/null")
    (tmp_path / "video1").symlink_to(tmp_path / "gone")
    (tmp_path / "videotape").touch()
    assert usb_cameras(tmp_path) == []


def test_a_node_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="can't be opened"):
        UsbCamera(tmp_path / "video0", 640, 360, 30)
