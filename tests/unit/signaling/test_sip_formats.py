"""Codecs in the words of SDP; H.264 as RFC 6184 8.2.2 wants it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offers import lines, sdp

from firmware.call.media import (
    G722,
    H264,
    H264_BASELINE,
    OPUS,
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    Capabilities,
    Codec,
    H264Profile,
    Kind,
)
from firmware.rtp.h264 import nal_units
from firmware.signaling.h264_levels import LEVEL_1B, max_bitrate
from firmware.signaling.sip_formats import (
    MAX_PARAMETER_SETS,
    RemoteFormat,
    agree,
    fmtp_of,
    number,
    read_formats,
    rtpmap_of,
    taken,
    variants,
)


def read(fmtp: str | None) -> H264 | None:
    """Read one H264 format with this fmtp."""
    line = f"a=fmtp:97 {fmtp}\n" if fmtp is not None else ""
    found = read_formats(lines(sdp("m=video 1 RTP/AVP 97\na=rtpmap:97 h264/90000\n" + line))[0], Kind.VIDEO)
    return found[0].codec.h264 if found else None


def h264(profile: H264Profile = H264Profile.CONSTRAINED_BASELINE, level: int = 31, mode: int = 1) -> Codec:
    return replace(H264_BASELINE, h264=H264(profile, level, mode))


def agreed(ours: Codec, fmtp: str) -> tuple[H264, H264, str] | None:
    """Give receive and send limits and the answer's fmtp, for an offer with this fmtp."""
    offer = sdp(f"m=video 1 RTP/AVP 97\na=rtpmap:97 H264/90000\na=fmtp:97 {fmtp}\n")
    found = agree(ours, read_formats(lines(offer)[0], Kind.VIDEO)[0])
    if found is None:
        return None
    assert found.receive.codec.h264 is not None
    assert found.send.codec.h264 is not None
    return found.receive.codec.h264, found.send.codec.h264, found.fmtp


@pytest.mark.parametrize(
    ("octets", "profile"),
    [
        ("42e01f", H264Profile.CONSTRAINED_BASELINE),
        ("42C01F", H264Profile.CONSTRAINED_BASELINE),
        ("42401f", H264Profile.CONSTRAINED_BASELINE),
        ("4d801f", H264Profile.CONSTRAINED_BASELINE),
        ("58c01f", H264Profile.CONSTRAINED_BASELINE),
        ("42001f", H264Profile.BASELINE),
        ("42801f", H264Profile.BASELINE),
        ("4d001f", H264Profile.MAIN),
        ("4d401f", H264Profile.MAIN),
        ("64001f", H264Profile.HIGH),
        ("640c1f", H264Profile.HIGH),
    ],
)
def test_profiles_by_table_5_of_rfc_6184(octets: str, profile: H264Profile) -> None:
    assert read(f"profile-level-id={octets}") == H264(profile, 31, 0)


@pytest.mark.parametrize(
    "fmtp",
    [
        "profile-level-id=6e001f",
        "profile-level-id=zz001f",
        "profile-level-id=42e0",
        "profile-level-id=42e01f00",
        "packetization-mode=2",
        "packetization-mode=x",
    ],
)
def test_what_we_do_not_know_is_no_format(fmtp: str) -> None:
    assert read(fmtp) is None


@pytest.mark.parametrize("fmtp", [None, "", "packetization-mode=0", "max-fs=x"])
def test_defaults_of_rfc_6184_8_1(fmtp: str | None) -> None:
    assert read(fmtp) == H264(H264Profile.BASELINE, 10, 0)


@pytest.mark.parametrize(
    ("octets", "level"),
    [("42e00b", 11), ("42f00b", LEVEL_1B), ("64000b", 11), ("640009", LEVEL_1B), ("42e0ff", 52), ("42e000", 10)],
)
def test_levels(octets: str, level: int) -> None:
    found = read(f"profile-level-id={octets}")
    assert found is not None
    assert found.level == level


def test_limits_beyond_the_level() -> None:
    found = read("profile-level-id=42e01f;max-fs=8160;max-mbps=245000;max-br=20000;max-dpb=1;max-fps=3000")
    assert found == H264(H264Profile.CONSTRAINED_BASELINE, 31, 0, 8_160, 245_000, 20_000_000)
    assert max_bitrate(found) == 20_000_000
    assert max_bitrate(H264(level=13)) == 768_000


def test_static_payload_types_need_no_rtpmap() -> None:
    found = read_formats(lines(sdp("m=audio 1 RTP/AVP 0 8 9 99 18\n"))[0], Kind.AUDIO)
    assert [(f.payload_type, f.codec.name) for f in found] == [(0, "PCMU"), (8, "PCMA"), (9, "G722"), (18, "G729")]


@pytest.mark.parametrize(
    ("ours", "fmtp"),
    [
        (h264(), "profile-level-id=4d001f;packetization-mode=1"),
        (h264(), "profile-level-id=64001f;packetization-mode=1"),
        (h264(H264Profile.HIGH), "profile-level-id=42e01f;packetization-mode=1"),
        (h264(mode=0), "profile-level-id=42e01f;packetization-mode=1"),
    ],
)
def test_other_profiles_and_modes_are_other_codecs(ours: Codec, fmtp: str) -> None:
    assert agreed(ours, fmtp) is None


def test_a_profile_of_our_own_is_taken() -> None:
    found = agreed(h264(H264Profile.HIGH, 40), "profile-level-id=64001f;packetization-mode=1")
    assert found is not None
    assert found[2] == "profile-level-id=64001f;packetization-mode=1"


@pytest.mark.parametrize("mode", [0, 1])
def test_baseline_is_taken_for_the_constrained_one_and_answered_as_it_was_written(mode: int) -> None:
    found = agreed(h264(), f"profile-level-id=42801f;packetization-mode={mode}")
    assert found is not None
    receive, send, fmtp = found
    assert fmtp == f"profile-level-id=42801f;packetization-mode={mode}"
    assert receive.packetization_mode == send.packetization_mode == mode


@pytest.mark.parametrize(
    ("offered", "receives", "sends", "answered"),
    [
        ("42e028", 31, 31, "42e01f"),
        ("42e014", 20, 20, "42e014"),
        ("42f00b", LEVEL_1B, LEVEL_1B, "42f00b"),
        ("42e00a", 10, 10, "42e00a"),
    ],
)
def test_the_level_goes_down_on_both_sides(offered: str, receives: int, sends: int, answered: str) -> None:
    found = agreed(h264(), f"profile-level-id={offered};packetization-mode=1")
    assert found is not None
    assert (found[0].level, found[1].level) == (receives, sends)
    assert found[2] == f"profile-level-id={answered};packetization-mode=1"


@pytest.mark.parametrize(("offered", "sends"), [("42e028", 40), ("42e00d", 13)])
def test_with_asymmetry_each_side_has_its_own_level(offered: str, sends: int) -> None:
    found = agreed(h264(), f"profile-level-id={offered};packetization-mode=1;level-asymmetry-allowed=1")
    assert found is not None
    receive, send, fmtp = found
    assert (receive.level, send.level) == (31, sends)
    assert fmtp == "profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1"


def test_an_offer_has_both_packetization_modes() -> None:
    formats = number(variants((H264_BASELINE,)))
    assert [(f.payload_type, fmtp_of(f.codec)) for f in formats] == [
        (100, "profile-level-id=64001f;level-asymmetry-allowed=1;packetization-mode=1"),
        (97, "profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1"),
        (98, "profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=0"),
    ]
    assert len(list(variants((h264(mode=0),)))) == 1


def test_high_is_offered_once() -> None:
    high = replace(H264_BASELINE, h264=H264(H264Profile.HIGH))
    offered = [f.codec.h264.profile for f in number(variants((high, H264_BASELINE))) if f.codec.h264 is not None]
    assert offered.count(H264Profile.HIGH) == 2, "with mode 0, as a codec of its own"
    assert offered.count(H264Profile.CONSTRAINED_BASELINE) == 2


def test_other_profiles_are_taken() -> None:
    profiles = [codec.h264.profile for codec in taken((PCMU, H264_BASELINE)) if codec.h264 is not None]
    assert profiles == [H264Profile.CONSTRAINED_BASELINE, H264Profile.HIGH, H264Profile.MAIN]
    assert list(taken((PCMU,))) == [PCMU]


SPS_PPS = "Z0LgH5ZUAoAttCAAAAMAIAAABlHixdQ=,aM4xUg=="


@pytest.mark.parametrize(
    ("said", "units"),
    [
        (SPS_PPS, 2),
        (f"{SPS_PPS},{SPS_PPS}", 4),
        ("", 0),
        ("nonsense,aM4xUg==", 1),
        ("\ufffdA==,aM4xUg==", 1),  # no ASCII
        ("ZYiE,aM4xUg==", 1),  # a slice is no parameter set
        (",,,=,", 0),
        (",".join(["aM4xUg=="] * 100), MAX_PARAMETER_SETS),
    ],
)
def test_parameter_sets_are_taken_for_what_we_receive(said: str, units: int) -> None:
    ours = replace(H264_BASELINE, h264=H264())
    remote = RemoteFormat(97, replace(H264_BASELINE, h264=read(f"profile-level-id=42e01f;sprop-parameter-sets={said}")))
    agreed = agree(ours, remote)
    assert agreed is not None
    assert agreed.receive.codec.h264 is not None
    assert agreed.send.codec.h264 is not None
    sets = agreed.receive.codec.h264.parameter_sets
    assert sets.count(b"\0\0\0\1") == units
    assert all(unit[0] & 0x1F in (7, 8) for unit in nal_units(sets))
    assert agreed.send.codec.h264.parameter_sets == b""
    assert "sprop" not in agreed.fmtp


def test_what_we_write_we_read_alike() -> None:
    for profile in H264Profile:
        for level in (10, LEVEL_1B, 13, 31, 42):
            codec = replace(H264_BASELINE, h264=H264(profile, level, 1, 8_160, 245_000, 12_000_000))
            assert read(fmtp_of(codec)) == codec.h264


def test_events_have_the_clocks_of_the_sound() -> None:
    assert [c.clock_rate for c in variants((OPUS, G722, TELEPHONE_EVENT)) if c.name == "telephone-event"] == [
        48_000,
        8_000,
    ]
    assert list(variants((PCMU,))) == [PCMU]


def test_numbers_are_static_usual_or_free() -> None:
    formats = number(variants(Capabilities().codecs))
    assert {f.payload_type for f in formats if f.codec in (PCMU, PCMA, G722)} == {0, 8, 9}
    assert len({f.payload_type for f in formats}) == len(formats)
    again = number(variants((OPUS, TELEPHONE_EVENT)), taken=[96, 102, 103])
    assert len({f.payload_type for f in again} & {96, 102, 103}) == 0
    many = [Codec(f"X{n}", Kind.AUDIO, 8_000) for n in range(40)]
    assert len(number(many)) == 32


def test_rtpmaps() -> None:
    assert [rtpmap_of(c) for c in (OPUS, G722, H264_BASELINE)] == ["opus/48000/2", "G722/8000", "H264/90000"]


@pytest.mark.parametrize("rtpmap", ["opus/48000", "opus/16000/2", "G722/16000", "PCMU/8000/2"])
def test_another_clock_or_number_of_channels_is_another_codec(rtpmap: str) -> None:
    line = lines(sdp(f"m=audio 1 RTP/AVP 97\na=rtpmap:97 {rtpmap}\n"))[0]
    theirs = read_formats(line, Kind.AUDIO)[0]
    assert all(agree(codec, theirs) is None for codec in Capabilities().codecs)


@given(st.text("0123456789abcdef=;-profilevtkzmx ", max_size=60))
def test_no_fmtp_raises(fmtp: str) -> None:
    found = read(fmtp)
    if found is not None:
        assert max_bitrate(found) >= 64_000
