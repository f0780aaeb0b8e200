"""What the buttons, and the keys of the television's remote control, do: tables of actions on the room.

Rule 1: a board calls in a thread of its own; the action runs on the room's event loop.
Rule 2: one press is one action, however badly the contact bounces; what a long one does besides is a table of its own.
Rule 3: a button that makes no sense now does nothing: nobody reads error messages off a button.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from firmware.call.call import State
from firmware.errors import FirmwareError

if TYPE_CHECKING:
    from firmware.ports import Button, Television
    from firmware.room import Room

logger = logging.getLogger(__name__)

VOLUME_STEP: Final = 5
"""Percent."""
REPEAT_TIME: Final = 0.05
"""Seconds in which a button is not pressed twice by a finger; a second press is the contact's."""


def press_call(room: Room, call_button: str) -> None:
    """Answer what rings, else dial the configured address unless a call is up or being made."""
    if any(call.state is State.INCOMING for call in room.state.calls):
        room.answer()
    elif call_button and not room.state.calls:
        room.dial(call_button)


def press_hang_up(room: Room, _call_button: str) -> None:
    """End or refuse the foremost call."""
    if room.state.calls:
        room.hang_up()


def press_mute(room: Room, _call_button: str) -> None:
    """Mute the microphone, or open it again."""
    room.set_mute(not room.state.muted)


def press_volume_up(room: Room, _call_button: str) -> None:
    """Make the speaker louder."""
    room.set_volume(room.state.volume + VOLUME_STEP)


def press_volume_down(room: Room, _call_button: str) -> None:
    """Make the speaker softer."""
    room.set_volume(room.state.volume - VOLUME_STEP)


def hold_hang_up(room: Room, _call_button: str) -> None:
    """End or refuse all calls."""
    for call in room.state.calls:
        room.hang_up(call.id)


Action = Callable[["Room", str], None]

ACTIONS: Final[dict[str, Action]] = {
    "call": press_call,
    "hang_up": press_hang_up,
    "mute": press_mute,
    "volume_up": press_volume_up,
    "volume_down": press_volume_down,
}
"""By name of ports.BUTTONS."""


class Held(NamedTuple):
    """What a button does that is held down."""

    action: Action
    holds: range
    """In units of `HOLD_TIME`: when."""


_ALWAYS: Final = range(1, 100)
HELD: Final = {
    "hang_up": Held(hold_hang_up, range(4, 5)),
    "volume_up": Held(press_volume_up, _ALWAYS),
    "volume_down": Held(press_volume_down, _ALWAYS),
}
"""By name of ports.BUTTONS."""


def _send_digit(digit: str) -> Action:
    def send(room: Room, _call_button: str) -> None:
        """Let the far end that is talked to hear a digit."""
        call = next((call for call in room.state.calls if call.state is State.ACTIVE and not call.held), None)
        if call is not None:
            room.send_digits(call.id, digit)

    return send


KEY_ACTIONS: Final[dict[str, Action]] = {
    "select": press_call,
    "green": press_call,
    "back": press_hang_up,
    "red": press_hang_up,
    "mute": press_mute,
    "volume_up": press_volume_up,
    "volume_down": press_volume_down,
    **{digit: _send_digit(digit) for digit in "0123456789"},
}
"""By name of ports.KEYS."""


class Buttons:
    """The buttons of a board, acting on a room.  Made on the event loop on which the room runs."""

    def __init__(self, buttons: Mapping[str, Button], room: Room, call_button: str = "") -> None:
        self._buttons = dict(buttons)
        self._room = room
        self._call_button = call_button
        self._loop = asyncio.get_running_loop()
        self._pressed: dict[str, float] = {}
        self._holds: dict[str, int] = {}
        """How often it was said that a button is held, since it was pressed."""
        for name, button in self._buttons.items():
            button.when_pressed = partial(self._when, self._press, name)
            if name in HELD:
                button.when_held = partial(self._when, self._hold, name)

    def close(self) -> None:
        """Let presses do nothing from now on."""
        for name, button in self._buttons.items():
            button.when_pressed = None
            if name in HELD:
                button.when_held = None
        self._buttons.clear()

    def _when(self, told: Callable[[str, float], None], name: str) -> None:
        """In the board's thread."""
        with suppress(RuntimeError):  # the loop is closed: the unit stops
            self._loop.call_soon_threadsafe(told, name, time.monotonic())

    def _press(self, name: str, pressed: float) -> None:
        last = self._pressed.get(name)
        self._pressed[name] = pressed
        self._holds[name] = 0
        if name not in self._buttons or (last is not None and pressed - last < REPEAT_TIME):
            return
        _act(ACTIONS[name], f"the button {name} was pressed", self._room, self._call_button)

    def _hold(self, name: str, _now: float) -> None:
        self._holds[name] = self._holds.get(name, 0) + 1
        if name in self._buttons and self._holds[name] in HELD[name].holds:
            _act(HELD[name].action, f"the button {name} is held", self._room, self._call_button)


class RemoteControl:
    """The keys that a television passes on, acting on a room.  Made on the event loop on which the room runs."""

    def __init__(self, television: Television, room: Room, call_button: str = "") -> None:
        self._television = television
        self._room = room
        self._call_button = call_button
        self._loop = asyncio.get_running_loop()
        self._closed = False
        television.when_key_pressed = self._when_pressed

    def close(self) -> None:
        """Let keys do nothing from now on."""
        self._closed = True
        self._television.when_key_pressed = None

    def _when_pressed(self, key: str) -> None:
        """In the board's thread."""
        with suppress(RuntimeError):  # the loop is closed: the unit stops
            self._loop.call_soon_threadsafe(self._act, key)

    def _act(self, key: str) -> None:
        action = KEY_ACTIONS.get(key)
        if action is not None and not self._closed:
            _act(action, f"the key {key} was pressed", self._room, self._call_button)


def _act(action: Action, what: str, room: Room, call_button: str) -> None:
    logger.info("%s", what)
    for touched in room.when_touched:
        touched()
    try:
        action(room, call_button)
    except FirmwareError as error:
        logger.info("%s, which does nothing now: %s", what, error)
