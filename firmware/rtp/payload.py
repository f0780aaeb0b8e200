"""The static payload types of RTP (RFC 3551 6, tables 4 and 5): numbers that mean a codec without any signalling."""

from __future__ import annotations

from typing import Final

from firmware.call.media import G722, PCMA, PCMU, Codec, Kind

DYNAMIC: Final = range(96, 128)
"""Numbers whose meaning signalling gives."""

COMFORT_NOISE: Final = Codec("CN", Kind.AUDIO, 8_000)
"""RFC 3389 4."""


def _audio(name: str, clock_rate: int = 8_000, channels: int = 1) -> Codec:
    return Codec(name, Kind.AUDIO, clock_rate, channels)


def _video(name: str, kind: Kind = Kind.VIDEO) -> Codec:
    return Codec(name, kind, 90_000)


STATIC: Final[dict[int, Codec]] = {
    0: PCMU,
    3: _audio("GSM"),
    4: _audio("G723"),
    5: _audio("DVI4"),
    6: _audio("DVI4", 16_000),
    7: _audio("LPC"),
    8: PCMA,
    9: G722,
    10: _audio("L16", 44_100, 2),
    11: _audio("L16", 44_100),
    12: _audio("QCELP"),
    13: COMFORT_NOISE,
    14: _video("MPA", Kind.AUDIO),
    15: _audio("G728"),
    16: _audio("DVI4", 11_025),
    17: _audio("DVI4", 22_050),
    18: _audio("G729"),
    25: _video("CelB"),
    26: _video("JPEG"),
    28: _video("nv"),
    31: _video("H261"),
    32: _video("MPV"),
    33: _video("MP2T"),
    34: _video("H263"),
}
"""Payload type -> codec."""


def static_payload_type(codec: Codec) -> int | None:
    """Give the payload type that stands for a codec by itself, or None: a dynamic one is needed."""
    for payload_type, known in STATIC.items():
        if (known.name.lower(), known.clock_rate, known.channels) == (
            codec.name.lower(),
            codec.clock_rate,
            codec.channels,
        ):
            return payload_type
    return None
