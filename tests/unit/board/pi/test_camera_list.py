"""`board.pi.camera_list`: which camera is taken; tests/hil has the cameras."""

from pathlib import Path

import pytest

from board.pi.camera_list import FoundCamera, choose_camera, find_cameras, look_for_camera, nodes
from firmware.errors import DeviceError

OWN = FoundCamera("imx708_wide", "/base/soc/i2c0mux/i2c@1/imx708@1a", csi=True)
LOGITECH, JABRA = FoundCamera("HD Pro Webcam C920", "/dev/video0"), FoundCamera("Jabra PanaCast 20", "/dev/video4")


@pytest.mark.parametrize(
    ("wanted", "camera"),
    [
        ("", OWN),
        ("imx708", OWN),
        (OWN.place, OWN),
        ("c920", LOGITECH),
        ("PanaCast", JABRA),
        ("/dev/video4", JABRA),
        ("Jabra PanaCast 20", JABRA),
    ],
)
def test_the_camera_is_chosen_by_name_or_place_or_the_first(wanted: str, camera: FoundCamera) -> None:
    assert choose_camera([OWN, LOGITECH, JABRA], wanted) is camera


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
    assert find_cameras(tmp_path) == []
    with pytest.raises(DeviceError, match="there is no camera here"):
        look_for_camera("", tmp_path)


def test_nodes_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("video10", "video9", "video", "media0"):
        (tmp_path / name).touch()
    assert [path.name for path in nodes(tmp_path)] == ["video9", "video10"]
