"""Buttons and lamps: gpiozero and lgpio, unmodified, on the kernel's GPIO character device."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from hil.lines import Lines
from hil.waiting import wait_for

from board import open_board
from board.gpio import BOUNCE_TIME
from board.settings import PiSettings
from firmware.ports import BUTTONS, HOLD_TIME, LAMPS, Board

PINS = PiSettings()
BUTTON_PIN, LAMP_PIN = PINS.buttons(), PINS.lamps()
LOOKS = 400
"""At a dimmed lamp."""


class Presses:
    """Collects presses, each with its time."""

    def __init__(self, board: Board) -> None:
        self.names: list[str] = []
        self.time = 0.0
        self._changed = threading.Condition()
        for name, button in board.open_buttons().items():
            button.when_pressed = self._adder(name)

    def _adder(self, name: str) -> Callable[[], None]:
        def add() -> None:
            with self._changed:
                self.names.append(name)
                self.time = time.monotonic()
                self._changed.notify_all()

        return add

    def wait(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.names) >= count, 10)


def test_all_buttons_and_lamps_are_there(lines: Lines, board: Board) -> None:
    assert tuple(board.open_buttons()) == BUTTONS
    assert tuple(board.open_lamps()) == LAMPS
    assert all(lines.is_high(pin) for pin in BUTTON_PIN.values())
    assert not any(lines.is_high(pin) for pin in LAMP_PIN.values())


@pytest.mark.parametrize("button", BUTTONS)
def test_a_line_pulled_down_is_a_press(
    lines: Lines, board: Board, button: str, record_property: Callable[[str, object], None]
) -> None:
    presses = Presses(board)
    start = time.monotonic()
    lines.pull(BUTTON_PIN[button], high=False)
    assert presses.wait(1)
    record_property("press_ms", round((presses.time - start) * 1000, 1))
    lines.pull(BUTTON_PIN[button], high=True)
    time.sleep(3 * BOUNCE_TIME)
    assert presses.names == [button]


def test_a_contact_that_bounces_is_pressed_once(lines: Lines, board: Board) -> None:
    presses = Presses(board)
    pin = BUTTON_PIN["mute"]
    for high in (False, True, False, True, False):
        lines.pull(pin, high=high)
    assert presses.wait(1)
    for high in (True, False, True):
        lines.pull(pin, high=high)
    time.sleep(3 * BOUNCE_TIME)
    lines.pull(BUTTON_PIN["call"], high=False)
    assert presses.wait(2)
    lines.pull(BUTTON_PIN["call"], high=True)
    assert presses.names == ["mute", "call"]


def test_lamps_are_lit_and_put_out(lines: Lines, board: Board) -> None:
    lamps = board.open_lamps()
    for name, lamp in lamps.items():
        lamp.on()
        assert [other for other, pin in LAMP_PIN.items() if lines.is_high(pin)] == [name]
        lamp.off()
        assert not lines.is_high(LAMP_PIN[name])


def test_a_lamp_blinks_until_it_is_put_out(lines: Lines, board: Board) -> None:
    lamp, pin = board.open_lamps()["ringing"], LAMP_PIN["ringing"]
    lamp.blink(0.02, 0.02)
    for high in (True, False, True, False):
        assert wait_for(lambda high=high: lines.is_high(pin) == high)
    lamp.off()
    assert not any(lines.is_high(pin) for _ in range(50) if time.sleep(0.002) is None)


def test_a_button_held_down_says_so(lines: Lines, board: Board) -> None:
    presses, pin = Presses(board), BUTTON_PIN["hang_up"]
    board.open_buttons()["hang_up"].when_held = presses._adder("held")
    lines.pull(pin, high=False)
    assert presses.wait(1)
    pressed = presses.time
    assert presses.wait(3)
    assert presses.time - pressed == pytest.approx(2 * HOLD_TIME, abs=HOLD_TIME / 2)
    lines.pull(pin, high=True)
    assert presses.names[:3] == ["hang_up", "held", "held"]
    time.sleep(2 * HOLD_TIME)
    assert len(presses.names) <= 4, "who lets go holds no more"


@pytest.mark.parametrize("brightness", [20, 80])
def test_a_dim_lamp_is_lit_for_that_part_of_the_time(
    lines: Lines, brightness: int, record_property: Callable[[str, object], None]
) -> None:
    with closing(open_board("pi", {"lamp_brightness": brightness})) as board:
        lamp, pin = board.open_lamps()["ready"], LAMP_PIN["ready"]
        lamp.on()
        looks = [lines.is_high(pin) for _ in range(LOOKS) if time.sleep(0.0013) is None]
        record_property("lit_percent", round(sum(looks) / LOOKS * 100))
        assert sum(looks) / LOOKS == pytest.approx(brightness / 100, abs=0.15)
        lamp.off()
        assert wait_for(lambda: not lines.is_high(pin))
        assert not any(lines.is_high(pin) for _ in range(50) if time.sleep(0.002) is None)


def test_a_pin_that_another_holds_costs_one_lamp(lines: Lines, board: Board, caplog: pytest.LogCaptureFixture) -> None:
    import lgpio

    chip = lgpio.gpiochip_open(0)
    try:
        lgpio.gpio_claim_output(chip, LAMP_PIN["muted"])
        with caplog.at_level(logging.WARNING):
            lamps = board.open_lamps()
    finally:
        lgpio.gpiochip_close(chip)
    assert tuple(lamps) == tuple(name for name in LAMPS if name != "muted")
    assert f"lamp muted: GPIO{LAMP_PIN['muted']} can't be used" in caplog.text
    lamps["ready"].on()
    assert lines.is_high(LAMP_PIN["ready"])


def test_closing_puts_out_the_lamps_and_frees_the_pins(lines: Lines, board: Board) -> None:
    board.open_lamps()["ready"].on()
    board.open_buttons()
    board.close()
    assert not lines.is_high(LAMP_PIN["ready"])

    import lgpio

    chip = lgpio.gpiochip_open(0)
    for pin in (*BUTTON_PIN.values(), *LAMP_PIN.values()):
        lgpio.gpio_claim_output(chip, pin)
    lgpio.gpiochip_close(chip)
