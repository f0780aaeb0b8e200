"""``visavis board``: say which devices there are on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware import config

if TYPE_CHECKING:
    from argparse import Namespace

    from firmware.command.hardware import Hardware


def run(arguments: Namespace, hardware: Hardware) -> int:
    """Print a line for each device: the one that the unit would use, or why there is none."""
    path = arguments.config
    settings = config.load(path, hardware.settings) if path is not None else config.Config()
    kind = hardware.kind(arguments.board or settings.board.kind)
    board = hardware.open(kind, getattr(settings.board, kind))
    try:
        found = board.describe()
    finally:
        board.close()
    for device, words in {"board": board.name, **found}.items():
        print(f"{device:<12}{words}")
    return 0
