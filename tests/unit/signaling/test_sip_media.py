"""What a call has agreed: ports, families, events, several lines; RFC 3264's rules are in tests/conformance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offers import AUDIO, OURS, THEIRS, VIDEO, channel, description, direction, lines, make, sdp
from wire_transport import MemoryPorts

from firmware.call.media import H264_BASELINE, OPUS, PCMU, TELEPHONE_EVENT, Capabilities, Direction, H264Profile, Kind
from firmware.errors import CallError, DecodeError
from firmware.signaling.sip_media import NoCommonMediaError, SipMedia, describe

SEND, RECEIVE = Direction.SEND, Direction.RECEIVE
OFFERED_EVENTS = "m=audio 5000 RTP/AVP 96 0 101 102\na=rtpmap:96 opus/48000/2\n"
EVENTS = "a=rtpmap:101 telephone-event/8000\na=rtpmap:102 telephone-event/48000\n"


def test_ports_are_given_back_once() -> None:
    ports = MemoryPorts()
    media = SipMedia(Capabilities(), ports, OURS, 1)
    media.offer()
    assert len(ports.reserved) == 2
    media.offer()
    assert len(ports.reserved) == 2
    media.close()
    media.close()
    assert ports.reserved == set()
    assert media.channels == ()


def test_a_check_reserves_nothing() -> None:
    ports = MemoryPorts(count=0)
    media = SipMedia(Capabilities(), ports, OURS, 1)
    media.check(sdp(AUDIO, VIDEO))
    with pytest.raises(CallError):
        media.answer(sdp(AUDIO, VIDEO))
    with pytest.raises(CallError):
        media.offer()


def test_only_what_is_used_has_ports() -> None:
    ports = MemoryPorts()
    SipMedia(Capabilities(), ports, OURS, 1).answer(sdp(AUDIO, "m=video 5002 RTP/AVP 26\n"))
    assert len(ports.reserved) == 1


@pytest.mark.parametrize("codecs", [(PCMU,), (H264_BASELINE,)])
def test_capabilities_may_be_of_one_kind(codecs: tuple[object, ...]) -> None:
    media = make(Capabilities(codecs=codecs))  # type: ignore[arg-type]
    assert len(lines(media.offer())) == 1
    assert [bool(m.port) for m in lines(media.answer(sdp(AUDIO, VIDEO)))].count(True) == 1


def test_events_alone_are_no_capability() -> None:
    assert lines(make(Capabilities(codecs=(TELEPHONE_EVENT, H264_BASELINE))).offer())[0].kind == "video"


def test_ipv6() -> None:
    media = make(host="2001:db8::1")
    assert b"c=IN IP6 2001:db8::1\r\n" in media.offer()
    media.accept(sdp(AUDIO, VIDEO, host="2001:db8::2"))
    assert channel(media, Kind.AUDIO, SEND).remote_rtcp == ("2001:db8::2", 5001)


def test_events_follow_the_clock_of_the_sound_that_was_chosen() -> None:
    media = make()
    answer = lines(media.answer(sdp(OFFERED_EVENTS + EVENTS)))[0]
    assert answer.formats == ("96", "102", "101")
    events = channel(media, Kind.AUDIO, SEND).telephone_event
    assert events is not None
    assert (events.payload_type, events.codec.clock_rate) == (102, 48_000)


def test_events_of_another_clock_are_better_than_none() -> None:
    media = make()
    media.answer(sdp(OFFERED_EVENTS.replace(" 102", "") + EVENTS))
    events = channel(media, Kind.AUDIO, RECEIVE).telephone_event
    assert events is not None
    assert events.codec.clock_rate == 8_000


def test_events_that_we_do_not_want_are_not_answered() -> None:
    media = make(Capabilities(codecs=(OPUS, PCMU)))
    assert lines(media.answer(sdp(OFFERED_EVENTS + EVENTS)))[0].formats == ("96",)


def test_an_offer_says_what_opus_and_events_need() -> None:
    audio = lines(make().offer())[0]
    assert set(audio.values("fmtp")) == {"96 useinbandfec=1", "101 0-15", "102 0-15"}
    assert audio.attribute("ptime") == "20"


def test_an_offer_fits_into_a_datagram() -> None:
    # RFC 3261 18.1.1: 1300 bytes with all header fields, of which there are about 450.
    assert len(make().offer()) < 1_000


def test_the_best_of_the_offers_pictures_is_taken_alone() -> None:
    video = (
        "m=video 5002 RTP/AVP 100 97 98\na=rtpmap:100 H264/90000\na=fmtp:100 profile-level-id=640028\n"
        "a=rtpmap:97 H264/90000\na=fmtp:97 profile-level-id=42801f;packetization-mode=1\n"
        "a=rtpmap:98 H264/90000\na=fmtp:98 profile-level-id=42801f\n"
    )
    media = make()
    assert lines(media.answer(sdp(AUDIO, video)))[1].formats == ("100",)
    found = channel(media, Kind.VIDEO, SEND).codec.h264
    assert found is not None
    assert (found.profile, found.level, found.packetization_mode) == (H264Profile.HIGH, 31, 0)


def test_high_is_agreed_where_both_can_and_constrained_baseline_else() -> None:
    high = (
        "m=video 5002 RTP/AVP 100\na=rtpmap:100 H264/90000\na=fmtp:100 profile-level-id=640c28;packetization-mode=1\n"
    )
    for answer, profile in ((high, H264Profile.HIGH), (VIDEO, H264Profile.CONSTRAINED_BASELINE)):
        media = make()
        media.offer()
        media.accept(sdp(AUDIO, answer))
        found = channel(media, Kind.VIDEO, RECEIVE).codec.h264
        assert found is not None
        assert found.profile is profile


def test_an_answer_to_our_two_modes() -> None:
    media = make()
    media.offer()
    mode_0 = "m=video 5002 RTP/AVP 98\na=rtpmap:98 H264/90000\na=fmtp:98 profile-level-id=42801f\n"
    media.accept(sdp(AUDIO, mode_0))
    for way in (Direction.SEND, Direction.RECEIVE):
        found = channel(media, Kind.VIDEO, way)
        assert found.format.payload_type == 98
        assert found.codec.h264 is not None
        assert found.codec.h264.packetization_mode == 0


def test_mid_and_mux_are_repeated_and_bundle_is_not() -> None:
    media = make()
    body = sdp(AUDIO + "a=mid:0\na=rtcp-mux\n", VIDEO + "a=mid:1\n", session="a=group:BUNDLE 0 1\n")
    answer = description(media.answer(body))
    assert [m.attribute("mid") for m in answer.media] == ["0", "1"]
    assert [m.attribute("rtcp-mux") for m in answer.media] == ["", None]
    assert answer.attribute("group") is None
    again = lines(media.offer(anew=True))
    assert [m.attribute("rtcp-mux") for m in again] == ["", None]
    media.accept(sdp(AUDIO, VIDEO))
    assert not channel(media, Kind.AUDIO, SEND).rtcp_mux


def test_mux_is_not_taken_unasked() -> None:
    media = make()
    media.answer(sdp(AUDIO))
    media.offer()
    media.accept(sdp(AUDIO + "a=rtcp-mux\n"))
    assert not channel(media, Kind.AUDIO, SEND).rtcp_mux


@pytest.mark.parametrize("mux", [False, True])
def test_mux_is_offered_and_need_not_be_taken(mux: bool) -> None:
    media = make()
    assert [m.attribute("rtcp-mux") for m in lines(media.offer())] == ["", ""]
    media.accept(sdp(AUDIO + "a=rtcp-mux\n" * mux))
    sending = channel(media, Kind.AUDIO, SEND)
    assert (sending.rtcp_mux, sending.remote_rtcp) == (mux, (THEIRS, 5000 if mux else 5001))


def test_two_of_ours_agree_on_everything_of_the_best() -> None:
    caller, callee = make(), make(host="192.0.2.2")
    caller.accept(callee.answer(caller.offer()))
    for kind in Kind:
        for one, other in ((caller, callee), (callee, caller)):
            sent, received = channel(one, kind, SEND), channel(other, kind, RECEIVE)
            assert sent.remote == received.local
            assert sent.format == received.format
            assert sent.bitrate == received.bitrate or kind is Kind.AUDIO
    assert channel(caller, Kind.AUDIO, SEND).codec == OPUS


def test_what_goes_in_a_bundle_only_is_refused() -> None:
    """RFC 9143 7.2.1: its port is 0 for those who know of no bundle."""
    video = VIDEO.replace("5002", "0") + "a=mid:1\na=bundle-only\n"
    media = make()
    audio, refused = lines(media.answer(sdp(AUDIO + "a=mid:0\n", video, session="a=group:BUNDLE 0 1\n")))
    assert (audio.port > 0, audio.attribute("mid"), refused.port) == (True, "0", 0)
    assert {found.kind for found in media.channels} == {Kind.AUDIO}


def test_capabilities_are_described_without_a_call() -> None:
    assert describe(Capabilities(), "2001:db8::1") == describe(Capabilities(), "2001:db8::1")


alphabet = st.sampled_from(
    [
        *("m=audio 5000 RTP/AVP 0 96 101\n", "m=video 5002 RTP/AVPF 97\n", "m=audio 0 RTP/AVP 0\n", "m=x 1 y z\n"),
        *("a=rtpmap:96 opus/48000/2\n", "a=rtpmap:97 H264/90000\n", "a=rtpmap:101 telephone-event/8000\n"),
        *("a=fmtp:97 packetization-mode=1\n", "a=sendonly\n", "a=inactive\n", "c=IN IP4 0.0.0.0\n"),
        *("c=IN IP4 192.0.2.9\n", "c=IN IP6 ::1\n", "a=rtcp-mux\n", "b=AS:0\n", "b=TIAS:1\n", "a=rtcp:1\n"),
        *("a=ptime:0.1\n", "a=mid:a\n", "a=content:slides\n", "a=rtcp-fb:* nack\n"),
    ]
)


@given(st.lists(st.lists(alphabet, max_size=8).map("".join), min_size=1, max_size=6), st.booleans())
def test_no_sequence_of_descriptions_raises_or_breaks_what_was_promised(bodies: list[str], ours_first: bool) -> None:
    media = make()
    if ours_first:
        media.offer()
    count = 0
    for index, body in enumerate(bodies):
        try:
            if ours_first and index == 0:
                media.accept(sdp(body))
            else:
                answer = lines(media.answer(sdp(body)))
                assert len(answer) == body.count("m=")
        except (NoCommonMediaError, DecodeError):
            continue
        again = lines(media.offer(anew=bool(index % 2)))
        assert len(again) >= count
        for found in media.channels:
            assert any(found.local == (OURS, line.port) for line in again)
    media.close()


AGAIN = (
    VIDEO.replace("RTP/AVP 97", "RTP/AVPF 97 120")
    + "a=rtcp-fb:97 nack\na=rtpmap:120 rtx/90000\na=fmtp:120 apt=97;rtx-time=3000\n"
)


def test_retransmissions_in_a_stream_of_their_own_are_taken_where_they_are_offered() -> None:
    media = make()
    answer = lines(media.answer(sdp(AUDIO, AGAIN)))[1]
    assert answer.formats == ("97", "120")
    assert ("rtpmap", "120 rtx/90000") in answer.attributes
    assert ("fmtp", "120 apt=97") in answer.attributes
    for way in (SEND, RECEIVE):
        assert channel(media, Kind.VIDEO, way).retransmission == 120
    assert lines(media.offer())[1].formats == ("97", "120")
    media.accept(sdp(AUDIO, AGAIN.replace("120", "121")))
    assert [channel(media, Kind.VIDEO, way).retransmission for way in (SEND, RECEIVE)] == [121, 120]


@pytest.mark.parametrize(
    ("offered", "by"),
    [("apt=97", "apt=98"), ("a=rtcp-fb:97 nack\n", ""), ("rtx/90000", "red/90000"), (" 97 120", " 97")],
)
def test_retransmissions_that_are_not_agreed(offered: str, by: str) -> None:
    media = make()
    assert lines(media.answer(sdp(AUDIO, AGAIN.replace(offered, by))))[1].formats == ("97",)
    assert channel(media, Kind.VIDEO, SEND).retransmission is None


LOOKS_ONLY = Capabilities(sends=frozenset({Kind.AUDIO}))
BLIND = Capabilities(receives=frozenset({Kind.AUDIO}))


@pytest.mark.parametrize(
    ("able", "word"), [(LOOKS_ONLY, "recvonly"), (BLIND, "sendonly"), (Capabilities(), "sendrecv")]
)
def test_an_offer_says_which_way_a_medium_goes(able: Capabilities, word: str) -> None:
    media = make(able)
    for body in (media.offer(), describe(able, OURS)):
        assert [direction(line) for line in lines(body)] == ["sendrecv", word]


@pytest.mark.parametrize(
    ("able", "theirs", "ours"),
    [
        (LOOKS_ONLY, "sendrecv", "recvonly"),
        (LOOKS_ONLY, "recvonly", "inactive"),
        (BLIND, "sendrecv", "sendonly"),
        (BLIND, "sendonly", "inactive"),
    ],
)
def test_an_answer_says_which_way_a_medium_goes(able: Capabilities, theirs: str, ours: str) -> None:
    answer = lines(make(able).answer(sdp(AUDIO, VIDEO + f"a={theirs}\n")))
    assert [direction(line) for line in answer] == ["sendrecv", ours]


def test_who_has_no_picture_to_send_is_held_when_his_sound_is() -> None:
    media = make(LOOKS_ONLY)
    media.offer()
    media.accept(sdp(AUDIO + "a=sendonly\n", VIDEO + "a=sendonly\n"))
    assert media.held_by_far_end, "of the picture we would send nothing anyway"
    media.answer(sdp(AUDIO, VIDEO + "a=sendonly\n"))
    assert not media.held_by_far_end
    media.answer(sdp(AUDIO + "a=sendonly\n", VIDEO))
    assert media.held_by_far_end


def test_who_can_neither_show_nor_send_a_picture_speaks_of_none() -> None:
    sound = frozenset({Kind.AUDIO})
    media = make(Capabilities(sends=sound, receives=sound))
    assert [line.kind for line in lines(media.offer())] == ["audio"]
    assert [line.port != 0 for line in lines(media.answer(sdp(AUDIO, VIDEO)))] == [True, False]
