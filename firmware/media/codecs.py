"""The codecs: one row for each.  Cheap to import, so that a unit offers only what this machine has.

Another codec that libav has is a row here; one whose payload format is not the bare bits needs a file in `firmware.rtp`
besides.  What signalling says of it stands in signalling.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, Protocol, TypedDict

from firmware.call.media import H264, Codec
from firmware.errors import CallError
from firmware.media.level import PictureFormat, best_format, limits
from firmware.media.picture_size import PIXEL_ASPECT, best_size
from firmware.rtp import h261, h263, h263_rfc2190, h264
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
    def timestamp(self) -> int:
        """Of its packets."""

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
    packetize: Callable[[bytes, Codec, bytes], list[bytes]]
    """The payloads of an encoded picture, its hints beside it.  LocalProtocolError: it can't be sent."""
    depacketizer: Callable[[], Depacketizer]
    picture_format: Callable[[Codec, int, int, int, int], PictureFormat]
    """What to send of a source of this width, height (pixels) and frame rate, at this bitrate (bit/s)."""
    max_bitrate: Callable[[Codec], int]
    """bit/s that the far end takes."""
    options: Mapping[str, str] = field(default_factory=dict)
    """The encoder's, by libav's names; ``{level}``, ``{bitrate}`` and ``{buffer}`` (bit) are filled in."""
    hints: Literal["", "h263_mb_info"] = ""
    """The side data of an encoded picture, by libav's name, that the payload format needs."""
    counts_pictures: bool = False
    """The encoder takes each picture for one tick of its clock, and shares out its bits and time stamps by that."""
    pixel_aspect: Fraction = Fraction(1)
    """Width of a received pixel to its height, where the stream doesn't say it."""
    key_frame_interval: int = 0
    """Pictures from one key frame to the next at most; 0: as `encoder.KEY_FRAME_INTERVAL` says."""


def _h264(codec: Codec) -> H264:
    if codec.h264 is None:
        raise CallError("H264 without its parameters")
    return codec.h264


_OPTIONS = {"maxrate": "{bitrate}", "bufsize": "{buffer}", "sc_threshold": "1000000000"}
"""Key frames are for who asks: here, a threshold of 0 makes one of every large change."""


class _BySize(TypedDict):
    picture_format: Callable[[Codec, int, int, int, int], PictureFormat]
    max_bitrate: Callable[[Codec], int]
    counts_pictures: bool
    pixel_aspect: Fraction
    key_frame_interval: int


_BY_SIZE: _BySize = {
    "picture_format": lambda codec, *source: best_size(codec.picture_sizes, *source),
    "max_bitrate": lambda _: MAX_BITRATE,
    "counts_pictures": True,
    "pixel_aspect": PIXEL_ASPECT,
    # H.261 3.4, H.263 4.4: a macroblock is coded anew at least every 132 times.
    "key_frame_interval": 132,
}
"""What H.261 and H.263 have in common."""
MAX_BITRATE = 4_000_000
"""bit/s, for codecs that have no levels to say it."""
MAX_SLICE = 1_200
"""Bytes of a slice: with IP, UDP, RTP and SRTP around it, it crosses any path of 1,280 bytes (IPv6's least) whole."""

VIDEO_CODECS = {
    # CBR, because only then does the bitrate change while running (libx264 ignores every other way); no B-frames and
    # no look-ahead, because a call can't wait; slices that fit an RTP packet each, because then a receiver of
    # packetization mode 0 is served too (RFC 6184 6.2) and a lost packet costs a slice only.
    "H264": VideoCodec(
        "libx264",
        "h264",
        packetize=lambda picture, codec, _: h264.packetize(picture, _h264(codec).packetization_mode),
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
    # H.263 without any annex, which every receiver of it decodes, in both payload formats.  A header before every
    # group of blocks costs 17 kbit/s at 30 pictures a second, and is where packets begin.
    "H263": VideoCodec(
        "h263",
        "h263",
        packetize=lambda picture, _, hints: h263_rfc2190.packetize(picture, h263_rfc2190.macroblocks(hints)),
        depacketizer=h263_rfc2190.depacketizer,
        options={**_OPTIONS, "ps": "1", "mb_info": "300"},
        hints="h263_mb_info",
        **_BY_SIZE,
    ),
    "H263-1998": VideoCodec(
        "h263",
        "h263",
        packetize=lambda picture, *_: h263.packetize(picture),
        depacketizer=h263.depacketizer,
        options={**_OPTIONS, "ps": "1"},
        **_BY_SIZE,
    ),
    "H261": VideoCodec(
        "h261",
        "h261",
        packetize=lambda picture, *_: h261.packetize(picture),
        depacketizer=h261.depacketizer,
        options=_OPTIONS,
        **_BY_SIZE,
    ),
}
"""By the name IANA registered."""
VIDEO_CODECS["H263-2000"] = VIDEO_CODECS["H263-1998"]  # RFC 4629 8.1: they differ in what signalling says


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
