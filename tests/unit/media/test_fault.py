"""What the room is told of devices: each thing once, and the truth also while nobody uses them."""

from __future__ import annotations

import errno

import pytest

from firmware.errors import DeviceError
from firmware.media.fault import Fault
from firmware.media.message import DeviceFailed, DeviceRestored, Report


class Plug:
    """Where the device is plugged in, or not."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.empty = ""
        self.fault = Fault("camera", self.look_for, self.reports.append)

    def look_for(self, device: str) -> None:
        assert device == "camera"
        if self.empty:
            raise DeviceError(self.empty)


FAILED, RESTORED = DeviceFailed("camera", "there is none"), DeviceRestored("camera")


@pytest.fixture
def plug() -> Plug:
    return Plug()


def test_what_is_there_is_not_worth_a_word(plug: Plug) -> None:
    plug.fault.look()
    plug.fault.clear()
    assert plug.reports == []


def test_a_failure_is_told_once_until_it_is_another_or_over(plug: Plug) -> None:
    for reason in ("busy", "busy", "broken"):
        plug.fault.set(DeviceError(reason))
    plug.fault.clear()
    plug.fault.clear()
    plug.fault.set(DeviceError("broken"))
    broken = DeviceFailed("camera", "broken")
    assert plug.reports == [DeviceFailed("camera", "busy"), broken, RESTORED, broken]


def test_an_error_without_words_has_its_name(plug: Plug) -> None:
    plug.fault.set(ValueError())
    assert plug.reports == [DeviceFailed("camera", "ValueError")]


def test_what_is_pulled_out_and_put_in_while_nobody_uses_it(plug: Plug) -> None:
    plug.empty = "there is none"
    plug.fault.look()
    plug.fault.look()
    assert plug.reports == [FAILED]
    plug.empty = ""
    plug.fault.look()
    plug.fault.look()
    assert plug.reports == [FAILED, RESTORED]


def test_what_was_pulled_out_in_use_and_put_in_later(plug: Plug) -> None:
    plug.empty = "there is none"
    plug.fault.set(DeviceError("it is lost"))
    plug.empty = ""
    plug.fault.look()
    assert plug.reports == [DeviceFailed("camera", "it is lost"), RESTORED]


def test_what_was_put_in_again_before_anybody_looked(plug: Plug) -> None:
    lost = DeviceError("it has failed")
    lost.__cause__ = OSError(errno.ENODEV, "No such device")
    plug.fault.set(lost)
    plug.fault.look()
    assert plug.reports == [DeviceFailed("camera", "it has failed"), RESTORED]


def test_what_failed_and_was_there_all_the_time_is_not_believed_by_its_looks(plug: Plug) -> None:
    plug.fault.set(DeviceError("it gives no picture"))
    plug.fault.look()
    assert plug.reports == [DeviceFailed("camera", "it gives no picture")]
    plug.empty = "there is none"
    plug.fault.look()
    plug.empty = ""
    plug.fault.look()
    assert plug.reports[1:] == [FAILED, RESTORED]


def test_what_works_again_in_use_has_no_past(plug: Plug) -> None:
    plug.empty = "there is none"
    plug.fault.look()
    plug.empty = ""
    plug.fault.clear()
    plug.fault.set(DeviceError("it gives no picture"))
    plug.fault.look()
    assert plug.reports == [FAILED, RESTORED, DeviceFailed("camera", "it gives no picture")]
