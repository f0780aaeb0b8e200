"""`board.pi.watchdog` where there is none; tests/hil has one."""

from pathlib import Path

import pytest

from board.pi.watchdog import PiWatchdog
from firmware.errors import DeviceError


def test_a_machine_without_a_watchdog_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"watchdog can't be opened: No such file"):
        PiWatchdog(10, tmp_path / "watchdog")


def test_what_is_no_watchdog_is_refused_and_left_closed(tmp_path: Path) -> None:
    node = tmp_path / "watchdog"
    node.touch()
    with pytest.raises(DeviceError, match=r"does not take 10 s"):
        PiWatchdog(10, node)
    assert node.read_bytes() == b"V"
