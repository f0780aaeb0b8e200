"""`board.gpio` on gpiozero's mock pins."""

import sys
import threading
from collections.abc import Iterator

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from board.gpio import Gpio
from board.settings import Pins
from firmware.errors import DeviceError
from firmware.ports import BUTTONS, HOLD_TIME, LAMPS


@pytest.fixture
def gpio() -> Iterator[Gpio]:
    gpio = Gpio.mock(Pins())
    yield gpio
    gpio.close()


class Presses:
    """Counts the presses of some buttons."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._changed = threading.Condition()

    def add(self, name: str) -> None:
        with self._changed:
            self.names.append(name)
            self._changed.notify_all()

    def wait(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.names) >= count, 10)


def listen(gpio: Gpio) -> Presses:
    presses = Presses()
    for name, button in gpio.open_buttons().items():
        button.when_pressed = lambda name=name: presses.add(name)
    return presses


def test_all_that_is_wired_is_there(gpio: Gpio) -> None:
    assert tuple(gpio.open_buttons()) == BUTTONS
    assert tuple(gpio.open_lamps()) == LAMPS


def test_buttons_are_pulled_up(gpio: Gpio) -> None:
    button = gpio.open_buttons()["call"]
    assert button.pin.pull == "up"
    assert button.pin.state
    assert not button.is_pressed


def test_a_bouncing_press_counts_once(gpio: Gpio) -> None:
    presses = listen(gpio)
    gpio.press("call")
    assert presses.wait(1)
    gpio.press("mute")
    assert presses.wait(2)
    assert presses.names == ["call", "mute"]


def test_presses_come_in_their_order_from_any_thread(gpio: Gpio) -> None:
    presses = listen(gpio)
    threads = [threading.Thread(target=gpio.press, args=("volume_up",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gpio.press("hang_up")
    assert presses.wait(5)
    assert presses.names == ["volume_up"] * 4 + ["hang_up"]


def test_a_button_is_pressed_only_as_far_as_it_exists(gpio: Gpio) -> None:
    with pytest.raises(DeviceError, match=r"there is no button 'eject'.*call, hang_up"):
        gpio.press("eject")


def test_a_finger_has_its_limits(gpio: Gpio) -> None:
    for _ in range(16):
        gpio.press("call")
    with pytest.raises(DeviceError, match="not that fast"):
        [gpio.press("call") for _ in range(10)]


def test_a_button_held_down_says_so_again_and_again(gpio: Gpio) -> None:
    presses = listen(gpio)
    gpio.open_buttons()["mute"].when_held = lambda: presses.add("held")
    gpio.press("mute", 2.5 * HOLD_TIME)
    assert presses.wait(3)
    assert presses.names[:3] == ["mute", "held", "held"]


def test_lamps_are_as_bright_as_they_should() -> None:
    gpio = Gpio(MockFactory(pin_class=MockPWMPin), Pins(), mock=True, brightness=0.5)
    lamp = gpio.open_lamps()["ready"]
    lamp.on()
    assert lamp.pin.state == 0.5
    gpio.close()


def test_lamps(gpio: Gpio) -> None:
    lamp = gpio.open_lamps()["ready"]
    lamp.on()
    assert lamp.pin.state
    lamp.off()
    assert not lamp.pin.state
    lamp.blink(0.005, 0.005)
    lamp.pin.clear_states()
    threading.Event().wait(0.2)
    lamp.off()
    assert len(lamp.pin.states) > 3
    assert not lamp.pin.state


def test_a_pin_that_can_not_be_had_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    gpio = Gpio.mock(Pins(button_call=2))
    gpio._factory.pin(2)._set_pull("up")
    other = Gpio(gpio._factory, Pins(), mock=True)
    taken = gpio.open_buttons()
    buttons = other.open_buttons()
    assert set(taken) == set(BUTTONS)
    assert set(buttons) == {"call"}
    assert "button mute: GPIO13 can't be used" in caplog.text
    other.close()
    gpio.close()


def test_the_pins_report_nothing_after_the_end(gpio: Gpio) -> None:
    pins = [button.pin for button in gpio.open_buttons().values()]
    listen(gpio)
    assert all(pin.when_changed for pin in pins)
    gpio.close()
    assert not any(pin.when_changed for pin in pins)
    gpio.close()


def test_nothing_is_pressed_after_the_end(gpio: Gpio) -> None:
    presses = listen(gpio)
    gpio.press("call")
    gpio.close()
    with pytest.raises(DeviceError):
        gpio.press("call")
    assert not presses.names


def test_the_finger_goes_with_the_board_even_when_presses_wait(gpio: Gpio) -> None:
    for _ in range(16):
        gpio.press("mute")
    fingers = [thread for thread in threading.enumerate() if thread.name == "finger"]
    assert fingers
    gpio.close()
    for finger in fingers:
        finger.join(10)
        assert not finger.is_alive()


def test_two_boards_in_one_process_do_not_share_pins(gpio: Gpio) -> None:
    other = Gpio.mock(Pins())
    here, there = listen(gpio), listen(other)
    other.press("call")
    assert there.wait(1)
    assert not here.names
    other.close()


def test_a_machine_without_lgpio_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(DeviceError, match="there are no pins"):
        Gpio.real(Pins())
