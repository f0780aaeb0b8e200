"""A whole unit in the machine, on the board's devices, and the finger at its buttons."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from hil.far_ends import SMALL
from hil.lines import Lines
from hil.monitor import RESULTS
from hil.sound import Room
from interop.unit import Unit

from board.settings import PiSettings

PINS = PiSettings()
BUTTON, LAMP = PINS.buttons(), PINS.lamps()
LINES = 480
"""Of the screen: an emulated machine takes a third of a second for a picture of 1280x720."""
PATIENCE, LOOK = 120.0, 0.3
"""Seconds until what has not happened by then is a failure, and between two looks."""


class PatientUnit(Unit):
    """A unit on a machine that is slow, and is left in peace to work."""

    start_patience, patience, pause = 150.0, PATIENCE, LOOK


@contextlib.contextmanager
def unit_inside(address: str, room: Room) -> Iterator[Unit]:
    """A unit at this address, which answers by its button; its log is among the results."""
    settings: dict[str, dict[str, Any]] = {
        "board": {"kind": "pi"},
        "board.pi": {
            "microphone": room.name,
            "speaker": room.name,
            "display_lines": LINES,
            "decoder": "hardware",  # though pictures are small
        },
        "room": {"name": "Room", "auto_answer": False},
        "media": SMALL,
        "log": {"level": "info"},
    }
    with PatientUnit(RESULTS / "unit", settings, address=address, password="inside") as unit:
        yield unit


def press(lines: Lines, button: str) -> None:
    """Press a button and let it go."""
    for high in (False, True):
        lines.pull(BUTTON[button], high=high)
        time.sleep(LOOK)  # a release that is cut short is none: the next press would be lost
