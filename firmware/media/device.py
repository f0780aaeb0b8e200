"""A device that may be missing: opened when wanted, given up when it fails, tried again every few seconds.

One that is absent on purpose is never opened, never looked for, and no fault.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from firmware.errors import DeviceError

if TYPE_CHECKING:
    from firmware.media.fault import Fault

logger = logging.getLogger(__name__)

RETRY = 3.0
"""Seconds after which a failed device is opened again."""


class _Closable(Protocol):
    def close(self) -> None: ...


D = TypeVar("D", bound=_Closable)


class Device(Generic[D]):
    """One device of the board; for one thread, but `close` may be called by any."""

    def __init__(self, open_device: Callable[[], D], fault: Fault, *, absent: bool = False) -> None:
        """*absent*: the room has none."""
        self.absent = absent
        self._open = open_device
        self._fault = fault
        self._device: D | None = None
        self._again = float("-inf")

    def get(self) -> D | None:
        """Give the device, opening it if it is time to try; None: it can't be used now."""
        if self._device is None and not self.absent and time.monotonic() >= self._again:
            try:
                self._device = self._open()
            except DeviceError as error:
                self.fail(error)
        return self._device

    @property
    def current(self) -> D | None:
        """The device, if it is open; for any thread."""
        return self._device

    def fail(self, error: Exception) -> None:
        """Give the device up for a while."""
        self._again = time.monotonic() + RETRY
        self.close()
        self._fault.set(error)

    def works(self) -> None:
        """Tell that the device did what it should."""
        self._fault.clear()

    def look(self) -> None:
        """See whether it is there, while nobody uses it; any thread may."""
        if self._device is None and not self.absent:
            self._fault.look()

    def close(self) -> None:
        """Release the device."""
        device, self._device = self._device, None
        if device is not None:
            try:
                device.close()
            except DeviceError as error:
                logger.info("A device could not be closed: %s", error)
