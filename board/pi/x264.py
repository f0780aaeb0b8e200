"""H.264 by libx264, for a hardware encoder that failed in the middle of a call."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.frame import PictureType

from board.pi.m2m_encoder import KEY_FRAME_INTERVAL
from board.picture import copied

if TYPE_CHECKING:
    from firmware.ports import EncoderSettings, OnAccessUnit

_TIME_BASE = Fraction(1, 1_000_000)
"""s: of a camera's pictures."""


class X264Encoder:
    """One stream, encoded in the thread that brings the pictures."""

    def __init__(self, settings: EncoderSettings, bitrate: int, on_access_unit: OnAccessUnit) -> None:
        self._settings = settings
        self._on_access_unit = on_access_unit
        self._using = threading.Lock()
        self._closed = False
        self._key_frame_wanted = True
        self._most = bitrate
        """bit/s: what it was opened with; below that the bitrate can be changed while it runs."""
        self._context = self._open(bitrate)

    def encode(self, frame: av.VideoFrame, taken: float) -> None:
        """Encode a picture (``yuv420p``, of the settings' size, its time in microseconds) of this capture time."""
        with self._using:
            if self._closed:
                return
            key_frame, self._key_frame_wanted = self._key_frame_wanted, False
            if key_frame:
                frame = copied(frame)  # its type is read by all who encode it
                frame.pict_type = PictureType.I
            data = b"".join(bytes(packet) for packet in self._context.encode(frame))
            if data:
                self._on_access_unit(data, taken)

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s; above the first one it begins anew, with a key frame."""
        with self._using:
            if bitrate > self._most:
                self._most = bitrate
                self._context = self._open(bitrate)
            else:
                self._context.bit_rate = bitrate

    def force_key_frame(self) -> None:
        """Make the next picture an IDR."""
        self._key_frame_wanted = True

    def close(self) -> None:
        """Stop; ``on_access_unit`` is not called after this returns."""
        with self._using:
            self._closed = True

    def _open(self, bitrate: int) -> av.VideoCodecContext:
        settings = self._settings
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height, context.pix_fmt = settings.width, settings.height, "yuv420p"
        context.time_base, context.framerate = _TIME_BASE, Fraction(settings.frame_rate)
        context.bit_rate = bitrate
        context.gop_size = KEY_FRAME_INTERVAL * settings.frame_rate
        context.thread_count = 1
        # Only a stream of constant bitrate can change it while it runs: maxrate and bufsize make it one.
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "level": f"{settings.level // 10}.{settings.level % 10}",
            "maxrate": str(bitrate),
            "bufsize": str(bitrate // 2),
            "forced-idr": "1",
        }
        context.open()
        return context
