"""Codecs in the words of H.245: capabilities, data types of logical channels, H.264 as H.241 clause 8.3 describes it.

H.261 and H.263 are in h323_picture_sizes.  For Opus H.245 has no name; ours is that of OpenMCU and H323Plus.

Rule 1: a capability says what its sender can *receive*; a data type says what the opener of a channel will send, which
lies within the other side's capability.
Rule 2: what isn't understood in a capability is passed over; a codec that isn't known to us is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firmware.call.media import G722, H264, OPUS, PCMA, PCMU, Codec, H264Profile, Kind
from firmware.signaling import h323_picture_sizes
from firmware.signaling.h264_levels import max_bitrate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from firmware.asn1 import Value

AUDIO: Final = {"g711Ulaw64k": PCMU, "g711Alaw64k": PCMA, "g722-64k": G722}
"""Alternatives of AudioCapability whose value is the most frames in a packet; a frame is 1 ms (H.225.0 6.2.1)."""
_AUDIO_NAMES: Final = {codec.name: name for name, codec in AUDIO.items()}
FRAMES: Final = 20
"""Milliseconds of sound in a packet that we take: what everybody sends."""
OPUS_IDENTIFIER: Final = "1.3.6.1.4.1.17091.1.10.48"
"""Generic capability of Opus with an RTP clock of 48 kHz (RFC 7587), in one channel."""
OPUS_BITRATE: Final = 64_000
OPUS_TYPE: Final = 102
"""Payload type under which we send it."""

H264_IDENTIFIER: Final = "0.0.8.241.0.0.1"
"""H.241 table 8.1: H.264 generic capability."""
PACKETIZATIONS: Final = {"0.0.8.241.0.0.0.0": 0, "0.0.8.241.0.0.0.1": 1}
"""H.241 8.3.3: annex A (single NAL units) and RFC 3984's non-interleaved mode, as packetization modes of RFC 6184."""
_PACKETIZATION_NAMES: Final = {mode: name for name, mode in PACKETIZATIONS.items()}

PROFILE, LEVEL, MAX_MBPS, MAX_FS, MAX_BR = 41, 42, 3, 4, 6
"""H.241 tables 8.4 to 8.10: standard parameter identifiers."""
PROFILES: Final = {
    64: H264Profile.CONSTRAINED_BASELINE,  # Baseline; nobody sends what the constrained one leaves out
    32: H264Profile.MAIN,
    8: H264Profile.HIGH,
}
"""Bits of the parameter Profile."""
_PROFILE_BITS: Final = {profile: bit for bit, profile in PROFILES.items()} | {H264Profile.BASELINE: 64}
LEVELS: Final = {
    15: 10, 19: 9, 22: 11, 29: 12, 36: 13, 43: 20, 50: 21, 57: 22, 64: 30,
    71: 31, 78: 32, 85: 40, 92: 41, 99: 42, 106: 50, 113: 51, 120: 52,
}  # fmt: skip
"""H.241 table 8.5: the parameter Level -> level_idc (9: level 1b)."""
_LEVEL_VALUES: Final = {level: value for value, level in LEVELS.items()}
MBPS_UNIT, FS_UNIT, BR_UNIT = 500, 256, 25_000
"""H.241 tables 8.6, 8.7, 8.9: macroblocks a second, macroblocks, bit/s."""
BITRATE_UNIT: Final = 100
"""bit/s, of maxBitRate (H.245 annex B)."""


@dataclass(frozen=True, slots=True)
class Described:
    """A codec as a capability or a data type describes it."""

    codec: Codec
    packet_time: float = 0.0
    """Of sound: the longest packet, s."""
    bitrate: int = 0
    """Of pictures: bit/s at most; 0: not said."""


def is_known(codec: Codec) -> bool:
    """Whether H.245 has a name for a codec."""
    return codec.h264 is not None or bool(codec.picture_sizes) or codec.name in (OPUS.name, *_AUDIO_NAMES)


def describe(codec: Codec, bitrate: int = 0) -> Value | None:
    """Give the AudioCapability or VideoCapability of a codec; None: H.245 has none for it."""
    if codec.h264 is not None:
        return "genericVideoCapability", {
            "capabilityIdentifier": ("standard", H264_IDENTIFIER),
            "maxBitRate": bitrate // BITRATE_UNIT,
            "collapsing": [_parameter(identifier, kind, value) for identifier, kind, value in _write_h264(codec.h264)],
        }
    if codec.picture_sizes:
        return h323_picture_sizes.describe(codec, bitrate)
    if codec.name == OPUS.name:
        content = {"capabilityIdentifier": ("standard", OPUS_IDENTIFIER), "maxBitRate": OPUS_BITRATE // BITRATE_UNIT}
        return "genericAudioCapability", content
    name = _AUDIO_NAMES.get(codec.name)
    return (name, FRAMES) if name is not None else None


def read(capability: Value) -> Iterator[Described]:
    """Give what an AudioCapability or VideoCapability describes: a codec, several profiles of H.264, H.263 in each of
    its payload formats, or nothing."""
    name, value = capability
    if name in AUDIO:
        yield Described(AUDIO[name], packet_time=value / 1000)
    elif name == "genericAudioCapability" and value["capabilityIdentifier"] == ("standard", OPUS_IDENTIFIER):
        yield Described(OPUS, packet_time=FRAMES / 1000)
    elif name == "genericVideoCapability" and value["capabilityIdentifier"] == ("standard", H264_IDENTIFIER):
        parameters = dict(_parameters(value))
        bitrate = value.get("maxBitRate", 0) * BITRATE_UNIT
        for bit, profile in PROFILES.items():
            if parameters.get(PROFILE, 64) & bit:
                h264 = _read_h264(profile, parameters)
                yield Described(Codec("H264", Kind.VIDEO, 90_000, h264=h264), bitrate=bitrate or max_bitrate(h264))
    else:
        for codec, bitrate in h323_picture_sizes.read(capability):
            yield Described(codec, bitrate=bitrate)


def same(ours: Codec, theirs: Codec) -> bool:
    """Whether two codecs are one, whatever their limits."""
    if ours.h264 is None or theirs.h264 is None:
        return ours.name == theirs.name
    return _PROFILE_BITS[ours.h264.profile] == _PROFILE_BITS[theirs.h264.profile]


def read_packetizations(capabilities: Iterable[Value]) -> int:
    """Give the best packetization mode of H.264 among RTPPayloadType values; annex A where none is named."""
    return max((read_packetization(capability) for capability in capabilities), default=0)


def read_packetization(payload_type: Value) -> int:
    """Give the mode that one RTPPayloadType describes."""
    kind, name = payload_type["payloadDescriptor"]
    return PACKETIZATIONS.get(name, 0) if kind == "oid" else 0


def packetization(mode: int, payload_type: int | None = None) -> Value:
    """Give the RTPPayloadType of a mode."""
    described: dict[str, Value] = {"payloadDescriptor": ("oid", _PACKETIZATION_NAMES[mode])}
    return described if payload_type is None else {**described, "payloadType": payload_type}


def _write_h264(h264: H264) -> Iterator[tuple[int, str, int]]:
    yield PROFILE, "booleanArray", _PROFILE_BITS[h264.profile]
    yield LEVEL, "unsignedMin", _LEVEL_VALUES[h264.level]
    for identifier, value, unit in (
        (MAX_MBPS, h264.max_macroblock_rate, MBPS_UNIT),
        (MAX_FS, h264.max_frame_size, FS_UNIT),
        (MAX_BR, h264.max_bitrate, BR_UNIT),
    ):
        if value >= unit:
            yield identifier, "unsignedMin", value // unit


def _read_h264(profile: H264Profile, parameters: dict[int, int]) -> H264:
    # H.241 8.3.2.1: a level that isn't in the table is read as the next one below.
    value = parameters.get(LEVEL, 15)
    level = LEVELS[max((known for known in LEVELS if known <= value), default=15)]
    return H264(
        profile,
        level,
        packetization_mode=0,
        max_frame_size=parameters.get(MAX_FS, 0) * FS_UNIT,
        max_macroblock_rate=parameters.get(MAX_MBPS, 0) * MBPS_UNIT,
        max_bitrate=parameters.get(MAX_BR, 0) * BR_UNIT,
    )


def with_mode(codec: Codec, mode: int) -> Codec:
    """Give the codec under another packetization mode."""
    return replace(codec, h264=replace(codec.h264, packetization_mode=mode)) if codec.h264 is not None else codec


def _parameter(identifier: int, kind: str, value: int) -> Value:
    return {"parameterIdentifier": ("standard", identifier), "parameterValue": (kind, value)}


def _parameters(capability: Value) -> Iterator[tuple[int, int]]:
    """Give the standard parameters that have a number."""
    for parameter in (*capability.get("collapsing", ()), *capability.get("nonCollapsing", ())):
        (kind, identifier), (_, value) = parameter["parameterIdentifier"], parameter["parameterValue"]
        if kind == "standard" and isinstance(value, int) and not isinstance(value, bool):
            yield identifier, value
