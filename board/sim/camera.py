"""A camera that sees the test card or a film.

Rule 1: pictures come at the camera's own absolute times; a picture that nobody fetched in time is lost, nothing drifts.
Rule 2: ``frame.time`` is when the picture was due, which is when a real camera would have taken it.
Rule 3: it is panned, tilted and zoomed as the Pi's own camera is: by the part of its picture that it gives.
"""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from av.video.reformatter import VideoReformatter

from board.picture import cropped
from board.sim.beat import Beat

if TYPE_CHECKING:
    import av

    from board.digital_zoom import DigitalZoom
    from firmware.ports import EncoderSettings, OnAccessUnit

_MICROSECOND = Fraction(1, 1_000_000)


class Source(Protocol):
    """What stands before the camera."""

    width: int
    height: int

    def picture(self, number: int, seconds: float) -> av.VideoFrame:
        """The picture of this number, ``seconds`` after the start; numbers only grow.  DeviceError: it can't be had."""

    def close(self) -> None:
        """Release files."""


class SimCamera:
    """A `firmware.ports.Camera`."""

    def __init__(self, source: Source, frame_rate: int, zoom: DigitalZoom) -> None:
        self.width, self.height, self.frame_rate = source.width, source.height, frame_rate
        self.pan_tilt_zoom = zoom
        self._source = source
        self._reformatter = VideoReformatter()
        self._beat = Beat(1 / frame_rate)
        self._looking = threading.Lock()

    def capture(self, *, small: bool = False) -> av.VideoFrame | None:  # noqa: ARG002
        """Wait for the next picture and give it; None once closed.  DeviceError: the film has no more pictures."""
        number = self._beat.wait()
        with self._looking:
            if number is None or self._beat.stopped:
                return None
            frame = self._seen(self._source.picture(number, number * self._beat.period))
        frame.time_base = _MICROSECOND
        frame.pts = round(self._beat.time(number) / _MICROSECOND)
        return frame

    def _seen(self, frame: av.VideoFrame) -> av.VideoFrame:
        part = self.pan_tilt_zoom.part(frame.width, frame.height)
        if part == (0, 0, frame.width, frame.height):
            return frame
        return self._reformatter.reformat(cropped(frame, *part), frame.width, frame.height, threads=1)

    def open_encoder(self, settings: EncoderSettings, on_access_unit: OnAccessUnit) -> None:
        """There is no encoder in this camera."""

    def close(self) -> None:
        """Let ``capture`` return, and release the film."""
        self._beat.stop()
        with self._looking:
            self._source.close()
