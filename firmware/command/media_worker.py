"""``visavis media-worker``: the process that a unit starts for its sound and picture."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from firmware.command.process import start_log
from firmware.media import worker

if TYPE_CHECKING:
    from argparse import Namespace

    from firmware.command.hardware import Hardware


def run(arguments: Namespace, hardware: Hardware) -> int:
    """Do what comes down the command descriptor until it is closed."""
    start_log(arguments.log)
    # Ctrl-C and systemd reach the whole group: the unit ends its calls first, and then this process.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    board = hardware.open(arguments.board, json.loads(arguments.settings))
    worker.run(board, arguments.command_fd, arguments.report_fd)
    return 0
