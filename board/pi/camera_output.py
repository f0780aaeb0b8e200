"""Where the pictures of a camera go: the newest to who looks, every one to the encoders.

Rule 1: who looks gets each picture once, and never an old one while there is a newer.
Rule 2: a camera that failed says so to who looks, and goes on saying it.
Rule 3: nobody waits for a camera whose thread has ended, whatever ended it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from board.pi.camera_encoder import CameraEncoder
from board.pi.m2m_encoder import find_encoder
from firmware.errors import DeviceError

if TYPE_CHECKING:
    import av

    from board.pi.shared_picture import Layout, SharedPicture
    from firmware.ports import EncoderSettings, OnAccessUnit

logger = logging.getLogger(__name__)


class CameraOutput:
    """Of one camera; its thread puts pictures in, any thread takes them out."""

    def __init__(self) -> None:
        self.closed = False
        self.small = False
        """Whether who looks is content with a small picture."""
        self._changed = threading.Condition()
        self._picture: av.VideoFrame | None = None
        self._looking = False
        self._failure: DeviceError | None = None
        self._encoders: tuple[CameraEncoder, ...] = ()

    @property
    def looked_at(self) -> bool:
        """Whether somebody waits for the next picture."""
        return self._looking and self._picture is None

    def run(self, name: str, deliver: Callable[[], None]) -> None:
        """Let the camera of this name deliver its pictures until it is closed: all that its thread does."""
        try:
            deliver()
        except DeviceError as error:
            self.fail(error)
        except Exception as error:  # DESIGN: a media thread is a border
            logger.error("%s failed: %s: %s", name, type(error).__name__, error)
            self.fail(DeviceError(f"{name} failed: {str(error) or type(error).__name__}"))

    def capture(self, small: bool) -> av.VideoFrame | None:
        """Wait for the next picture; None once closed.  DeviceError: the camera has failed."""
        with self._changed:
            self.small, self._looking = small, True
            self._changed.wait_for(lambda: self.closed or self._failure is not None or self._picture is not None)
            if self.closed:
                return None
            if self._failure is not None:
                raise DeviceError(str(self._failure)) from self._failure.__cause__
            picture, self._picture, self._looking = self._picture, None, False
            return picture

    def show(self, picture: av.VideoFrame) -> None:
        """Give a picture to who looks, now or next."""
        with self._changed:
            self._picture = picture
            self._changed.notify_all()

    def fail(self, reason: DeviceError) -> None:
        """Tell who looks that the camera has failed."""
        with self._changed:
            self._failure = reason
            self._changed.notify_all()

    def open_encoder(
        self, settings: EncoderSettings, on_access_unit: OnAccessUnit, layout: Layout | None = None
    ) -> CameraEncoder | None:
        """The hardware's encoder for these pictures, which lie so in shared memory; None where the machine has none."""
        node = find_encoder()
        if node is None:
            return None
        encoder = CameraEncoder(node, settings, on_access_unit, self._forget, layout)
        with self._changed:
            self._encoders = (*self._encoders, encoder)
        return encoder

    def encode(self, picture: av.VideoFrame | SharedPicture, taken: float) -> None:
        """Give the encoders a picture of this capture time."""
        for encoder in self._encoders:
            encoder.encode(picture, taken)

    def close(self) -> bool:
        """Let ``capture`` return; False: that was done before."""
        with self._changed:
            first, self.closed = not self.closed, True
            self._changed.notify_all()
        return first

    def close_encoders(self) -> None:
        """End the encoders; no picture is held by them any more."""
        for encoder in self._encoders:
            encoder.close()

    def _forget(self, encoder: CameraEncoder) -> None:
        with self._changed:
            self._encoders = tuple(other for other in self._encoders if other is not encoder)
