"""Video encoders in software, by libav: one thread each, because sound needs the other cores."""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from firmware.media.codecs import VideoCodec
from firmware.media.level import PictureFormat

CLOCK_RATE = 90_000
"""Hz: of the time stamps of video in RTP (RFC 3551 5)."""
TIME_BASE = Fraction(1, CLOCK_RATE)
KEY_FRAME_INTERVAL = 10
"""Seconds between key frames that nobody asked for."""
BUFFER = 0.8
"""Seconds of the bitrate that a key frame may run ahead (the VBV buffer)."""


class SoftwareEncoder:
    """One stream's encoder."""

    def __init__(self, codec: VideoCodec, picture: PictureFormat, bitrate: int) -> None:
        self.picture = picture
        self._opened_bitrate = bitrate
        self._reformatter = VideoReformatter()
        context = av.CodecContext.create(codec.encoder, "w")
        assert isinstance(context, av.VideoCodecContext)
        self._context = context
        context.width, context.height = picture.width, picture.height
        context.pix_fmt = "yuv420p"
        context.time_base = TIME_BASE
        context.framerate = Fraction(picture.frame_rate)
        context.bit_rate = bitrate
        context.gop_size = KEY_FRAME_INTERVAL * picture.frame_rate
        context.thread_count = 1
        level = f"{picture.level // 10}.{picture.level % 10}"
        context.options = {
            name: value.format(level=level, bitrate=bitrate, buffer=int(bitrate * BUFFER))
            for name, value in codec.options.items()
        }
        context.open()

    def encode(self, frame: av.VideoFrame, key_frame: bool) -> tuple[bytes, bool]:
        """Give a picture encoded (H.264: Annex B, parameter sets with every IDR), and whether it is a key frame.

        The picture may have any size and format, and needs a time; b"" where the encoder left it out.
        """
        picture = self.picture
        fitted = self._reformatter.reformat(frame, picture.width, picture.height, "yuv420p")
        fitted.pict_type = PictureType.I if key_frame else PictureType.NONE
        packets = self._context.encode(fitted)
        fitted.pict_type = PictureType.NONE
        return b"".join(map(bytes, packets)), any(packet.is_keyframe for packet in packets)

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s; more than it was opened with is not possible."""
        self._context.bit_rate = min(bitrate, self._opened_bitrate)
