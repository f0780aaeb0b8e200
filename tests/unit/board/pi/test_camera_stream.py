"""`board.pi.camera_stream`: what needs no camera; tests/hil has the rest."""

from pathlib import Path

import pytest

from board.pi.camera_mode import Mode
from board.pi.camera_stream import CameraStream
from board.pi.v4l2_device import Device
from firmware.errors import DeviceError


def test_a_node_that_does_not_take_the_mode_says_so_before_anything_is_configured() -> None:
    device, configured = Device(Path("/dev/null")), []
    with pytest.raises(DeviceError, match="/dev/null refuses"):
        CameraStream(device, Mode("YUYV", 640, 360, 30), 30, lambda: configured.append(True))
    assert not configured
    device.close()
