"""The codecs: one row for each.  Cheap to import, so that a unit offers only what this machine has.

Another codec that libav has is a row here; one whose payload format is not the bare bits needs a file in `firmware.rtp`
besides.  What signalling says of it stands in signalling.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from firmware.call.media import H264, Codec
from firmware.errors import CallError
from firmware.media.level import PictureFormat, best_format, limits
from firmware.rtp import h264
from firmware.rtp.packet import Packet

LONGEST_PACKET = 0.120
"""Seconds of sound in a packet at most (RFC 7587 3.3)."""
MAX_PAYLOAD = 1_500
"""Bytes of an audio payload; a longer one is no sound (187 ms of G.711)."""


@dataclass(frozen=True, slots=True)
class AudioCodec:
    """How a codec of RTP is coded here."""

    sample_rate: int
    """Hz, of the samples that are coded."""
    encoder: str
    """libav's name."""
    decoder: str
    """libav's name, or ``libopus`` for the library itself."""
    bitrate: int = 0
    """bit/s, where it can be chosen."""
    packet_times: tuple[float, ...] = ()
    """Seconds that a packet may have; (): any multiple of 10 ms."""
    options: Mapping[str, str] = field(default_factory=dict)
    """The encoder's, by libav's names; ``{samples}`` and ``{milliseconds}`` stand for the length of a packet."""


CODECS = {
    "PCMU": AudioCodec(8_000, "pcm_mulaw", "pcm_mulaw"),
    "PCMA": AudioCodec(8_000, "pcm_alaw", "pcm_alaw"),
    # libav's encoder of G.722 waits for 20 ms, whatever it is given, where it isn't told.
    "G722": AudioCodec(16_000, "g722", "g722", options={"frame_size": "{samples}"}),
    # libav's decoder of Opus has neither concealment nor FEC, and an empty packet ends it.
    "opus": AudioCodec(
        48_000,
        "libopus",
        "libopus",
        bitrate=40_000,
        packet_times=(0.010, 0.020, 0.040, 0.060),
        options={
            "application": "voip",
            "frame_duration": "{milliseconds:g}",
            "fec": "1",
            "packet_loss": "5",
            "compression_level": "5",
        },
    ),
}
"""By the name IANA registered."""


class CodedPicture(Protocol):
    """One picture as it came: what a payload format makes of packets."""

    @property
    def data(self) -> bytes:
        """What the decoder is given."""

    @property
    def key_frame(self) -> bool:
        """Whether decoding can start here."""

    @property
    def damaged(self) -> bool:
        """Whether something of it, or right before it, is missing."""

    @property
    def has_picture(self) -> bool:
        """Whether there is more in it than parameters."""

    @property
    def stream(self) -> int:
        """Of its packets."""


class Depacketizer(Protocol):
    """The receiving half of a payload format."""

    def receive(self, packet: Packet) -> Sequence[CodedPicture]:
        """Take the next packet in order; give the pictures that it ends."""


@dataclass(frozen=True, slots=True)
class VideoCodec:
    """How a codec of RTP is coded here.  The `Codec` given to a function is the far end's."""

    encoder: str
    """libav's name."""
    decoder: str
    """libav's name."""
    packetize: Callable[[bytes, Codec], list[bytes]]
    """The payloads of an encoded picture.  LocalProtocolError: it can't be sent."""
    depacketizer: Callable[[], Depacketizer]
    picture_format: Callable[[Codec, int, int, int, int], PictureFormat]
    """What to send of a source of this width, height (pixels) and frame rate, at this bitrate (bit/s)."""
    max_bitrate: Callable[[Codec], int]
    """bit/s that the far end takes."""
    options: Mapping[str, str] = field(default_factory=dict)
    """The encoder's, by libav's names; ``{level}``, ``{bitrate}`` and ``{buffer}`` (bit) are filled in."""


def _h264(codec: Codec) -> H264:
    if codec.h264 is None:
        raise CallError("H264 without its parameters")
    return codec.h264


MAX_SLICE = 1_200
"""Bytes of a slice: with IP, UDP, RTP and SRTP around it, it crosses any path of 1,280 bytes (IPv6's least) whole."""

VIDEO_CODECS = {
    # CBR, because only then does the bitrate change while running (libx264 ignores every other way); no B-frames and
    # no look-ahead, because a call can't wait; slices that fit an RTP packet each, because then a receiver of
    # packetization mode 0 is served too (RFC 6184 6.2) and a lost packet costs a slice only.
    "H264": VideoCodec(
        "libx264",
        "h264",
        packetize=lambda picture, codec: h264.packetize(picture, _h264(codec).packetization_mode),
        depacketizer=h264.Depacketizer,
        picture_format=lambda codec, *source: best_format(_h264(codec), *source),
        max_bitrate=lambda codec: limits(_h264(codec)).bitrate,
        options={
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "level": "{level}",
            "maxrate": "{bitrate}",
            "bufsize": "{buffer}",
            "slice-max-size": str(MAX_SLICE),
            "forced-idr": "1",
            "sc_threshold": "0",
        },
    ),
}
"""By the name IANA registered."""


def video_codec(name: str) -> VideoCodec:
    """Give the row of a codec.  CallError: this build has no such codec."""
    codec = VIDEO_CODECS.get(name)
    if codec is None:
        raise CallError(f"there is no codec {name}")
    return codec


def audio_codec(name: str) -> AudioCodec:
    """Give the row of a codec.  CallError: this build has no such codec."""
    codec = CODECS.get(name)
    if codec is None:
        raise CallError(f"there is no codec {name}")
    if codec.decoder == "libopus" and not has_opus():
        raise CallError("there is no codec opus: the library libopus0 is missing")
    return codec


def available() -> tuple[str, ...]:
    """The names of the audio codecs that can be sent and received on this machine."""
    return tuple(name for name, codec in CODECS.items() if codec.decoder != "libopus" or has_opus())


@functools.cache
def has_opus() -> bool:
    """Whether libopus is installed."""
    try:
        ctypes.CDLL("libopus.so.0")
    except OSError:
        return False
    return True
