"""What the USB camera sees, and its plug (the kernel's vivid)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hil.driver import load, unload
from hil.waiting import wait_for

PATTERNS = {"bars": 0, "columns": 1, "rows": 3, "black": 5, "white": 6, "red": 7, "green": 8, "blue": 9}
"""By name, vivid's number."""


class Webcam:
    """A camera at a fixed place, which can be pulled out."""

    node = Path("/dev/video20")

    def plug(self) -> None:
        """Put it in."""
        if not self.node.exists():
            parameters = (
                "n_devs=1",
                "node_types=0x1",
                "num_inputs=1",
                "input_types=0",
                "vid_cap_nr=20",
                "no_error_inj=0",
            )
            load("vivid", *parameters)
            wait_for(self.node.exists)
        self._control("osd_text_mode", 2)

    def unplug(self) -> None:
        """Pull it out: whoever has it open loses it."""
        self._control("disconnect", 1)

    def remove(self) -> None:
        """Take it away when nobody has it open any more."""
        unload("vivid")

    def pull_out(self) -> None:
        """Pull it out and take it away as soon as its user lets go of it: vivid puts itself in again then."""
        self.unplug()
        assert wait_for(self._remove_if_free, 30, 0.05), "somebody still holds the camera that was pulled out"

    def _remove_if_free(self) -> bool:
        try:
            self.remove()
        except subprocess.CalledProcessError:
            return False
        return True

    def show(self, pattern: str) -> None:
        """Put something before it."""
        self._control("test_pattern", PATTERNS[pattern])

    def _control(self, name: str, value: int) -> None:
        subprocess.run(["v4l2-ctl", "-d", str(self.node), "-c", f"{name}={value}"], check=True, capture_output=True)
