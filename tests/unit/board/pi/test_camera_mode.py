"""`board.pi.camera_mode`: which of a camera's modes is taken."""

from pathlib import Path

import pytest

from board.pi.camera_mode import Mode, choose, modes
from board.pi.v4l2_device import Device
from firmware.errors import DeviceError

WEBCAM = [
    Mode("YUYV", 640, 360, 30),
    Mode("YUYV", 1280, 720, 10),
    Mode("YUYV", 1920, 1080, 5),
    Mode("MJPG", 640, 360, 30),
    Mode("MJPG", 1280, 720, 30),
    Mode("MJPG", 1920, 1080, 30),
]


@pytest.mark.parametrize(
    ("wanted", "mode"),
    [
        ((1280, 720, 30), Mode("MJPG", 1280, 720, 30)),
        ((1280, 720, 10), Mode("YUYV", 1280, 720, 10)),
        ((640, 360, 30), Mode("YUYV", 640, 360, 30)),
        ((1920, 1080, 30), Mode("MJPG", 1920, 1080, 30)),
        ((320, 180, 30), Mode("YUYV", 640, 360, 30)),
        ((3840, 2160, 30), Mode("MJPG", 1920, 1080, 30)),
        ((848, 480, 30), Mode("MJPG", 1280, 720, 30)),
    ],
)
def test_the_nearest_mode_is_taken(wanted: tuple[int, int, int], mode: Mode) -> None:
    assert choose(WEBCAM, *wanted) == mode


def test_a_small_picture_is_better_than_one_that_stutters() -> None:
    offered = [Mode("YUYV", 640, 480, 30), Mode("YUYV", 1280, 720, 9)]
    assert choose(offered, 1280, 720, 30) == offered[0]


def test_a_camera_without_a_known_format_can_not_be_used() -> None:
    with pytest.raises(DeviceError, match="none of the formats YU12"):
        choose([], 640, 360, 30)


def test_what_is_no_camera_offers_nothing() -> None:
    device = Device(Path("/dev/null"))
    assert modes(device) == []
    device.close()
