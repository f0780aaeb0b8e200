"""From an agreed line to channels: addresses, limits, packet times, feedback."""

from __future__ import annotations

import pytest
from offers import AUDIO, THEIRS, VIDEO, channel, find, lines, make, sdp

from firmware.call.media import Capabilities, Direction, Feedback, Kind
from firmware.signaling.sip_media import SipMedia

SEND, RECEIVE = Direction.SEND, Direction.RECEIVE


def answered(*media: str, session: str = "", bitrate: int = 2_000_000) -> SipMedia:
    ours = make(Capabilities(bitrate=bitrate))
    ours.answer(sdp(*media, session=session))
    return ours


@pytest.mark.parametrize(
    ("extra", "bitrate"),
    [
        ("", 1_936_000),
        ("b=TIAS:500000\n", 500_000),
        ("b=AS:525\n", 500_000),
        ("b=AS:525\nb=TIAS:400000\n", 400_000),
        ("b=AS:9000\n", 1_936_000),
        ("b=X-YZ:1\n", 1_936_000),
    ],
)
def test_the_strictest_limit_counts(extra: str, bitrate: int) -> None:
    line, _, rest = VIDEO.partition("\n")
    found = channel(answered(AUDIO, f"{line}\n{extra}{rest}"), Kind.VIDEO, SEND)
    assert found.bitrate == bitrate


def test_the_level_is_a_limit() -> None:
    found = channel(answered(AUDIO, VIDEO.replace("42e01f", "42e00c")), Kind.VIDEO, SEND)
    assert found.bitrate == 384_000


@pytest.mark.parametrize(
    ("limit", "bitrate"), [("b=AS:630", 536_000), ("b=CT:105", 50_000), ("b=TIAS:564000", 500_000)]
)
def test_a_limit_of_the_session_leaves_room_for_sound(limit: str, bitrate: int) -> None:
    body = sdp(AUDIO, VIDEO).replace(b"t=0 0", limit.encode() + b"\nt=0 0")
    ours = make()
    ours.answer(body)
    assert channel(ours, Kind.VIDEO, SEND).bitrate == bitrate


@pytest.mark.parametrize("limit", ["b=AS:0\n", "b=TIAS:0\n"])
def test_a_limit_of_nothing_sends_nothing(limit: str) -> None:
    ours = answered(AUDIO + limit, VIDEO)
    assert not find(ours, Kind.AUDIO, SEND)
    assert find(ours, Kind.AUDIO, RECEIVE)
    assert find(ours, Kind.VIDEO, SEND)


def test_a_limit_of_sound_is_without_headers() -> None:
    assert channel(answered(AUDIO + "b=AS:80\n"), Kind.AUDIO, SEND).bitrate == 64_000
    assert channel(answered(AUDIO), Kind.AUDIO, SEND).bitrate == 0


def test_we_are_sent_no_more_than_we_said() -> None:
    ours = make(Capabilities(bitrate=1_064_000))
    said = lines(ours.answer(sdp(AUDIO, VIDEO)))[1]
    assert [(b.type, b.value) for b in said.bandwidths] == [("AS", 1_050), ("TIAS", 1_000_000)]
    assert channel(ours, Kind.VIDEO, RECEIVE).bitrate == 1_000_000


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("", 0.020),
        ("a=ptime:20\n", 0.020),
        ("a=ptime:10\n", 0.010),
        ("a=ptime:30\n", 0.020),
        ("a=ptime:60\n", 0.060),
        ("a=ptime:200\n", 0.060),
        ("a=ptime:1\n", 0.010),
        ("a=ptime:x\n", 0.020),
        ("a=maxptime:10\n", 0.010),
        ("a=ptime:40\na=maxptime:20\n", 0.020),
    ],
)
def test_packet_times(extra: str, expected: float) -> None:
    assert channel(answered(AUDIO + extra), Kind.AUDIO, SEND).packet_time == expected


@pytest.mark.parametrize(
    ("extra", "rtcp", "mux"),
    [
        ("", (THEIRS, 5001), False),
        ("a=rtcp:5999\n", (THEIRS, 5999), False),
        ("a=rtcp:5999 IN IP4 192.0.2.9\n", ("192.0.2.9", 5999), False),
        ("a=rtcp:5999 IN IP6 2001:db8::9\n", (THEIRS, 5999), False),
        ("a=rtcp:5999 IN IP4 host.example\n", (THEIRS, 5999), False),
        ("a=rtcp:nonsense\n", (THEIRS, 5001), False),
        ("a=rtcp-mux\n", (THEIRS, 5000), True),
        ("a=rtcp:5999\na=rtcp-mux\n", (THEIRS, 5000), True),
    ],
)
def test_where_rtcp_goes(extra: str, rtcp: tuple[str, int], mux: bool) -> None:
    for way in (Direction.SEND, Direction.RECEIVE):
        found = channel(answered(AUDIO + extra), Kind.AUDIO, way)
        assert (found.remote_rtcp, found.rtcp_mux) == (rtcp, mux)


def test_rtcp_has_no_port_after_the_last() -> None:
    assert channel(answered(AUDIO.replace("5000", "65535")), Kind.AUDIO, SEND).remote_rtcp is None


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("", set()),
        (
            "a=rtcp-fb:* nack\na=rtcp-fb:* nack pli\na=rtcp-fb:* ccm fir\na=rtcp-fb:* ccm tmmbr smaxpr=120\n",
            set(Feedback) - {Feedback.REMB},
        ),
        ("a=rtcp-fb:97 nack pli\na=rtcp-fb:96 nack\na=rtcp-fb:97 goog-remb\n", {Feedback.PLI, Feedback.REMB}),
    ],
)
@pytest.mark.parametrize("profile", ["RTP/AVP", "RTP/AVPF"])
def test_feedback_under_both_profiles(extra: str, expected: set[Feedback], profile: str) -> None:
    ours = make()
    answer = lines(ours.answer(sdp(AUDIO, VIDEO.replace("RTP/AVP", profile) + extra)))[1]
    assert answer.protocol == profile
    for way in (Direction.SEND, Direction.RECEIVE):
        assert channel(ours, Kind.VIDEO, way).feedback == expected
    assert len(answer.values("rtcp-fb")) == len(expected)
    assert all(not c.feedback for c in ours.channels if c.kind is Kind.AUDIO)


def test_both_channels_of_a_line_share_their_socket() -> None:
    ours = answered(AUDIO, VIDEO)
    for kind in Kind:
        assert channel(ours, kind, SEND).local == channel(ours, kind, RECEIVE).local


def test_an_address_that_is_none_is_not_sent_to() -> None:
    ours = answered(AUDIO + "c=IN IP4 0.0.0.0\n")
    assert not find(ours, Kind.AUDIO, SEND)
    assert channel(ours, Kind.AUDIO, RECEIVE).remote is None
