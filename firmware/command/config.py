"""``visavis config``: print every setting with its default, or check a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware import config
from firmware.config.write import dump

if TYPE_CHECKING:
    from argparse import Namespace

    from firmware.command.hardware import Hardware


def run(arguments: Namespace, hardware: Hardware) -> int:
    """Print a complete file, or check one.  ConfigError: all that is wrong with it."""
    if arguments.check is None:
        print(dump(boards=hardware.settings), end="")
        return 0
    config.load(arguments.check, hardware.settings)
    print(f"{arguments.check}: every setting is right")
    return 0
