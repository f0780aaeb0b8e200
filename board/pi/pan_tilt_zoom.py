"""Pan, tilt and zoom of a camera that has motors, or does it by itself, by controls of the kernel's video interface.

Rule 1: a control of speed is used only if it goes both ways: the kernel's driver of USB cameras has one for zoom that
does not.
Rule 2: of an axis with both, the control of speed moves it, and that of its place tells where it stands.
Rule 3: straight ahead is where the camera's own numbers change their sign.
Rule 4: an axis that is refused keeps no other from being told; who is closed is told to stand still `STOP_TRIES` times.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from firmware.errors import DeviceError
from firmware.ports import AXES, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from board.pi import v4l2
    from board.pi.v4l2_device import Device

# Controls: <linux/v4l2-controls.h>, camera class: pan, tilt, zoom; right, up and in are positive
_CAMERA = 0x009A_0900
_PLACES = dict(zip(AXES, (_CAMERA + n for n in (8, 9, 13)), strict=True))
_SPEEDS = dict(zip(AXES, (_CAMERA + n for n in (32, 33, 15)), strict=True))


STOP_TRIES, STOP_PAUSE = 5, 0.05
"""How often a camera that is closed is told to stand still, and the seconds between."""


class V4l2PanTiltZoom:
    """A `firmware.ports.PanTiltZoom`; close it before the device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._using = threading.Lock()
        self._closed = False
        places, speeds = (
            {axis: limits for axis, number in numbers.items() if (limits := device.limits(number)) is not None}
            for numbers in (_PLACES, _SPEEDS)
        )
        self._places = {axis: limits for axis, limits in places.items() if limits.minimum < limits.maximum}
        self._speeds = {axis: limits for axis, limits in speeds.items() if limits.minimum < 0 < limits.maximum}
        self.driven = frozenset(self._speeds)
        self.axes = self.driven | frozenset(self._places)

    @property
    def view(self) -> View:
        """Where it looks now, as far as it says."""
        stand = {}
        with self._open():
            for axis, limits in self._places.items():
                value = self._device.control(limits.id)
                if value is not None:
                    stand[axis] = as_part(axis, value, limits)
        return View(**stand)

    def go_to(self, view: View) -> None:
        """Look there.  DeviceError: the camera does not obey."""
        with self._open():
            for axis, limits in self._places.items():
                wanted = getattr(view, axis)
                if wanted is not None:
                    self._device.set_control(limits.id, as_value(axis, wanted, limits))

    def drive(self, speeds: Mapping[str, float]) -> None:
        """Go on along these axes.  DeviceError: the camera does not obey along one of them at least."""
        failure = None
        with self._open():
            for axis, limits in self._speeds.items():
                if axis in speeds:
                    try:
                        self._set_speed(axis, as_speed(speeds[axis], limits))
                    except DeviceError as error:
                        failure = error
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Stand still, and obey no more."""
        for _ in range(STOP_TRIES):
            try:
                self.drive(dict.fromkeys(self.driven, 0.0))
                break
            except DeviceError as error:
                if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.ENODEV:
                    break  # it was pulled out
                time.sleep(STOP_PAUSE)
        with self._using:
            self._closed = True

    def _set_speed(self, axis: str, value: int) -> None:
        if not self._device.set_control(self._speeds[axis].id, value):
            raise DeviceError(f"the camera does not take a speed to {axis} at")

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._using:
            if self._closed:
                raise DeviceError("the camera has been closed")
            yield


def as_part(axis: str, value: int, limits: v4l2.ControlDescription) -> float:
    """A control's value as `firmware.ports.View` has it."""
    part: float
    if axis == "zoom":
        part = (value - limits.minimum) / (limits.maximum - limits.minimum)
    else:
        middle = _middle(limits)
        part = (value - middle) / (limits.maximum - middle if value > middle else middle - limits.minimum)
    return min(1.0, max(-1.0, part))


def as_value(axis: str, part: float, limits: v4l2.ControlDescription) -> int:
    """The control's value for a part; beyond its limits, the nearest."""
    if axis == "zoom":
        value = limits.minimum + part * (limits.maximum - limits.minimum)
    else:
        middle = _middle(limits)
        value = middle + part * (limits.maximum - middle if part > 0 else middle - limits.minimum)
    step = max(1, limits.step)
    stepped = limits.minimum + round((value - limits.minimum) / step) * step
    return int(min(limits.maximum, max(limits.minimum, stepped)))


def as_speed(part: float, limits: v4l2.ControlDescription) -> int:
    """The control's value for a part of the highest speed; the least one there is, but 0 for 0."""
    if part == 0:
        return 0
    most: int = limits.maximum if part > 0 else -limits.minimum
    value = max(1, min(most, round(abs(part) * most)))
    return value if part > 0 else -value


def _middle(limits: v4l2.ControlDescription) -> float:
    return 0.0 if limits.minimum < 0 < limits.maximum else (limits.minimum + limits.maximum) / 2
