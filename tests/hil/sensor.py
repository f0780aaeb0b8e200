"""What the Pi's own camera sees (the kernel's vimc, which libcamera drives as it drives a Pi's)."""

from __future__ import annotations

import gc
import subprocess
from pathlib import Path

from hil.driver import load, unload
from hil.waiting import wait_for
from hil.webcam import PATTERNS

_NAMES = Path("/sys/class/video4linux")
_HEAP = Path("/dev/dma_heap/linux,cma")


class Sensor:
    """A camera on the CSI socket."""

    name = "Sensor B"

    def plug(self) -> None:
        """Put it in.  Its pictures lie where picamera2 looks for memory on a Pi."""
        if not _HEAP.is_symlink():
            _HEAP.symlink_to("system")
        load("vimc")
        assert wait_for(lambda: self._node() is not None)
        subprocess.run(["udevadm", "settle"], check=True)

    def remove(self) -> None:
        """Take it away when nobody uses it."""
        gc.collect()  # picamera2 holds on to a camera in circles
        unload("vimc")

    def show(self, pattern: str) -> None:
        """Put something before it."""
        control = f"test_pattern={PATTERNS[pattern]}"
        subprocess.run(["v4l2-ctl", "-d", f"/dev/{self._node()}", "-c", control], check=True, capture_output=True)

    def _node(self) -> str | None:
        nodes = (path for path in _NAMES.glob("v4l-subdev*") if (path / "name").read_text().strip() == self.name)
        return next((path.name for path in nodes), None)
