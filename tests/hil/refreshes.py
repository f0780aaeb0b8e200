"""What a screen shows, refresh by refresh: the sums that its own hardware makes of its pixels (the kernel's vkms)."""

from __future__ import annotations

import ctypes
import fcntl
import os
import threading
import time
from pathlib import Path

from board.pi.display import KmsDisplay, find_screen
from board.pi.drm import Connector, Mode

_DEBUG = Path("/sys/kernel/debug/dri")
WIDTH, HEIGHT, RATE = 160, 120, 50
REFRESH = 1 / RATE
"""Seconds.  vkms composes such a small picture in much less, also where the machine is emulated."""
_TOTAL = 200, 150


class _GetSequence(ctypes.Structure):
    """struct drm_crtc_get_sequence."""

    _fields_ = (
        *(("crtc_id", ctypes.c_uint32), ("active", ctypes.c_uint32)),
        *(("sequence", ctypes.c_uint64), ("sequence_ns", ctypes.c_int64)),
    )


_GET_SEQUENCE = 3 << 30 | ctypes.sizeof(_GetSequence) << 16 | 0x643B


def small_display(name: str) -> KmsDisplay:
    """The display at this connector, in a mode of WIDTH times HEIGHT and RATE."""
    card, found = find_screen(name)
    mode = Mode(
        *(_TOTAL[0] * _TOTAL[1] * RATE // 1000, WIDTH, WIDTH + 10, WIDTH + 20, _TOTAL[0], 0),
        *(HEIGHT, HEIGHT + 10, HEIGHT + 20, _TOTAL[1], 0, RATE, 0, 0, b"small"),
    )
    return KmsDisplay(card, Connector(found.number, found.name, found.connected, [mode], found.crtcs))


class Refreshes:
    """Looks at each refresh, from the beginning of the ``with`` to its end."""

    def __init__(self, display: KmsDisplay) -> None:
        self._display = display
        self._folder = _DEBUG / display._card.path.name.removeprefix("card") / "crtc-0" / "crc"
        self.seen: list[tuple[int, str]] = []
        """Of each refresh its number and its sum."""

    def __enter__(self) -> Refreshes:
        (self._folder / "control").write_text("auto")
        self._data = os.open(self._folder / "data", os.O_RDONLY | os.O_NONBLOCK)
        self._ending = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._reader.join()
        os.close(self._data)

    def count(self) -> int:
        """The number of the refresh that is shown now."""
        asked = _GetSequence(crtc_id=self._display._crtc)
        fcntl.ioctl(self._display._card.fd, _GET_SEQUENCE, asked)
        return int(asked.sequence)

    def wait(self, refreshes: int) -> None:
        """Wait until so many have been seen that begin from now on."""
        until = self.count() + refreshes
        end = time.monotonic() + 30
        while not self.seen or self.seen[-1][0] < until:
            assert time.monotonic() < end, "the screen is not refreshed"
            time.sleep(REFRESH / 4)

    def last(self) -> str:
        """The sum of what is shown."""
        self.wait(2)
        return self.seen[-1][1]

    def _read(self) -> None:
        while not self._ending.is_set():
            try:
                line = os.read(self._data, 64).decode().rstrip("\0\n")
            except BlockingIOError:
                time.sleep(REFRESH / 4)
                continue
            number, total = line.split()
            self.seen.append((int(number, 16), total))
