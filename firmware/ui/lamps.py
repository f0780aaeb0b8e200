"""What the lamps say: a pure function of the room's state.

| lamp    | off                | on                  | blinks                     |
|---------|--------------------|---------------------|----------------------------|
| ready   | starting           | the room works      | a device is missing or ill |
| ringing | quiet              |                     | somebody calls             |
| in_call | no call            | a call is up        | one is being made, or held |
| muted   | microphone is open | microphone is muted |                            |
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

from firmware.call.call import State
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from firmware.ports import Lamp
    from firmware.room import RoomState

logger = logging.getLogger(__name__)


class Light(Enum):
    """What a lamp does."""

    OFF = "off"
    ON = "on"
    BLINK = "blink"


def lights(state: RoomState) -> dict[str, Light]:
    """What each of ports.LAMPS does."""
    ringing = any(call.state is State.INCOMING for call in state.calls)
    up = any(call.state is State.ACTIVE and not call.held for call in state.calls)
    others = any(call.state not in (State.INCOMING, State.ENDING) for call in state.calls)
    return {
        "ready": Light.OFF if not state.ready else Light.BLINK if state.faults or state.warnings else Light.ON,
        "ringing": Light.BLINK if ringing else Light.OFF,
        "in_call": Light.ON if up else Light.BLINK if others else Light.OFF,
        "muted": Light.ON if state.muted else Light.OFF,
    }


class Lamps:
    """The lamps of a board, showing the room's state; a lamp is touched only when it changes."""

    def __init__(self, lamps: Mapping[str, Lamp]) -> None:
        self._lamps = dict(lamps)
        self._shown: dict[str, Light] = {}

    def update(self, state: RoomState) -> None:
        """Show this state.  A lamp that fails is given up, with a line in the log."""
        for name, light in lights(state).items():
            lamp = self._lamps.get(name)
            if lamp is None or self._shown.get(name) is light:
                continue
            self._shown[name] = light
            try:
                _SWITCH[light](lamp)
            except DeviceError as error:
                logger.warning("the lamp %s does not work: %s", name, error)
                del self._lamps[name]

    def close(self) -> None:
        """Put all lamps out."""
        for name, lamp in self._lamps.items():
            if self._shown.pop(name, Light.OFF) is not Light.OFF:
                lamp.off()


def _off(lamp: Lamp) -> None:
    lamp.off()


def _on(lamp: Lamp) -> None:
    lamp.on()


def _blink(lamp: Lamp) -> None:
    lamp.blink()


_SWITCH = {Light.OFF: _off, Light.ON: _on, Light.BLINK: _blink}
