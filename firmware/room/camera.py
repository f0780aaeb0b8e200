"""The room's camera: where it looks, and the views that are kept for later.

Rule 1: it can be moved while it is in use, that is while a call sends its picture; nobody would see it else.
Rule 2: presets have the numbers of H.281, and outlast the unit's process where there is a file to keep them in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from firmware.errors import DeviceError
from firmware.ports import AXES, View
from firmware.room.kept_file import KeptFile
from firmware.room.state import CameraState

if TYPE_CHECKING:
    from firmware.media import message
    from firmware.room.media import Media

logger = logging.getLogger(__name__)

PRESETS: Final = range(16)
"""Numbers of presets (H.281: four bits)."""
LONGEST_MOVE: Final = 10.0
"""Seconds that one command may move it at most."""
_LARGEST_FILE: Final = 10_000
"""Bytes."""


class Camera:
    """What the room knows of its camera, and has it do."""

    def __init__(self, media: Media, on_change: Callable[[], None]) -> None:
        self._media = media
        self._on_change = on_change
        self._axes: tuple[str, ...] = ()
        self._view = View()
        self._presets: dict[int, View] = {}
        self._file: KeptFile | None = None

    @property
    def state(self) -> CameraState:
        """As it is now."""
        return CameraState(self._axes, self._view, tuple(sorted(self._presets)))

    def keep_in(self, file: Path) -> None:
        """Take the presets from this file, if it is there, and keep them in it from now on."""
        self._file = KeptFile(file, "the camera's presets")
        try:
            if file.stat().st_size > _LARGEST_FILE:
                raise ValueError("it is too large")
            presets = msgspec.json.decode(file.read_bytes(), type=dict[int, View])
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:  # msgspec's own is a ValueError
            logger.warning("the camera's presets in %s can't be read: %s", file, error)
            return
        self._presets = {number: view for number, view in presets.items() if number in PRESETS}
        self._on_change()

    def take(self, report: message.CameraView) -> None:
        """Hear from the media where it looks."""
        self._axes = report.axes
        self._view = View(report.pan, report.tilt, report.zoom)
        self._on_change()

    def move(self, pan: float = 0.0, tilt: float = 0.0, zoom: float = 0.0, seconds: float = 0.5) -> None:
        """Move it for some time, from -1 (left, down, out) to 1; all 0: stop.  DeviceError: it can't be moved (so)."""
        self._check({"pan": pan or None, "tilt": tilt or None, "zoom": zoom or None})
        self._media.move_camera(pan, tilt, zoom, min(seconds, LONGEST_MOVE))

    def go_to(self, view: View) -> None:
        """Let it look there; None: as now.  DeviceError: it can't be moved (so)."""
        self._check({axis: getattr(view, axis) for axis in AXES})
        self._media.point_camera(view)

    def store(self, number: int) -> None:
        """Keep where it looks as this preset.  DeviceError: it isn't known, or there is no such number."""
        self._check({})
        if number not in PRESETS:
            raise DeviceError(f"presets have the numbers {PRESETS[0]} to {PRESETS[-1]}")
        if self._view == View():
            raise DeviceError("the camera does not say where it looks")
        self._presets[number] = self._view
        if self._file is not None:
            self._file.keep(msgspec.json.encode(self._presets).decode())
        self._on_change()

    async def stop(self) -> None:
        """Wait until what is to be kept is kept."""
        if self._file is not None:
            await self._file.settle()

    def recall(self, number: int) -> None:
        """Let it look where this preset says.  DeviceError: there is none, or it can't be moved."""
        self._check({})
        if number not in self._presets:
            raise DeviceError(f"no view is kept as preset {number}")
        view = self._presets[number]  # it may be another camera's, which could do more
        self._media.point_camera(View(**{axis: getattr(view, axis) for axis in AXES if axis in self._axes}))

    def _check(self, wanted: dict[str, float | None]) -> None:
        if not self._axes:
            raise DeviceError("no camera that can be moved is in use")
        beyond = [axis for axis, value in wanted.items() if value is not None and axis not in self._axes]
        if beyond:
            raise DeviceError(f"this camera can't {' or '.join(beyond)}")
