"""Where every process of the unit starts: the command line, and the only place that knows the boards.

An expected failure is one clear line on standard error and an exit status: 1 where something failed, 2 where the
arguments or the settings are wrong.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from firmware.command.parser import parse
from firmware.errors import ConfigError, FirmwareError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from firmware.config import Boards as Tables
    from firmware.ports import Board, BoardSettings

FAILED, WRONG, INTERRUPTED = 1, 2, 130


class Boards:
    """The package `board` as a `firmware.command.hardware.Hardware`, imported when it is needed."""

    def open(self, kind: str, settings: BoardSettings) -> Board:
        """Give a board by its name."""
        from board import open_board

        return open_board(kind, settings)

    def kind(self, configured: str) -> str:
        """Give the board that is meant on this machine."""
        from board import detect

        return detect() if configured == "auto" else configured

    @property
    def settings(self) -> Tables:
        """What each board's table may have."""
        from board import SETTINGS

        return SETTINGS


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and give the exit status."""
    parsed = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _run(parsed)
        sys.stdout.flush()
        return status
    except ConfigError as error:
        return _say(error, WRONG)
    except FirmwareError as error:
        return _say(error, FAILED)
    except BrokenPipeError:  # also when what was printed is flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads what is still to be flushed
        return FAILED
    except OSError as error:
        return _say(error.strerror or error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: Namespace) -> int:
    """Import what the command needs, and nothing else: `visavis status` is quick."""
    hardware = Boards()
    match arguments.command:
        case "run":
            from firmware.command import run

            return run.run(arguments, hardware)
        case "demo":
            from firmware.command import demo

            return demo.run(arguments, hardware)
        case "echo":
            from firmware.command import echo

            return echo.run(arguments, hardware)
        case "config":
            from firmware.command import config

            return config.run(arguments, hardware)
        case "board":
            from firmware.command import board

            return board.run(arguments, hardware)
        case "password":
            from firmware.command import password

            return password.run(arguments, hardware)
        case "certificate":
            from firmware.command import certificate

            return certificate.run(arguments, hardware)
        case "make-certificate":
            from firmware.command import make_certificate

            return make_certificate.run(arguments, hardware)
        case "media-worker":
            from firmware.command import media_worker

            return media_worker.run(arguments, hardware)
        case _:
            from firmware.command import remote

            return remote.run(arguments)


def _say(error: Exception | str, status: int) -> int:
    for line in str(error).splitlines() or [type(error).__name__]:
        print(f"visavis: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
