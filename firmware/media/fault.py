"""What the room is told of a device: that it can't be used, and why, or that it works again.

Rule 1: each is told once, however often it is found.
Rule 2: while a device is in use, its user says how it is.  While it isn't, it is looked for: one that is not there has
failed, and works again once it is.
Rule 3: one that failed and was there all the time is believed only when it works in use: looking says nothing of it.
"""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable

from firmware.errors import DeviceError
from firmware.media.message import DeviceFailed, DeviceRestored, Report

logger = logging.getLogger(__name__)


class Fault:
    """Of one device; for any thread."""

    def __init__(self, device: str, look_for: Callable[[str], None], report: Callable[[Report], None]) -> None:
        """*look_for*: see `firmware.ports.Board`."""
        self._device = device
        self._look_for = look_for
        self._report = report
        self._lock = threading.Lock()
        self._reason = ""
        self._gone = False
        """Whether it was not there since it failed."""

    def set(self, error: Exception) -> None:
        """The device can't be used."""
        missing = self._missing()
        # A node may outlive its device for a moment, and then be another's.
        lost = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.ENODEV
        with self._lock:
            self._gone = self._gone or lost or missing is not None
            self._set(error)

    def clear(self) -> None:
        """The device did what it should."""
        if not self._reason and not self._gone:
            return  # as with nearly every block of sound
        with self._lock:
            self._gone = False
            if self._reason:
                self._reason = ""
                self._report(DeviceRestored(self._device))

    def look(self) -> None:
        """See whether the device, which nobody uses, is there."""
        missing = self._missing()
        if missing is not None:
            with self._lock:
                self._gone = True
                self._set(missing)
        elif self._gone:
            self.clear()

    def _set(self, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        if reason != self._reason:
            self._reason = reason
            logger.debug("%s: %s", self._device, reason)  # the room says it to people
            self._report(DeviceFailed(self._device, reason))

    def _missing(self) -> DeviceError | None:
        try:
            self._look_for(self._device)
        except DeviceError as error:
            return error
        return None
