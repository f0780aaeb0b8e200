"""`board.pi.usb_camera`: what needs no camera; tests/hil has the rest."""

from pathlib import Path

import pytest

from board.pi.own_encoder import Doubt
from board.pi.usb_camera import UsbCamera, _coding_device
from board.pi.v4l2_device import Device
from firmware.errors import DeviceError


def test_a_node_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="can't be opened"):
        UsbCamera(tmp_path / "video0", 640, 360, 30, Doubt())


def test_a_node_for_what_is_encoded_that_can_not_be_had_is_done_without(tmp_path: Path) -> None:
    device = Device(Path("/dev/null"))
    assert _coding_device(device, None) is device
    assert _coding_device(device, tmp_path / "video2") is device
    other = _coding_device(device, Path("/dev/zero"))
    assert other.path == Path("/dev/zero")
    for each in (device, other):
        each.close()
