"""`firmware.ui.lamps`."""

from dataclasses import replace

import pytest

from board.gpio import Gpio
from board.settings import Pins
from firmware.call.call import State
from firmware.errors import DeviceError
from firmware.ports import LAMPS
from firmware.room import CallView, RoomState
from firmware.ui.lamps import Lamps, Light, lights

ROOM = RoomState("Room", True, (), (), False, 70, None, ())


def call(state: State, *, held: bool = False) -> CallView:
    return CallView("1", "sip:a@example.com", "", False, state, held, False, None, True, ())


def test_every_lamp_is_told_what_to_do() -> None:
    assert tuple(lights(ROOM)) == LAMPS


@pytest.mark.parametrize(
    ("state", "lamp", "light"),
    [
        (replace(ROOM, ready=False), "ready", Light.OFF),
        (ROOM, "ready", Light.ON),
        (replace(ROOM, faults=("The camera does not work",)), "ready", Light.BLINK),
        (replace(ROOM, warnings=("The unit is too hot",)), "ready", Light.BLINK),
        (replace(ROOM, ready=False, faults=("x",)), "ready", Light.OFF),
        (ROOM, "ringing", Light.OFF),
        (replace(ROOM, calls=(call(State.INCOMING),)), "ringing", Light.BLINK),
        (replace(ROOM, calls=(call(State.ALERTING),)), "ringing", Light.OFF),
        (ROOM, "in_call", Light.OFF),
        (replace(ROOM, calls=(call(State.INCOMING),)), "in_call", Light.OFF),
        (replace(ROOM, calls=(call(State.DIALING),)), "in_call", Light.BLINK),
        (replace(ROOM, calls=(call(State.CONNECTING),)), "in_call", Light.BLINK),
        (replace(ROOM, calls=(call(State.ACTIVE),)), "in_call", Light.ON),
        (replace(ROOM, calls=(call(State.ACTIVE, held=True),)), "in_call", Light.BLINK),
        (replace(ROOM, calls=(call(State.ACTIVE, held=True), call(State.ACTIVE))), "in_call", Light.ON),
        (replace(ROOM, calls=(call(State.ENDING),)), "in_call", Light.OFF),
        (ROOM, "muted", Light.OFF),
        (replace(ROOM, muted=True), "muted", Light.ON),
    ],
)
def test_what_each_lamp_says(state: RoomState, lamp: str, light: Light) -> None:
    assert lights(state)[lamp] is light


class Recorder:
    """A lamp that remembers."""

    def __init__(self, *, broken: bool = False) -> None:
        self.done: list[str] = []
        self.broken = broken

    def _do(self, what: str) -> None:
        self.done.append(what)
        if self.broken:
            raise DeviceError("burnt out")

    def on(self) -> None:
        self._do("on")

    def off(self) -> None:
        self._do("off")

    def blink(self, on_time: float = 0.5, off_time: float = 0.5) -> None:
        self._do("blink")


def test_a_lamp_is_touched_only_when_it_changes() -> None:
    lamp = Recorder()
    lamps = Lamps({"in_call": lamp})
    for state in (ROOM, ROOM, replace(ROOM, volume=1), replace(ROOM, calls=(call(State.ACTIVE),))):
        lamps.update(state)
    assert lamp.done == ["off", "on"]


def test_closing_puts_lamps_out() -> None:
    lit, dark = Recorder(), Recorder()
    lamps = Lamps({"ready": lit, "muted": dark})
    lamps.update(ROOM)
    lamps.close()
    assert (lit.done, dark.done) == (["on", "off"], ["off"])


def test_a_lamp_that_fails_is_given_up_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    broken, other = Recorder(broken=True), Recorder()
    lamps = Lamps({"ready": broken, "muted": other})
    lamps.update(ROOM)
    lamps.update(replace(ROOM, ready=False, muted=True))
    assert broken.done == ["on"]
    assert other.done == ["off", "on"]
    assert "the lamp ready does not work: burnt out" in caplog.text


def test_a_boards_own_lamps() -> None:
    gpio = Gpio.mock(Pins())
    lamps = Lamps(gpio.open_lamps())
    lamps.update(replace(ROOM, muted=True))
    pins = {name: gpio._factory.pin(pin).state for name, pin in Pins().lamps().items()}
    assert pins == {"ready": True, "ringing": False, "in_call": False, "muted": True}
    lamps.close()
    gpio.close()
