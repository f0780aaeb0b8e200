"""Far ends outside of the machine, all on the simulated board: a room, one that has no picture, and an echo.

A test in the machine asks for them by ``start-room`` or ``start-echo`` in the shared folder, and there is
``start-room.done`` when it can be called.  Each runs until the machine ends.  The room's folder is shared too, so that
a test hears what its speaker played; its API asks for a password, since it is not on loopback.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hil.image import ROOT
from hil.monitor import RESULTS
from hil.network import ECHO, ROOM, TELEPHONE
from hil.waiting import wait_for
from interop.process import end
from interop.unit import Unit

LABEL, TONE, PASSWORD = "Far end", 660, "outside"
SMALL: dict[str, Any] = {
    "width": 320,
    "height": 180,
    "frame_rate": 2,
    "bitrate": 400_000,
    "codecs": ["PCMU", "H264"],
    "encryption": "off",
}
"""Media that an emulated machine can bear."""
SETTINGS: dict[str, dict[str, Any]] = {
    "room": {"name": LABEL, "auto_answer": True},
    "board.sim": {"camera_label": LABEL},
}
ROOMS: dict[str, tuple[str, dict[str, Any]]] = {
    "room": (ROOM, SMALL),
    "telephone": (TELEPHONE, SMALL | {"codecs": ["PCMU"]}),
}
"""By name, where it is and what its media are."""


class FarEnds:
    """Those that were asked for.  A context manager, outside."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._running = contextlib.ExitStack()

    def __enter__(self) -> FarEnds:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def serve(self) -> None:
        """Start what was asked for since the last time."""
        for name in (*ROOMS, "echo"):
            asked = self._results / f"start-{name}"
            done = asked.with_suffix(".done")
            if asked.exists() and not done.exists():
                if name == "echo":
                    self._start_echo()
                else:
                    self._start_room(name)
                done.touch()

    def _start_room(self, name: str) -> None:
        room = _room(self._results, name)
        room.__enter__()
        self._running.callback(room.stop)

    def _start_echo(self) -> None:
        log = self._running.enter_context((self._results / "echo.log").open("w"))
        echo = subprocess.Popen(
            [sys.executable, "-m", "firmware", "echo", "--board", "sim", "--address", ECHO],
            cwd=self._results,
            env={**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(self._results / "echo")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self._running.callback(end, echo)
        wait_for(lambda: "Ctrl-C" in (self._results / "echo.log").read_text())


def _room(shared: Path, name: str) -> Unit:
    address, media = ROOMS[name]
    return Unit(shared / name, SETTINGS | {"media": media}, address=address, tone=TONE, password=PASSWORD)


def outside(name: str) -> Unit:
    """One of ROOMS as it is seen from inside the machine; it runs."""
    start(name)
    room = _room(RESULTS, name)
    room.patience, room.pause = 60.0, 0.3
    return room


def start(name: str) -> None:
    """Ask for a far end, inside, and wait for it."""
    asked = RESULTS / f"start-{name}"
    asked.touch()
    deadline = time.monotonic() + 60
    while not asked.with_suffix(".done").exists():
        assert time.monotonic() < deadline, f"nobody around this machine starts the {name}"
        time.sleep(0.1)
