"""Pan, tilt and zoom of the room's camera, in a thread of its own: a motor may take a second to answer.

::

    move, go_to ──▶ thread "camera control" ──▶ PanTiltZoom of the camera that is open
                          └──▶ CameraView: what can be moved, and where it looks

Rule 1: a movement lasts as long as was said and no longer, as in H.281: whoever wants more says so again in time.
Rule 2: along an axis on which the camera does not go on by itself, it is moved bit by bit.
Rule 3: what is to be looked at while no camera is open is looked at when one is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from firmware.errors import DeviceError
from firmware.media.border import attempt
from firmware.media.message import CameraView, Report
from firmware.ports import AXES, View

if TYPE_CHECKING:
    from firmware.ports import PanTiltZoom

logger = logging.getLogger(__name__)

BIT_TIME = 0.05
"""Seconds from one bit of a movement to the next."""
TRAVEL_TIME = {"pan": 5.0, "tilt": 5.0, "zoom": 3.0}
"""Seconds from one end to the other, bit by bit at full speed."""
REPORT_TIME = 0.25
"""Seconds between two reports of a camera that moves."""
SETTLE_TIME = 3.0
"""Seconds that a motor may still move when it was told all that it was to be told."""


class CameraControl:
    """Moves whichever camera is open."""

    def __init__(self, report: Callable[[Report], None]) -> None:
        self._report = report
        self._changed = threading.Condition()
        self._head: PanTiltZoom | None = None
        self._target: View | None = None
        self._speeds: Mapping[str, float] = {}
        self._until = float("-inf")

    def opened(self, head: PanTiltZoom | None) -> None:
        """Move this from now on; None: the camera can't be moved."""
        if head is None:
            return
        with self._changed:
            self._head, self._speeds = head, {}
        moving = ("Moving the camera", self._run, head)
        threading.Thread(target=attempt, args=moving, name="camera control", daemon=True).start()

    def closed(self) -> None:
        """Move nothing from now on."""
        with self._changed:
            known, self._head = self._head, None
            self._changed.notify_all()
        if known is not None:
            self._report(CameraView())

    def move(self, speeds: Mapping[str, float], seconds: float) -> None:
        """Move so along these axes for so long, from -1 (left, down, out) to 1; along the others, no more."""
        with self._changed:
            self._speeds = {
                axis: max(-1.0, min(1.0, speed)) for axis, speed in speeds.items() if axis in AXES and speed
            }
            self._until = time.monotonic() + seconds
            self._changed.notify_all()

    def go_to(self, view: View) -> None:
        """Look there, instead of whatever goes on."""
        with self._changed:
            self._target, self._speeds = view, {}
            self._changed.notify_all()

    # The thread

    def _run(self, head: PanTiltZoom) -> None:
        movement = _Movement(head)
        said = self._say(head, None)
        say_at = settled_at = time.monotonic() + REPORT_TIME
        while True:
            with self._changed:
                if self._head is head and self._target is None and self._wanted() == movement.speeds:
                    busy = movement.speeds or time.monotonic() < settled_at
                    self._changed.wait((BIT_TIME if movement.speeds else REPORT_TIME) if busy else None)
                if self._head is not head:
                    return
                target, self._target = self._target, None
                speeds = self._wanted()
            now = time.monotonic()
            try:
                if target is not None:
                    movement.go_on({}, now)
                    head.go_to(target)
                movement.go_on(speeds, now)
            except DeviceError as error:
                logger.info("The camera can't be moved: %s", error)
                movement = _Movement(head)
                self.move({}, 0.0)
            if target is not None or speeds:
                settled_at = now + SETTLE_TIME
            if now >= say_at or not speeds:
                said, say_at = self._say(head, said), now + REPORT_TIME

    def _wanted(self) -> Mapping[str, float]:
        return self._speeds if time.monotonic() < self._until else {}

    def _say(self, head: PanTiltZoom, said: CameraView | None) -> CameraView | None:
        try:
            view = head.view
        except DeviceError:  # it has gone, and whoever looks at its pictures says so
            return said
        found = CameraView(tuple(axis for axis in AXES if axis in head.axes), view.pan, view.tilt, view.zoom)
        with self._changed:  # nothing is said after `closed`
            if found != said and self._head is head:
                self._report(found)
        return found


class _Movement:
    """What a camera does now."""

    def __init__(self, head: PanTiltZoom) -> None:
        self._head = head
        self.speeds: Mapping[str, float] = {}
        """Along each axis that it moves along."""
        self._view = View()
        self._time = 0.0

    def go_on(self, speeds: Mapping[str, float], now: float) -> None:
        """Move at these speeds from this time on, and go the bit that was due until now."""
        head = self._head
        if speeds != self.speeds:
            driven = {axis: speeds.get(axis, 0.0) for axis in head.driven}
            if driven != {axis: self.speeds.get(axis, 0.0) for axis in head.driven}:
                head.drive(driven)
            if not self.speeds:
                self._view = head.view
            self.speeds, self._time = speeds, now
            return
        bits = {}
        for axis in speeds.keys() & (head.axes - head.driven):
            stand = getattr(self._view, axis)
            if stand is not None:
                least, most = AXES[axis]
                way = speeds[axis] * (most - least) * (now - self._time) / TRAVEL_TIME[axis]
                bits[axis] = min(most, max(least, stand + way))
        self._time = now
        if bits:
            self._view = replace(self._view, **bits)
            head.go_to(View(**bits))
