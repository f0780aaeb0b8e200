"""What encodes a camera's pictures: the hardware, and libx264 from the moment the hardware fails.

Rule 1: pictures come as often as was agreed on: where the camera is faster, some are left out.
Rule 2: the hardware reads pictures in the camera's memory where it can and no scaling is needed; else they are copied.
Rule 3: the firmware is not told of a change of encoder; the new one begins with a key frame.
Rule 4: whatever goes wrong here is said in the log and ends here: the camera goes on, and another encoder takes over,
the first at once, another libx264 after a second.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import av
from av.video.reformatter import VideoReformatter

from board.pi.m2m_encoder import M2mEncoder
from board.pi.x264 import X264Encoder
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from board.pi.shared_picture import Layout, SharedPicture
    from firmware.ports import EncoderSettings, OnAccessUnit

logger = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds until libx264 is tried again when it has failed, too."""


class CameraEncoder:
    """A `firmware.ports.Encoder`.  DeviceError: the hardware does not take these settings."""

    def __init__(
        self,
        node: Path,
        settings: EncoderSettings,
        on_access_unit: OnAccessUnit,
        on_closed: Callable[[CameraEncoder], None],
        layout: Layout | None = None,
    ) -> None:
        self._node = node
        self._settings = settings
        self._on_access_unit = on_access_unit
        self._on_closed = on_closed
        self._bitrate = settings.bitrate
        self._reformatter = VideoReformatter()
        self._next_time = float("-inf")
        self._using = threading.Lock()
        self._closed = False
        self._failed = False
        self._reason = ""
        """Why the last encoder was given up, as the log has it."""
        self.shares = layout is not None and (layout.width, layout.height) == (settings.width, settings.height)
        """Whether pictures are read in the camera's memory."""
        self._encoder: M2mEncoder | X264Encoder = self._hardware(layout if self.shares else None)

    def encode(self, picture: av.VideoFrame | SharedPicture, taken: float) -> None:
        """Encode a picture of this capture time, or leave it out; an encoder that fails is replaced."""
        interval = 1 / self._settings.frame_rate
        if taken < self._next_time - interval / 4:
            return
        self._next_time = max(self._next_time + interval, taken + interval / 2)
        encoder: M2mEncoder | X264Encoder | None = None
        try:
            encoder = self._current()
            if encoder is None:
                return
            if isinstance(encoder, M2mEncoder) and self.shares:
                encoder.encode(picture, taken)
            else:
                encoder.encode(self._fitted(picture), taken)
        except Exception as error:  # DESIGN: a media thread is a border; what failed is the encoder, not the camera
            if not isinstance(encoder, M2mEncoder):
                self._next_time = taken + PAUSE
            self._go_on_without(error)

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s."""
        with self._using:
            self._bitrate = bitrate
            self._tell(lambda: self._encoder.set_bitrate(bitrate))

    def force_key_frame(self) -> None:
        """Make the next picture an IDR with its parameter sets."""
        with self._using:
            self._tell(self._encoder.force_key_frame)

    def close(self) -> None:
        """Stop; ``on_access_unit`` is not called after this returns."""
        with self._using:
            if self._closed:
                return
            self._closed = True
            encoder = self._encoder
        encoder.close()
        self._on_closed(self)

    def _hardware(self, layout: Layout | None) -> M2mEncoder:
        if layout is not None:
            try:
                return M2mEncoder(self._node, self._settings, self._on_access_unit, self._fail, layout)
            except DeviceError as error:
                logger.info("Pictures are copied for the encoder: %s", error)
                self.shares = False
        return M2mEncoder(self._node, self._settings, self._on_access_unit, self._fail)

    def _current(self) -> M2mEncoder | X264Encoder | None:
        """The encoder to use now, another one if the last has failed; None: it is all over."""
        with self._using:
            if self._closed:
                return None
            if self._failed:
                self.shares = False
                self._encoder.close()
                self._encoder = X264Encoder(self._settings, self._bitrate, self._on_access_unit)
                self._failed = False
                logger.warning("Encoding by libx264 from now on")
            return self._encoder

    def _tell(self, command: Callable[[], None]) -> None:
        """Give the encoder a command; one that can't take it will be replaced, and the next knows it from its start."""
        try:
            command()
        except (DeviceError, av.FFmpegError) as error:
            self._failed = True
            logger.info("The encoder takes no commands: %s", error)

    def _go_on_without(self, error: Exception) -> None:
        """Copy the next picture, where the last one could not be read in place; else do without this encoder."""
        with self._using:
            if self._closed:
                return
            self._failed = True
            if self.shares:
                self._encoder.close()
                self.shares = False
                try:
                    self._encoder = self._hardware(None)
                    self._encoder.set_bitrate(self._bitrate)
                    self._failed = False
                except DeviceError:
                    pass
        reason = str(error) or type(error).__name__
        if reason != self._reason:  # once, not every second
            self._reason = reason
            logger.warning("The encoder does not take a picture: %s", reason)

    def _fitted(self, picture: av.VideoFrame | SharedPicture) -> av.VideoFrame:
        frame = picture if isinstance(picture, av.VideoFrame) else picture.frame()
        size = self._settings.width, self._settings.height
        if (frame.width, frame.height) == size:
            return frame
        scaled = self._reformatter.reformat(frame, *size, "yuv420p", threads=1)
        scaled.pts, scaled.time_base = frame.pts, frame.time_base
        return scaled

    def _fail(self, reason: str) -> None:  # noqa: ARG002
        self._failed = True
