"""`board.cec.television`: the thread, on the simulated board's television and on adapters that come and go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hil.waiting import wait_for

from board.cec import television
from board.cec.message import NO_ADDRESS
from board.cec.television import Adapter, Addresses, CecTelevision, Event
from board.sim.television import SimTelevision
from firmware.errors import DeviceError
from firmware.ports import TelevisionStatus


@contextmanager
def on(adapters: television.Adapters) -> Iterator[CecTelevision]:
    device = CecTelevision(adapters)
    try:
        yield device
    finally:
        device.close()
        assert not device._thread.is_alive()


def test_it_is_found_woken_and_put_to_standby() -> None:
    changes: list[TelevisionStatus] = []
    tv = SimTelevision()
    with on(tv) as device:
        device.when_changed = lambda: changes.append(device.status)
        assert wait_for(lambda: device.status == TelevisionStatus(reachable=True, on=False))
        device.wake()
        assert wait_for(lambda: device.status == TelevisionStatus(reachable=True, on=True, shows_room=True))
        assert wait_for(lambda: tv.shows_unit)
        device.standby()
        assert wait_for(lambda: not tv.on)
        assert wait_for(lambda: device.status.on is False)
    assert changes


def test_keys_come_in_the_boards_own_thread() -> None:
    keys: list[tuple[str, str]] = []
    tv = SimTelevision()
    with on(tv) as device:
        device.when_key_pressed = lambda key: keys.append((key, threading.current_thread().name))
        device.wake()
        assert wait_for(lambda: tv.shows_unit)
        for key in ("select", "5", "5"):
            tv.press_key(key)
        assert wait_for(lambda: len(keys) == 3)
        assert keys == [("select", "television"), ("5", "television"), ("5", "television")]


class Wire:
    """Adapters that a test takes away; each does nothing but wait."""

    def __init__(self) -> None:
        self.there: list[str] = []
        self.opened: list[str] = []
        self.failing = False

    def best(self) -> str:
        if not self.there:
            raise DeviceError("there is no CEC adapter here")
        return self.there[0]

    def open(self, which: str) -> Adapter:
        self.opened.append(which)
        return Silent(self)


class Silent:
    """An adapter that is plugged in nowhere."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._interrupted = threading.Event()
        self._first: list[Event] = [Addresses(None, NO_ADDRESS)]

    def events(self, timeout: float) -> list[Event]:
        if self._wire.failing:
            self._wire.failing = False
            raise DeviceError("/dev/cec0 is gone")
        self._interrupted.wait(timeout)
        self._interrupted.clear()
        first, self._first = self._first, []
        return first

    def transmit(self, data: bytes) -> None:
        pass

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None:
        pass


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    monkeypatch.setattr(television, "LOOK_TIME", 0.02)
    return Wire()


def test_an_adapter_is_taken_when_it_comes_and_nobody_is_told_twice(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), on(wire) as device:
        device.wake()
        assert wait_for(lambda: "there is no CEC adapter here" in caplog.text)
        wire.there = ["/dev/cec0"]
        assert wait_for(lambda: wire.opened == ["/dev/cec0"])
    assert caplog.text.count("no television can be switched") == 1


def test_one_that_fails_is_opened_anew(wire: Wire) -> None:
    wire.there = ["/dev/cec0"]
    with on(wire):
        assert wait_for(lambda: wire.opened == ["/dev/cec0"])
        wire.failing = True
        assert wait_for(lambda: wire.opened == ["/dev/cec0"] * 2)


def test_a_better_one_is_taken_instead_of_one_that_is_plugged_in_nowhere(wire: Wire) -> None:
    wire.there = ["/dev/cec0", "/dev/cec1"]
    with on(wire):
        assert wait_for(lambda: wire.opened == ["/dev/cec0"])
        wire.there = ["/dev/cec1", "/dev/cec0"]
        assert wait_for(lambda: wire.opened == ["/dev/cec0", "/dev/cec1"])


def test_it_can_be_closed_by_its_own_callback() -> None:
    tv = SimTelevision()
    device = CecTelevision(tv)
    closed = threading.Event()

    def close() -> None:
        device.close()
        closed.set()

    callback: Callable[[], None] = close
    device.when_changed = callback
    device.wake()
    assert closed.wait(5)
    device._thread.join(5)
    assert not device._thread.is_alive()
