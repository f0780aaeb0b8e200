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


def test_it_is_called_off_once_however_often_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "watchdog"
    node.touch()
    monkeypatch.setattr("fcntl.ioctl", lambda *_: 0)
    watchdog = PiWatchdog(10, node)
    watchdog.feed()
    watchdog.close()
    watchdog.close()
    assert node.read_bytes() == b"V"
    monkeypatch.undo()
    with pytest.raises(DeviceError, match="is closed"):
        watchdog.feed()
