"""A screen in memory: it keeps the planes it was last shown, and composes them only when somebody looks.

A witness (`clap`), where there is one, looks at all of them.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from board.compose import Composer
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from board.sim.clap import Witness
    from firmware.ports import Plane


class SimDisplay:
    """A `firmware.ports.Display`; may be looked at by any thread while another shows."""

    def __init__(self, width: int, height: int, witness: Witness | None = None) -> None:
        self.width, self.height = width, height
        self._planes: tuple[Plane, ...] = ()
        self._composer = Composer()
        self._composing = threading.Lock()
        self._closed = False
        self._witness = witness

    def show(self, planes: Sequence[Plane]) -> None:
        """Show these planes instead of those before.  DeviceError: closed."""
        if self._closed:
            raise DeviceError("the display is closed")
        self._planes = tuple(planes)
        if self._witness is not None:
            self._witness.look(self._planes, time.monotonic())

    def rest(self) -> None:
        """Show nothing.  DeviceError: closed."""
        self.show(())

    def screenshot(self, width: int, height: int) -> Image.Image:
        """What is on the screen now, in this size, pixels.  DeviceError: closed."""
        if self._closed:
            raise DeviceError("the display is closed")
        with self._composing:
            return self._composer.compose(self._planes, width, height)

    def close(self) -> None:
        """Forget the planes."""
        self._closed = True
        self._planes = ()
