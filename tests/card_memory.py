"""A display card whose memory is a file, and that keeps what it is told."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from board.pi import drm
from board.pi.drm import HardwarePlane
from firmware.errors import DeviceError

PLACE = ("CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H", "SRC_X", "SRC_Y", "SRC_W", "SRC_H")
PROPERTIES = ("FB_ID", "CRTC_ID", *PLACE, "COLOR_ENCODING", "COLOR_RANGE")
ALL = frozenset({"XR24", "AR24", "YU12"})


class CardMemory:
    """In place of `board.pi.drm.Card`: three planes, 1 the primary one.  A row has more bytes than are needed."""

    path = Path("/dev/dri/card9")

    def __init__(self, properties: Iterable[str] = PROPERTIES) -> None:
        with tempfile.TemporaryFile() as file:
            file.truncate(1 << 20)
            self.fd = os.dup(file.fileno())
        self._count = 0
        self._properties = {name: (number, 0) for number, name in enumerate(properties)}
        self.last = drm.NewFrameBuffer()
        self.removed: list[int] = []
        self.commits: list[int] = []
        """The flags of each."""
        self.refuses = False

    def ask(self, argument: object) -> None:
        self._count += isinstance(argument, drm.CreateDumb | drm.NewFrameBuffer)
        if isinstance(argument, drm.CreateDumb):
            argument.pitch = {8: 64, 32: 256}[argument.bpp]
            argument.handle, argument.size = self._count, argument.pitch * argument.height
        elif isinstance(argument, drm.NewFrameBuffer):
            argument.fb_id = self._count
            self.last = argument

    def remove(self, request: int, number: int) -> None:
        self.removed.append(number)

    def planes(self, crtc_bit: int) -> list[HardwarePlane]:
        return [HardwarePlane(number, ALL) for number in (1, 2, 3)]

    def properties(self, number: int, kind: int) -> dict[str, tuple[int, int]]:
        return self._properties

    def commit(self, changes: Iterable[tuple[int, int, int]], flags: int) -> None:
        self.commits.append(flags)
        if self.refuses:
            raise DeviceError("out of range")

    def named(self, changes: Iterable[tuple[int, int, int]]) -> dict[int, dict[str, int]]:
        """By plane, the values by the properties' names."""
        names = list(self._properties)
        found: dict[int, dict[str, int]] = {}
        for plane, prop, value in changes:
            found.setdefault(plane, {})[names[prop]] = value
        return found

    def at(self, start: int, length: int) -> bytes:
        return os.pread(self.fd, length, start)

    def close(self) -> None:
        os.close(self.fd)
