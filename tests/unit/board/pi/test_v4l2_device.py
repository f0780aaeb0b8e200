"""`board.pi.v4l2_device` on what is no video device; tests/hil has the real ones."""

from pathlib import Path

import pytest

from board.pi import v4l2
from board.pi.v4l2_device import Device, Queue
from firmware.errors import DeviceError


def test_a_node_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="video0 can't be opened: No such file"):
        Device(tmp_path / "video0")


def test_what_is_no_video_device_refuses_everything() -> None:
    device = Device(Path("/dev/null"))
    with pytest.raises(DeviceError, match="/dev/null refuses"):
        device.capability()
    assert device.formats(v4l2.VIDEO_CAPTURE) == []
    assert device.frame_sizes(v4l2.fourcc("YUYV")) == []
    assert not device.set_control(1, 1)
    assert device.control(1) is None
    assert device.limits(1) is None
    with pytest.raises(DeviceError, match="refuses"):
        Queue(device, v4l2.VIDEO_CAPTURE, 4)
    device.close()
