"""What the attributes of an RTP line say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.sdp import attributes
from firmware.sdp.attributes import Direction, RtpMap
from firmware.sdp.session import MediaDescription, SessionDescription


def line(*values: str, formats: str = "0 96") -> MediaDescription:
    pairs = tuple((name, value) for name, _, value in (text.partition(":") for text in values))
    return MediaDescription("audio", 4000, "RTP/AVP", tuple(formats.split()), attributes=pairs)


def test_direction_is_the_lines_then_the_sessions_then_both_ways() -> None:
    plain, paused = SessionDescription(), SessionDescription(attributes=(("inactive", ""),))
    assert attributes.direction(plain, line()) is Direction.SENDRECV
    assert attributes.direction(paused, line()) is Direction.INACTIVE
    assert attributes.direction(paused, line("ptime:20", "recvonly")) is Direction.RECVONLY


@pytest.mark.parametrize("direction", Direction)
def test_direction_is_two_ways_of_going(direction: Direction) -> None:
    assert Direction.of(direction.sends, direction.receives) is direction


def test_payload_types_are_numbers_once_each() -> None:
    assert attributes.payload_types(line(formats="96 0 96 128 x 8 99999")) == (96, 0, 8)


def test_rtpmap() -> None:
    maps = attributes.rtpmaps(line("rtpmap:96 opus/48000/2", "rtpmap:0 PCMU/8000", "rtpmap:96 other/8000"))
    assert maps == {96: RtpMap("opus", 48_000, 2), 0: RtpMap("PCMU", 8_000)}
    assert [str(m) for m in maps.values()] == ["opus/48000/2", "PCMU/8000"]


@pytest.mark.parametrize(
    "value", ["", "96", "96 opus", "96 opus/x", "96 opus/0", "96 opus/48000/0", "x opus/48000", "96 /8000", "9999 a/1"]
)
def test_a_broken_rtpmap_counts_as_absent(value: str) -> None:
    assert attributes.rtpmaps(line(f"rtpmap:{value}")) == {}


def test_fmtp_and_its_parameters() -> None:
    fmtps = attributes.fmtps(line("fmtp:97 Profile-Level-ID=42e01f; packetization-mode=1;;stereo", "fmtp:101 0-15"))
    assert fmtps[101] == "0-15"
    assert attributes.parameters(fmtps[97]) == {"profile-level-id": "42e01f", "packetization-mode": "1", "stereo": ""}
    assert len(attributes.parameters(";".join(f"p{i}=1" for i in range(1000)))) == attributes.MAX_PARAMETERS


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("53020", (53020, None)),
        ("53020 IN IP6 2001:db8::1", (53020, "2001:db8::1")),
        ("0", None),
        ("70000", None),
        ("x", None),
        ("", None),
    ],
)
def test_rtcp(value: str, expected: tuple[int, str | None] | None) -> None:
    assert attributes.rtcp(line(f"rtcp:{value}")) == expected


def test_rtcp_is_absent() -> None:
    assert attributes.rtcp(line()) is None


def test_feedback_of_one_payload_type_and_of_all() -> None:
    media = line("rtcp-fb:* ccm fir", "rtcp-fb:96 nack", "rtcp-fb:96 NACK  pli", "rtcp-fb:97 goog-remb", "rtcp-fb:x")
    assert attributes.feedback(media, 96) == {"ccm fir", "nack", "nack pli"}
    assert attributes.feedback(media, 97) == {"ccm fir", "goog-remb"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("20", 20.0), ("2.5", 2.5), ("0", None), ("-1", None), ("1e9", None), ("12345678", None), (".", None)],
)
def test_milliseconds(value: str, expected: float | None) -> None:
    assert attributes.milliseconds(line(f"ptime:{value}"), "ptime") == expected
    assert attributes.milliseconds(line(), "ptime") is None


@given(st.lists(st.tuples(st.sampled_from(["rtpmap", "fmtp", "rtcp", "rtcp-fb", "ptime"]), st.text(max_size=20))))
def test_nothing_that_can_stand_there_raises(pairs: list[tuple[str, str]]) -> None:
    media = MediaDescription("video", 1, "RTP/AVP", ("96",), attributes=tuple(pairs))
    attributes.rtpmaps(media), attributes.feedback(media, 96), attributes.rtcp(media)
    attributes.milliseconds(media, "ptime")
    for fmtp in attributes.fmtps(media).values():
        attributes.parameters(fmtp)
