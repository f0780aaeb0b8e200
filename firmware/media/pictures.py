"""How a source of pictures reaches all who look at it: encoders, and the screen."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import av

    from firmware.ports import Camera


class Viewer(Protocol):
    """Who looks at pictures.  Called by the source's thread, which must not be kept."""

    def picture(self, frame: av.VideoFrame) -> None:
        """Take a picture, read only."""

    def camera_opened(self, camera: Camera) -> bool:
        """Learn that the source is this camera; True: its own encoder serves, no pictures are needed."""

    def camera_closed(self) -> None:
        """Learn that the camera has gone, or goes now."""


class Source(Protocol):
    """What can be looked at."""

    def add(self, viewer: Viewer) -> None:
        """Let the viewer see every picture from now on."""

    def remove(self, viewer: Viewer) -> None:
        """Let it see no more; it may still be given one that was under way."""


class Fan:
    """A source that passes on what it is given."""

    def __init__(self) -> None:
        self._viewers: tuple[Viewer, ...] = ()
        self._lock = threading.Lock()

    def add(self, viewer: Viewer) -> None:
        """See Source."""
        with self._lock:
            self._viewers += (viewer,)

    def remove(self, viewer: Viewer) -> None:
        """See Source."""
        with self._lock:
            self._viewers = tuple(each for each in self._viewers if each is not viewer)

    def show(self, frame: av.VideoFrame) -> None:
        """Give all viewers a picture."""
        for viewer in self._viewers:
            viewer.picture(frame)
