"""What encodes a camera's pictures: the hardware, and libx264 from the moment the hardware fails.

Rule 1: pictures come as often as was agreed on: where the camera is faster, some are left out.
Rule 2: the firmware is not told of a change of encoder; the new one begins with a key frame.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from av.video.reformatter import VideoReformatter

from board.pi.m2m_encoder import M2mEncoder
from board.pi.x264 import X264Encoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import av

    from firmware.ports import EncoderSettings, OnAccessUnit

logger = logging.getLogger(__name__)


class CameraEncoder:
    """A `firmware.ports.Encoder`.  DeviceError: the hardware does not take these settings."""

    def __init__(
        self,
        node: Path,
        settings: EncoderSettings,
        on_access_unit: OnAccessUnit,
        on_closed: Callable[[CameraEncoder], None],
    ) -> None:
        self._settings = settings
        self._on_access_unit = on_access_unit
        self._on_closed = on_closed
        self._bitrate = settings.bitrate
        self._reformatter = VideoReformatter()
        self._next_time = float("-inf")
        self._using = threading.Lock()
        self._closed = False
        self._failed = False
        self._encoder: M2mEncoder | X264Encoder = M2mEncoder(node, settings, on_access_unit, self._fail)

    def encode(self, frame: av.VideoFrame, taken: float) -> None:
        """Encode a picture of this capture time, or leave it out."""
        settings = self._settings
        interval = 1 / settings.frame_rate
        if taken < self._next_time - interval / 4:
            return
        self._next_time = max(self._next_time + interval, taken + interval / 2)
        if (frame.width, frame.height) != (settings.width, settings.height):
            scaled = self._reformatter.reformat(frame, settings.width, settings.height, "yuv420p", threads=1)
            scaled.pts, scaled.time_base = frame.pts, frame.time_base
            frame = scaled
        with self._using:
            if self._closed:
                return
            if self._failed:
                self._failed = False
                self._encoder.close()
                logger.warning("Encoding by libx264 from now on")
                self._encoder = X264Encoder(settings, self._bitrate, self._on_access_unit)
            encoder = self._encoder
        encoder.encode(frame, taken)

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s."""
        with self._using:
            self._bitrate = bitrate
            self._encoder.set_bitrate(bitrate)

    def force_key_frame(self) -> None:
        """Make the next picture an IDR with its parameter sets."""
        with self._using:
            self._encoder.force_key_frame()

    def close(self) -> None:
        """Stop; ``on_access_unit`` is not called after this returns."""
        with self._using:
            if self._closed:
                return
            self._closed = True
            encoder = self._encoder
        encoder.close()
        self._on_closed(self)

    def _fail(self, reason: str) -> None:  # noqa: ARG002
        self._failed = True
