"""What a test in the machine asks of QEMU around it: what is on the screen, by way of the shared folder.

The test writes ``screendump-1`` there; QEMU, told so by QMP, writes ``screendump-1.png``, and then there is
``screendump-1.done``.  Only the folder's name for a picture crosses the border, never a command.
"""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

from hil.waiting import wait_for

RESULTS = Path("/results")
"""The shared folder, as the machine sees it."""


class Monitor:
    """QEMU's monitor, outside."""

    def __init__(self, results: Path, path: Path) -> None:
        self._results = results
        self._path = path
        self._socket: socket.socket | None = None

    def serve(self) -> None:
        """Do what was asked for since the last time."""
        for request in self._results.glob("screendump-*"):
            done = request.with_suffix(".done")
            if re.fullmatch(r"screendump-[0-9]+", request.name) and not done.exists():
                picture = request.with_suffix(".png")
                self._execute("screendump", filename=str(picture), format="png")
                done.touch()

    def close(self) -> None:
        """Leave the monitor."""
        if self._socket is not None:
            self._socket.close()

    def _execute(self, command: str, **arguments: str) -> None:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(30)
            self._socket.connect(str(self._path))
            self._answers = self._socket.makefile("r")
            self._answers.readline()
            self._execute("qmp_capabilities")
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:  # events come in between
            answer = json.loads(self._answers.readline())
            if "return" in answer or "error" in answer:
                return


class Television:
    """The screen that the machine is plugged into, seen from inside."""

    def __init__(self) -> None:
        self._count = 0
        self.status = next(Path("/sys/class/drm").glob("card*-Virtual-1")) / "status"
        """What the kernel says of the plug, and is told."""

    def picture(self) -> Path:
        """A PNG of what is on the screen."""
        self._count += 1
        request = RESULTS / f"screendump-{self._count}"
        request.touch()
        assert wait_for(request.with_suffix(".done").exists, 30), "nobody around this machine answers"
        return request.with_suffix(".png")

    def unplug(self) -> None:
        """Pull the plug."""
        self.status.write_text("off")

    def plug(self) -> None:
        """Put it in again."""
        self.status.write_text("detect")
