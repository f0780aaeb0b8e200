"""`board.pi.usb_camera`: what needs no camera; tests/hil has the rest."""

from pathlib import Path

import pytest

from board.pi.own_encoder import Doubt
from board.pi.usb_camera import UsbCamera
from firmware.errors import DeviceError


def test_a_node_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="can't be opened"):
        UsbCamera(tmp_path / "video0", 640, 360, 30, Doubt())
