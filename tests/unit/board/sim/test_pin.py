"""`board.sim.pin`: levels count when they last."""

import threading
from collections.abc import Iterator

import pytest
from gpiozero import Button
from gpiozero.pins.mock import MockFactory

from board.sim.pin import DebouncedPin


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    factory = MockFactory(pin_class=DebouncedPin)
    yield factory
    factory.close()


def test_a_level_that_lasts_counts(factory: MockFactory) -> None:
    button = Button(5, bounce_time=0.005, pin_factory=factory)
    button.pin.drive_low()
    assert button.wait_for_press(10)
    button.pin.drive_high()
    assert button.wait_for_release(10)
    button.close()


def test_bounces_count_once(factory: MockFactory) -> None:
    button = Button(5, bounce_time=0.2, pin_factory=factory)
    presses: list[int] = []
    button.when_pressed = lambda: presses.append(1)
    for _ in range(20):
        button.pin.drive_low()
        button.pin.drive_high()
    button.pin.drive_low()
    assert button.wait_for_press(10)
    assert presses == [1]
    button.close()


def test_a_spike_does_not_count(factory: MockFactory) -> None:
    button = Button(5, bounce_time=0.2, pin_factory=factory)
    presses: list[int] = []
    button.when_pressed = lambda: presses.append(1)
    button.pin.drive_low()
    button.pin.drive_high()
    threading.Event().wait(0.4)
    assert not presses
    assert not button.is_pressed
    button.close()


def test_without_bounce_time_every_change_counts(factory: MockFactory) -> None:
    button = Button(5, pin_factory=factory)
    presses: list[int] = []
    button.when_pressed = lambda: presses.append(1)
    for _ in range(3):
        button.pin.drive_low()
        button.pin.drive_high()
    assert presses == [1, 1, 1]
    button.close()


def test_a_closed_pin_is_quiet(factory: MockFactory) -> None:
    button = Button(5, bounce_time=0.02, pin_factory=factory)
    presses: list[int] = []
    button.when_pressed = lambda: presses.append(1)
    button.pin.drive_low()
    button.pin.close()
    threading.Event().wait(0.1)
    assert not presses
    button.close()
