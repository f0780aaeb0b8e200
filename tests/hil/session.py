"""One machine that is running, and what is around it: its console, its screen and the far ends it calls."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from hil import pace
from hil.division import MACHINES
from hil.far_ends import FarEnds
from hil.image import Image
from hil.machine import EMULATION, OWN_TIME, command
from hil.monitor import Monitor

WIDTH = 7
"""Of a machine's name on the console."""
CACHE = "cache"
"""Where pytest keeps in mind what failed, in the results."""


class Session:
    """A machine that runs the tests that ``arguments`` name, and leaves what comes out in ``results``.

    A context manager; whoever has it calls `serve` often.
    """

    def __init__(
        self, name: str, image: Image, acceleration: tuple[str, ...], results: Path, arguments: Sequence[str]
    ) -> None:
        self.name, self.results, self.arguments = name, results, list(arguments)
        self._image, self._kind = image, MACHINES[name]
        self._acceleration = OWN_TIME if self._kind.own_time and acceleration is EMULATION else acceleration
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Session:
        self.results.mkdir(parents=True, exist_ok=True)
        pace.tell(self.results)
        (self.results / "arguments").write_text(shlex.join(self.arguments))
        monitor = Path(self._open.enter_context(tempfile.TemporaryDirectory())) / "monitor"
        self._monitor = Monitor(self.results, monitor)
        self._open.callback(self._monitor.close)
        self._far_ends = self._open.enter_context(FarEnds(self.results))
        self._start = time.monotonic()
        kind = self._kind
        started = command(
            self._image, self.results, monitor, self._acceleration, cable=kind.cable, systemd=kind.systemd
        )
        self._machine = self._open.enter_context(
            subprocess.Popen(started, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        )
        self._open.callback(self._machine.kill)
        assert self._machine.stdout is not None
        self._console = threading.Thread(target=self._print, args=(self._machine.stdout,))
        self._console.start()
        self._open.callback(self._console.join)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def serve(self) -> None:
        """Do what the machine has asked for since the last time."""
        self._monitor.serve()
        self._far_ends.serve()

    @property
    def ended(self) -> bool:
        """Whether the machine has powered off."""
        return self._machine.poll() is not None

    def status(self) -> int:
        """Pytest's; 1 where the machine died before its tests ended."""
        try:
            return int((self.results / "status").read_text())
        except (OSError, ValueError):
            print(f"The machine {self.name} died before its tests ended", file=sys.stderr)
            return 1

    def _print(self, console: IO[bytes]) -> None:
        for line in console:
            words = line.decode(errors="replace").rstrip().rpartition("\r")[2]
            print(f"{self.name:>{WIDTH}} | {words}", flush=True)
        print(f"{self.name:>{WIDTH}} | ended after {time.monotonic() - self._start:.0f} s", flush=True)
