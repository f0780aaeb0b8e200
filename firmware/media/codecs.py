"""The audio codecs: one row for each.  Cheap to import, so that a unit offers only what this machine has."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from firmware.errors import CallError

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
