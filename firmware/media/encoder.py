"""Video encoders in software, by libav: one thread each, because sound needs the other cores."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import av
from av.video.frame import PictureType

from firmware.media.codecs import VideoCodec
from firmware.media.fit import Fitter
from firmware.media.level import PictureFormat

CLOCK_RATE = 90_000
"""Hz: of the time stamps of video in RTP (RFC 3551 5)."""
TIME_BASE = Fraction(1, CLOCK_RATE)
KEY_FRAME_INTERVAL = 10
"""Seconds between key frames that nobody asked for."""
BUFFER = 0.8
"""Seconds of the bitrate that a key frame may run ahead (the VBV buffer)."""


class Encoded(NamedTuple):
    """An encoded picture."""

    data: bytes
    """H.264: Annex B, parameter sets with every IDR.  b"" where the encoder left the picture out."""
    key_frame: bool
    hints: bytes = b""
    """What the encoder tells besides, see `VideoCodec.hints`."""


class SoftwareEncoder:
    """One stream's encoder."""

    def __init__(self, codec: VideoCodec, picture: PictureFormat, bitrate: int) -> None:
        self.picture = picture
        self._opened_bitrate = bitrate
        self._codec = codec
        self._fitter = Fitter(picture.width, picture.height, picture.pixel_aspect)
        self._next_tick = 0
        context = av.CodecContext.create(codec.encoder, "w")
        assert isinstance(context, av.VideoCodecContext)
        self._context = context
        context.width, context.height = picture.width, picture.height
        context.pix_fmt = "yuv420p"
        context.time_base = TIME_BASE if not codec.counts_pictures else Fraction(1001, 1000 * picture.frame_rate)
        context.framerate = Fraction(picture.frame_rate)
        context.bit_rate = bitrate
        context.gop_size = codec.key_frame_interval or KEY_FRAME_INTERVAL * picture.frame_rate
        context.thread_count = 1
        level = f"{picture.level // 10}.{picture.level % 10}"
        context.options = {
            name: value.format(level=level, bitrate=bitrate, buffer=int(bitrate * BUFFER))
            for name, value in codec.options.items()
        }
        context.open()

    def encode(self, frame: av.VideoFrame, key_frame: bool) -> Encoded:
        """Give a picture encoded.  It may have any size and format, and needs a time."""
        # Others encode the same picture at the same time: what is to be changed is changed in one of its own.
        fitted = self._fitter.fit(frame, own=key_frame or self._codec.counts_pictures)
        if self._codec.counts_pictures:
            fitted.pts, fitted.time_base = self._next_tick, self._context.time_base
            self._next_tick += 1
        fitted.pict_type = PictureType.I if key_frame else PictureType.NONE
        packets = self._context.encode(fitted)
        hints = [packet.get_sidedata(self._codec.hints) for packet in packets] if self._codec.hints else ()
        return Encoded(
            b"".join(map(bytes, packets)), any(packet.is_keyframe for packet in packets), b"".join(map(bytes, hints))
        )

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s; more than it was opened with is not possible."""
        self._context.bit_rate = min(bitrate, self._opened_bitrate)
