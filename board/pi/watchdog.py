"""The hardware watchdog, by the kernel's interface (<linux/watchdog.h>)."""

from __future__ import annotations

import errno
import fcntl
import math
import os
from contextlib import suppress
from ctypes import c_int
from pathlib import Path

from firmware.errors import DeviceError

NODE = Path("/dev/watchdog")

_KEEPALIVE, _SETTIMEOUT = 0x8004_5705, 0xC004_5706
_CLOSED = -1
_MAGIC_CLOSE = b"V"
"""Written before closing, it says that the closing is meant."""


class PiWatchdog:
    """A `firmware.ports.Watchdog`.  DeviceError: there is none, another program feeds it, or it can't wait so long."""

    def __init__(self, timeout: float, node: Path = NODE) -> None:
        try:
            self._fd = os.open(node, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            reason = "another program feeds it" if error.errno == errno.EBUSY else error.strerror
            raise DeviceError(f"{node} can't be opened: {reason}") from error
        seconds = c_int(math.ceil(timeout))
        try:
            fcntl.ioctl(self._fd, _SETTIMEOUT, seconds)
        except OSError as error:
            self.close()
            raise DeviceError(f"{node} does not take {timeout:g} s: {error.strerror}") from error
        self.timeout = float(seconds.value)

    def feed(self) -> None:
        """Say that all is well.  DeviceError: it has failed, or is closed."""
        if self._fd == _CLOSED:
            raise DeviceError("the watchdog is closed")
        try:
            fcntl.ioctl(self._fd, _KEEPALIVE, c_int())
        except OSError as error:
            raise DeviceError(f"the watchdog has failed: {error.strerror}") from error

    def close(self) -> None:
        """Stop it; where the kernel forbids that (nowayout), the machine restarts."""
        if self._fd == _CLOSED:
            return
        fd, self._fd = self._fd, _CLOSED
        with suppress(OSError):
            os.write(fd, _MAGIC_CLOSE)
        os.close(fd)
