"""The room's camera: open only while a call sends its picture, shared by all who look at it.

The lamp on the camera is a promise, and a room that is not in a call costs no electricity: so the device is opened for
the first viewer that *needs* it (an encoder) and closed after the last; a viewer that merely watches (the self-view)
sees pictures while it is open.  A camera that fails is tried again every few seconds; one that is absent on purpose is
neither opened nor looked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware.media.border import attempt
from firmware.media.camera_control import CameraControl
from firmware.media.message import Report

if TYPE_CHECKING:
    from firmware.media.fault import Fault
    from firmware.media.pictures import Viewer
    from firmware.ports import Camera

RETRY = 3.0
"""Seconds after which a failed camera is opened again."""


class CameraFeed:
    """A Source of pictures; its thread lives as long as the camera is needed."""

    def __init__(
        self,
        open_camera: Callable[[], Camera],
        fault: Fault,
        report: Callable[[Report], None],
        *,
        absent: bool = False,
    ) -> None:
        """*absent*: the room has none."""
        self.control = CameraControl(report)
        """Moves the camera while it is open."""
        self._open_camera = open_camera
        self._fault = fault
        self._absent = absent
        self._changed = threading.Condition()
        self._viewers: list[tuple[Viewer, bool]] = []
        """With each, whether it needs the camera."""
        self._thread: threading.Thread | None = None
        self._camera: Camera | None = None

    def add(self, viewer: Viewer) -> None:
        """Let the viewer see every picture, and keep the camera open for it."""
        self._add(viewer, needs=True)

    def watch(self, viewer: Viewer) -> None:
        """Let the viewer see the pictures while the camera is open anyway."""
        self._add(viewer, needs=False)

    def remove(self, viewer: Viewer) -> None:
        """Let the viewer see no more; the camera is closed when nobody needs it."""
        with self._changed:
            self._viewers = [entry for entry in self._viewers if entry[0] is not viewer]
            if not self._needed and self._camera is not None:
                self._camera.close()  # lets capture() return
            self._changed.notify_all()
        viewer.camera_closed()

    def look(self) -> None:
        """See whether the camera is there, while nobody needs it."""
        if self._thread is None and not self._absent:
            self._fault.look()

    def _add(self, viewer: Viewer, needs: bool) -> None:
        with self._changed:
            self._viewers = [*self._viewers, (viewer, needs)]
            if self._thread is None and self._needed and not self._absent:
                self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    @property
    def _needed(self) -> bool:
        return any(needs for _, needs in self._viewers)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._needed:
                    self._thread = None
                    return
            error = attempt("The camera", self._feed)
            if error is not None:
                self._fault.set(error)
                with self._changed:
                    if self._needed:
                        self._changed.wait(RETRY)

    def _feed(self) -> None:
        """Open the camera and show its pictures until it is not needed any more."""
        camera = self._open_camera()
        with self._changed:
            self._camera = camera
        self.control.opened(camera.pan_tilt_zoom)
        served: dict[Viewer, bool] = {}
        """By viewer that knows this camera: whether the camera's own encoder serves it."""
        try:
            while self._needed:
                entries = self._viewers
                viewers = [viewer for viewer, _ in entries]
                served = {viewer: own for viewer, own in served.items() if viewer in viewers}
                for viewer in viewers:
                    if viewer not in served:
                        served[viewer] = viewer.camera_opened(camera)
                if all(served[viewer] for viewer in viewers):
                    with self._changed:
                        if [viewer for viewer, _ in self._viewers] == viewers:
                            self._changed.wait()
                    continue
                frame = camera.capture(small=not any(needs and not served[viewer] for viewer, needs in entries))
                if frame is None:
                    return
                self._fault.clear()
                for viewer in viewers:
                    if not served[viewer]:
                        viewer.picture(frame)
        finally:
            self.control.closed()
            with self._changed:
                self._camera = None
            for viewer in served:
                viewer.camera_closed()
            camera.close()
