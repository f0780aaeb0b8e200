"""The hardware: what `firmware.ports` asks for, on a Raspberry Pi and on a simulated board.

`open_board` gives a board without opening any of its devices: each process opens those it needs, so the media worker
has camera, microphone, speaker and display, and the room's process has buttons and lamps.

- ``gpio``: buttons and lamps, on real pins or on gpiozero's mock pins
- ``dim_lamp``: a lamp that is not as bright as it could be
- ``compose``: a list of planes made one picture, for screens whose hardware doesn't do that; on ``picture``, which
  goes between libav and Pillow
- ``digital_zoom``: pan, tilt and zoom by choosing a part of a camera's picture
- ``gain``: the loudness of a block of sound
- ``cec``: switches the television and hears its remote control, by the kernel's adapter or a simulated one
- ``settings``: the tables ``[board.pi]`` and ``[board.sim]``
- ``sim``: a machine that has everything, on any computer; ``pi``: the Raspberry Pi

Colours: a raw picture is BT.601, limited range, unless it says otherwise itself.  That is what libswscale, libyuv and
so nearly every far end take for granted when an H.264 stream says nothing, which is the rule in conference rooms.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from board.settings import Pins, PiSettings, SimSettings
from firmware.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firmware.ports import Board, BoardSettings

SETTINGS: Mapping[str, type[Pins]] = {"sim": SimSettings, "pi": PiSettings}
"""By name of the board, the struct that describes its settings."""

_MODEL = Path("/proc/device-tree/model")


def open_board(name: str, settings: BoardSettings) -> Board:
    """Give the board ``pi`` or ``sim``; ``auto`` is what this machine is.

    ``settings`` is that board's table (`detect` gives its name).  ConfigError: the key, its value, what is allowed.
    """
    kind = detect() if name == "auto" else name
    if kind == "sim":
        from board.sim.board import SimBoard

        return SimBoard(settings)
    if kind == "pi":
        from board.pi.board import PiBoard

        return PiBoard(settings)
    raise ConfigError(f"board.kind = {name!r}: there is no such board; allowed are pi, sim and auto")


def detect(model: Path = _MODEL) -> str:
    """The name of the board that this machine is."""
    try:
        return "pi" if "Raspberry Pi" in model.read_text(errors="replace") else "sim"
    except OSError:
        return "sim"
