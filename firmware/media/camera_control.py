"""Pan, tilt and zoom of the room's camera, in a thread of its own: a motor may take a second to answer.

::

    move, go_to ──▶ thread "camera control" ──▶ PanTiltZoom of the camera that is open
                          └──▶ CameraView: what can be moved, and where it looks

Rule 1: a movement lasts as long as was said and no longer, as in H.281: whoever wants more says so again in time.
Rule 2: along an axis on which the camera does not go on by itself, it is moved bit by bit.
Rule 3: what is to be looked at while no camera is open is looked at when one is.
Rule 4: a camera that does not obey is left alone until the next command, unless it may go on by itself: then it is told
to stand still until it does, or for `STOP_TIME`.
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
STOP_PAUSE = 0.25
"""Seconds until a camera that did not take that it is to stand still is told again."""
STOP_TIME = 30.0
"""Seconds for which it is told so: one that has taken nothing for so long has hung, or has its own end."""
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
                    self._changed.wait(movement.pause or (REPORT_TIME if time.monotonic() < settled_at else None))
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
                movement.fail(error, now)
                with self._changed:
                    if self._wanted() == speeds:  # else there is another command by now
                        self._speeds = {}
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
        self._still = dict.fromkeys(head.driven, 0.0)
        self._told: Mapping[str, float] | None = self._still
        """At what speeds it goes on by itself; None: it did not take what it was told, and may do anything."""
        self._stop_until: float | None = None
        """Until when it is told to stand still, where it did not take that."""

    @property
    def pause(self) -> float | None:
        """Seconds until there is something to be done, s; None: nothing is."""
        if self.speeds:
            return BIT_TIME
        return STOP_PAUSE if self._told != self._still else None

    def fail(self, error: DeviceError, now: float) -> None:
        """Take that it did not obey; nothing is wanted of it any more but that it stands still."""
        self.speeds = {}
        if self._stop_until is None:
            logger.info("The camera can't be moved: %s", error)
        if self._told == self._still:
            return
        if self._stop_until is None:
            self._stop_until = now + STOP_TIME
        elif now >= self._stop_until:
            logger.warning("The camera does not take that it is to stand still: %s", error)
            self._told, self._stop_until = self._still, None

    def go_on(self, speeds: Mapping[str, float], now: float) -> None:
        """Move at these speeds from this time on, and go the bit that was due until now."""
        head = self._head
        driven = {axis: speeds.get(axis, 0.0) for axis in head.driven}
        if driven != self._told:
            self._told = None
            head.drive(driven)
            self._told, self._stop_until = driven, None
        if speeds != self.speeds:
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
