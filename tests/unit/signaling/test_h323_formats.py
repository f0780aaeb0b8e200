"""Codecs in the words of H.245, and what H.323 peers say of theirs."""

from __future__ import annotations

from typing import Any

import pytest

from firmware.call.media import G722, H264, OPUS, PCMA, PCMU, Capabilities, Codec, H264Profile, Kind
from firmware.h323 import h245
from firmware.signaling import h323_formats as formats
from firmware.signaling.h264_levels import MAX_BITRATES


def h264(**values: Any) -> Codec:
    return Codec("H264", Kind.VIDEO, 90_000, h264=H264(packetization_mode=0, **values))


def through_per(kind: str, capability: Any) -> Any:
    """Write a capability as it travels, and read it again."""
    entry = {"capabilityTableEntryNumber": 1, "capability": (kind, capability)}
    request = {"sequenceNumber": 1, "protocolIdentifier": h245.IDENTIFIER, "capabilityTable": [entry]}
    message = ("request", ("terminalCapabilitySet", request))
    return h245.MESSAGE.decode(h245.MESSAGE.encode(message))[1][1]["capabilityTable"][0]["capability"][1]


@pytest.mark.parametrize("codec", [PCMU, PCMA, G722], ids=lambda codec: codec.name)
def test_sound(codec: Codec) -> None:
    said = through_per("receiveAudioCapability", formats.describe(codec))
    assert [(d.codec, d.packet_time) for d in formats.read(said)] == [(codec, 0.020)]


@pytest.mark.parametrize("level", MAX_BITRATES)
@pytest.mark.parametrize("profile", formats.PROFILES.values())
def test_pictures(profile: H264Profile, level: int) -> None:
    codec = h264(profile=profile, level=level, max_frame_size=8192, max_macroblock_rate=246_000, max_bitrate=4_000_000)
    said = through_per("receiveVideoCapability", formats.describe(codec, 1_936_000))
    assert [(d.codec, d.bitrate) for d in formats.read(said)] == [(codec, 1_936_000)]


def test_limits_are_never_rounded_up() -> None:
    codec = h264(max_frame_size=8192 + 255, max_macroblock_rate=246_499, max_bitrate=24_999)
    (read,) = formats.read(formats.describe(codec))
    assert read.codec == h264(max_frame_size=8192, max_macroblock_rate=246_000)


def test_what_h323plus_says() -> None:
    """Baseline 2.2 with CustomMaxFS and CustomMaxMBPS for 1280x720 at 30/s, and a parameter that nobody knows."""
    values = {41: ("booleanArray", 64), 42: ("unsignedMin", 57), 4: ("unsignedMin", 32), 3: ("unsignedMin", 492)}
    values[13] = ("unsignedMin", 3000)
    said = {
        "capabilityIdentifier": ("standard", formats.H264_IDENTIFIER),
        "maxBitRate": 20480,
        "collapsing": [{"parameterIdentifier": ("standard", n), "parameterValue": v} for n, v in values.items()],
    }
    (read,) = formats.read(through_per("receiveVideoCapability", ("genericVideoCapability", said)))
    assert read.codec == h264(level=22, max_frame_size=8192, max_macroblock_rate=246_000)
    assert read.bitrate == 2_048_000


def test_several_profiles_are_several_codecs() -> None:
    name, said = formats.describe(h264(profile=H264Profile.HIGH), 1_000_000)
    said["collapsing"][0]["parameterValue"] = ("booleanArray", 64 | 8)
    assert [d.codec.h264.profile for d in formats.read((name, said)) if d.codec.h264] == [
        H264Profile.CONSTRAINED_BASELINE,
        H264Profile.HIGH,
    ]


def test_a_level_between_two_is_the_lower_one() -> None:
    name, said = formats.describe(h264(level=31))
    for value, level in ((70, 30), (72, 31), (255, 52), (0, 10)):
        said["collapsing"][1]["parameterValue"] = ("unsignedMin", value)
        (read,) = formats.read((name, said))
        assert read.codec.h264 is not None
        assert read.codec.h264.level == level


@pytest.mark.parametrize(
    "unknown",
    [
        ("g729", 2),
        ("+9", b""),
        ("genericVideoCapability", {"capabilityIdentifier": ("standard", "0.0.8.263.1.1")}),
        ("genericVideoCapability", {"capabilityIdentifier": ("uuid", bytes(16))}),
        ("h262VideoCapability", {"maxBitRate": 1}),
    ],
)
def test_what_we_dont_know_is_nothing(unknown: Any) -> None:
    assert list(formats.read(unknown)) == []


def test_opus() -> None:
    said = through_per("receiveAudioCapability", formats.describe(OPUS))
    assert said[0] == "genericAudioCapability"
    (described,) = formats.read(said)
    assert described == formats.Described(OPUS, packet_time=0.02)
    other = {**said[1], "capabilityIdentifier": ("standard", "1.3.6.1.4.1.17091.1.10.8")}
    assert list(formats.read(("genericAudioCapability", other))) == []


def test_a_codec_that_h245_has_no_name_for() -> None:
    assert formats.describe(Codec("iLBC", Kind.AUDIO, 8_000)) is None


@pytest.mark.parametrize("codec", [*Capabilities().codecs, Codec("iLBC", Kind.AUDIO, 8_000)], ids=lambda c: c.name)
def test_what_is_known_is_what_can_be_described(codec: Codec) -> None:
    assert formats.is_known(codec) is (formats.describe(codec) is not None)


def test_packetization_modes() -> None:
    assert formats.read_packetizations([]) == 0
    assert formats.read_packetizations([formats.packetization(0), formats.packetization(1, 97)]) == 1
    other = {"payloadDescriptor": ("rfc-number", 2190)}
    assert formats.read_packetization(other) == 0


def test_profiles_make_a_codec_not_levels() -> None:
    assert formats.same(h264(level=10), h264(level=52))
    assert formats.same(h264(profile=H264Profile.BASELINE), h264())
    assert not formats.same(h264(profile=H264Profile.HIGH), h264())
    assert not formats.same(PCMU, PCMA)
