"""`board.dim_lamp` on gpiozero's mock pins."""

import threading
from collections.abc import Iterator

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from board.dim_lamp import RATE, DimLamp


@pytest.fixture
def lamp() -> Iterator[DimLamp]:
    lamp = DimLamp(12, 0.25, MockFactory(pin_class=MockPWMPin))
    yield lamp
    lamp.close()


def test_it_is_lit_for_a_part_of_the_time(lamp: DimLamp) -> None:
    assert lamp.pin.state == 0
    assert lamp.pin.frequency == RATE
    lamp.on()
    assert lamp.pin.state == 0.25
    lamp.off()
    assert lamp.pin.state == 0


def test_it_blinks_no_brighter(lamp: DimLamp) -> None:
    lamp.pin.clear_states()
    lamp.blink(0.005, 0.005)
    threading.Event().wait(0.2)
    lamp.off()
    assert {change.state for change in lamp.pin.states} == {0, 0.25}
    assert len(lamp.pin.states) > 3
