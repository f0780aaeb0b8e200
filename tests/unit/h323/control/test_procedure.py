"""The walk through a table: states, outputs, the one timer."""

from __future__ import annotations

from enum import Enum

from firmware.h323.control.link import PATIENCE, Link
from firmware.h323.control.procedure import Machine, Procedure


class State(Enum):
    OFF = "off"
    ON = "on"


class Input(Enum):
    PRESS = "press"
    PULL = "pull"
    EXPIRY = "expiry"


class Output(Enum):
    LIGHT = "light"
    BELL = "bell"


LAMP: Machine[State, Input, Output] = Machine(
    "lamp",
    State.OFF,
    {
        State.OFF: {Input.PRESS: (State.ON, (Output.LIGHT, Output.BELL))},
        State.ON: {
            Input.PRESS: (State.ON, (Output.BELL,)),
            Input.PULL: (State.OFF, ()),
            Input.EXPIRY: (State.OFF, (Output.BELL,)),
        },
    },
    {State.ON: 5.0},
    Input.EXPIRY,
)


class Lamp(Procedure[State, Input, Output]):
    def __init__(self) -> None:
        super().__init__(LAMP, Link())
        self.link.patient = False
        self.put: list[tuple[Output, State, float]] = []

    def _put(self, output: Output, now: float, /) -> None:
        self.put.append((output, self.state, now))


def test_row() -> None:
    lamp = Lamp()
    assert lamp._take(Input.PRESS, 1.0)
    assert lamp.state is State.ON
    assert lamp.put == [(Output.LIGHT, State.ON, 1.0), (Output.BELL, State.ON, 1.0)], "outputs see the new state"


def test_no_row_is_ignored_and_counted() -> None:
    lamp = Lamp()
    assert not lamp._take(Input.PULL, 1.0)
    assert lamp.state is State.OFF
    assert lamp.put == []
    assert lamp.link.ignored == {"lamp: pull in off": 1}


def test_timer_starts_anew_with_each_row_into_its_state() -> None:
    lamp = Lamp()
    assert lamp.deadline is None
    lamp._take(Input.PRESS, 1.0)
    assert lamp.deadline == 6.0
    lamp._take(Input.PRESS, 3.0)
    assert lamp.deadline == 8.0


def test_timer_stops_with_its_state() -> None:
    lamp = Lamp()
    lamp._take(Input.PRESS, 1.0)
    lamp._take(Input.PULL, 2.0)
    assert lamp.deadline is None
    lamp.handle_timer(100.0)
    assert lamp.state is State.OFF


def test_timer_expires_once_and_not_early() -> None:
    lamp = Lamp()
    lamp._take(Input.PRESS, 1.0)
    lamp.handle_timer(5.9)
    assert lamp.deadline == 6.0
    lamp.handle_timer(6.0)
    assert lamp.state is State.OFF
    assert lamp.deadline is None
    assert [output for output, _, _ in lamp.put].count(Output.BELL) == 2


def test_patience() -> None:
    lamp = Lamp()
    lamp.link.patient = True
    lamp._take(Input.PRESS, 1.0)
    assert lamp.deadline == 1.0 + PATIENCE
    lamp.handle_timer(1.0 + PATIENCE)
    assert lamp.state is State.OFF
    assert not lamp.link.patient


def test_haste() -> None:
    lamp = Lamp()
    lamp.hasten(0.0)
    assert lamp.deadline is None
    lamp.link.patient = True
    lamp._take(Input.PRESS, 1.0)
    lamp.hasten(10.0)
    assert lamp.deadline == 15.0
    lamp.hasten(12.0)
    assert lamp.deadline == 15.0
