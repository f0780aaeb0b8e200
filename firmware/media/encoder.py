"""The H.264 encoder in software: libx264 through libav.

CBR, because only then does the bitrate change while running (libx264 ignores every other way); no B-frames and no
look-ahead, because a call can't wait; one thread, because sound needs the other cores; slices that fit an RTP packet
each, because then a receiver of packetization mode 0 is served too (RFC 6184 6.2) and a lost packet costs a slice only.
"""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from firmware.media.level import PictureFormat

CLOCK_RATE = 90_000
"""Hz: of the time stamps of video in RTP (RFC 6184 8.2.1)."""
TIME_BASE = Fraction(1, CLOCK_RATE)
MAX_SLICE = 1_200
"""Bytes of a slice: with IP, UDP, RTP and SRTP around it, it crosses any path of 1,280 bytes (IPv6's least) whole."""
KEY_FRAME_INTERVAL = 10
"""Seconds between key frames that nobody asked for."""
BUFFER = 0.8
"""Seconds of the bitrate that a key frame may run ahead (the VBV buffer)."""


class SoftwareEncoder:
    """One stream's encoder."""

    def __init__(self, picture: PictureFormat, bitrate: int) -> None:
        self.picture = picture
        self._opened_bitrate = bitrate
        self._reformatter = VideoReformatter()
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, av.VideoCodecContext)
        self._context = context
        context.width, context.height = picture.width, picture.height
        context.pix_fmt = "yuv420p"
        context.time_base = TIME_BASE
        context.framerate = Fraction(picture.frame_rate)
        context.bit_rate = bitrate
        context.gop_size = KEY_FRAME_INTERVAL * picture.frame_rate
        context.thread_count = 1
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "level": f"{picture.level // 10}.{picture.level % 10}",
            "maxrate": str(bitrate),
            "bufsize": str(int(bitrate * BUFFER)),
            "slice-max-size": str(MAX_SLICE),
            "forced-idr": "1",
            "sc_threshold": "0",
        }
        context.open()

    def encode(self, frame: av.VideoFrame, key_frame: bool) -> tuple[bytes, bool]:
        """Give the access unit (Annex B, parameter sets with every IDR) of a picture, and whether it is an IDR.

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
