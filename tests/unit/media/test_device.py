"""A device that fails, and comes back."""

from __future__ import annotations

import pytest

from firmware.errors import DeviceError
from firmware.media import device
from firmware.media.device import Device
from firmware.media.fault import Fault
from firmware.media.message import DeviceFailed, DeviceRestored, Report


class Thing:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True
        raise DeviceError("already unplugged")


class Socketful:
    """Where things are opened, or not."""

    def __init__(self) -> None:
        self.failure = ""
        self.opened: list[Thing] = []

    def look_for(self, device: str) -> None:
        if self.failure:
            raise DeviceError(self.failure)

    def open(self) -> Thing:
        if self.failure:
            raise DeviceError(self.failure)
        self.opened.append(Thing())
        return self.opened[-1]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "RETRY", 0.0)


def test_it_is_opened_once_and_closed() -> None:
    things = Socketful()
    reports: list[Report] = []
    thing = Device(things.open, Fault("speaker", things.look_for, reports.append))
    assert thing.current is None
    assert thing.get() is thing.get() is thing.current
    assert len(things.opened) == 1
    thing.close()
    thing.close()
    assert things.opened[0].closed
    assert thing.current is None
    assert reports == []


def test_a_failure_is_reported_once_until_it_works_or_fails_otherwise() -> None:
    things = Socketful()
    reports: list[Report] = []
    thing = Device(things.open, Fault("speaker", things.look_for, reports.append))
    things.failure = "no such device"
    assert [thing.get() for _ in range(5)] == [None] * 5
    things.failure = "busy"
    assert thing.get() is None
    assert reports == [DeviceFailed("speaker", "no such device"), DeviceFailed("speaker", "busy")]
    things.failure = ""
    assert thing.get() is not None
    thing.works()
    thing.works()
    thing.fail(DeviceError("busy"))
    assert reports[2:] == [DeviceRestored("speaker"), DeviceFailed("speaker", "busy")]
    assert thing.get() is things.opened[1]


def test_a_failed_device_is_not_tried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "RETRY", 3_600.0)
    things = Socketful()
    thing = Device(things.open, Fault("speaker", things.look_for, lambda report: None))
    thing.get()
    thing.fail(DeviceError("unplugged"))
    assert thing.get() is None
    assert len(things.opened) == 1


def test_it_is_looked_for_only_while_it_is_not_open() -> None:
    things = Socketful()
    reports: list[Report] = []
    thing = Device(things.open, Fault("speaker", things.look_for, reports.append))
    thing.get()
    things.failure = "there is none"
    thing.look()
    assert reports == []
    thing.close()
    thing.look()
    assert reports == [DeviceFailed("speaker", "there is none")]


def test_one_that_the_room_has_none_of_is_neither_opened_nor_looked_for() -> None:
    things, reports = Socketful(), []
    things.failure = "nothing is plugged in"
    thing = Device(things.open, Fault("speaker", things.look_for, reports.append), absent=True)
    thing.look()
    assert thing.get() is None
    things.failure = ""
    assert thing.get() is None
    assert things.opened == reports == []
