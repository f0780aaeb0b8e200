"""RFC 3264, rule by rule, on the offers and answers of one call; a test's name says the section."""

from __future__ import annotations

import pytest
from offers import AUDIO, OURS, THEIRS, VIDEO, channel, description, direction, find, lines, make, sdp, version

from firmware.call.media import H264_BASELINE, OPUS, PCMA, PCMU, Capabilities, Direction, Kind
from firmware.signaling.sip_media import NoCommonMediaError, describe

SEND, RECEIVE = Direction.SEND, Direction.RECEIVE


# 5: Generating the initial offer


def test_5_an_offer_is_a_whole_description() -> None:
    offer = description(make().offer())
    assert offer.connection == offer.origin.address == OURS
    assert offer.name
    assert [m.kind for m in offer.media] == ["audio", "video"]
    assert b"\r\nt=0 0\r\n" in make().offer()


def test_5_1_formats_are_in_order_of_preference_each_with_its_own_number() -> None:
    for media in lines(make().offer()):
        assert len(set(media.formats)) == len(media.formats)
        assert [value.split()[0] for value in media.values("rtpmap")] == list(media.formats)
    audio = lines(make(Capabilities(codecs=(PCMA, OPUS))).offer())[0]
    assert audio.formats == ("8", "96")


def test_5_1_what_we_promise_we_listen_to() -> None:
    media = make()
    ports = {line.port for line in lines(media.offer())}
    assert {port for _, port in media._ports.reserved} == ports  # type: ignore[attr-defined]


# 6: Generating the answer


def test_6_an_answer_has_a_line_for_each_line_of_the_offer_in_its_order() -> None:
    offer = sdp("m=application 5070 UDP/BFCP *\n", VIDEO, "m=image 5010 udptl t38\n", AUDIO, "m=text 5 RTP/AVP 99\n")
    answer = lines(make().answer(offer))
    assert [(m.kind, bool(m.port)) for m in answer] == [
        ("application", False),
        ("video", True),
        ("image", False),
        ("audio", True),
        ("text", False),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "m=audio 5000 RTP/SAVP 0\n",
        "m=audio 5000 UDP/TLS/RTP/SAVPF 0\n",
        "m=audio 0 RTP/AVP 0\n",
        "m=audio 5000 RTP/AVP 3 4 18\n",
        "m=audio 5000 RTP/AVP 99\n",
        "m=audio 5000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000\n",
        "m=audio 5000 RTP/AVP 0\nc=IN IP4 224.2.2.2/127\n",
        "m=audio 5000 RTP/AVP 0\nc=IN IP4 host.example\n",
        "m=audio 5000 RTP/AVP 0\nc=IN IP6 2001:db8::1\n",
    ],
)
def test_6_a_stream_is_refused_by_port_0(line: str) -> None:
    answer = lines(make().answer(sdp(line, VIDEO)))
    assert answer[0].port == 0
    assert answer[0].formats
    assert answer[1].port != 0


@pytest.mark.parametrize("media", [(), ("m=audio 0 RTP/AVP 0\n",), ("m=message 1 TCP/MSRP *\n",)])
def test_6_an_offer_without_use_is_refused_as_a_whole(media: tuple[str, ...]) -> None:
    ours = make()
    with pytest.raises(NoCommonMediaError):
        ours.check(sdp(*media))
    with pytest.raises(NoCommonMediaError):
        ours.answer(sdp(*media))
    assert ours.channels == ()


def test_6_one_of_several_lines_of_a_kind_is_taken() -> None:
    offer = sdp(AUDIO, AUDIO, VIDEO, VIDEO)
    assert [bool(m.port) for m in lines(make().answer(offer))] == [True, False, True, False]
    first_of_no_use = sdp("m=audio 5000 RTP/AVP 18\n", AUDIO)
    assert [bool(m.port) for m in lines(make().answer(first_of_no_use))] == [False, True]


def test_6_slides_are_not_the_first_picture() -> None:
    offer = sdp(AUDIO, VIDEO + "a=content:slides\n", VIDEO + "a=content:main\n")
    assert [bool(m.port) for m in lines(make().answer(offer))] == [True, False, True]
    only = sdp(AUDIO, VIDEO + "a=content:slides\n")
    assert [bool(m.port) for m in lines(make().answer(only))] == [True, True]


@pytest.mark.parametrize(
    ("offered", "answered", "sends", "receives"),
    [
        ("sendrecv", "sendrecv", True, True),
        ("sendonly", "recvonly", False, True),
        ("recvonly", "sendonly", True, False),
        ("inactive", "inactive", False, False),
    ],
)
@pytest.mark.parametrize("where", ["media", "session"])
def test_6_1_directions(offered: str, answered: str, sends: bool, receives: bool, where: str) -> None:
    media = make()
    offer = sdp(AUDIO + f"a={offered}\n") if where == "media" else sdp(AUDIO, session=f"a={offered}\n")
    assert direction(lines(media.answer(offer))[0]) == answered
    assert bool(find(media, Kind.AUDIO, SEND)) is sends
    assert bool(find(media, Kind.AUDIO, RECEIVE)) is receives
    assert media.held_by_far_end is not sends


def test_6_1_payload_types_are_the_offerers() -> None:
    media = make()
    offer = sdp("m=audio 5000 RTP/AVP 120 110\na=rtpmap:120 opus/48000/2\na=rtpmap:110 telephone-event/48000\n")
    answer = lines(media.answer(offer))[0]
    assert answer.formats == ("120", "110")
    assert answer.values("rtpmap") == ("120 opus/48000/2", "110 telephone-event/48000")
    for way in (Direction.SEND, Direction.RECEIVE):
        found = channel(media, Kind.AUDIO, way)
        assert [f.payload_type for f in found.formats] == [120, 110]


def test_6_1_the_offerers_preference_counts() -> None:
    media = make()
    assert lines(media.answer(sdp("m=audio 5000 RTP/AVP 18 8 0\n")))[0].formats == ("8",)
    assert channel(media, Kind.AUDIO, SEND).codec == PCMA


def test_6_1_an_answer_may_have_numbers_of_its_own() -> None:
    media = make()
    media.offer()
    media.accept(sdp("m=audio 5000 RTP/AVP 111\na=rtpmap:111 OPUS/48000/2\n", "m=video 0 RTP/AVP 97\n"))
    assert channel(media, Kind.AUDIO, SEND).format.payload_type == 111
    assert channel(media, Kind.AUDIO, RECEIVE).format.payload_type == 96


# 7: Offerer processing of the answer


def test_7_what_was_refused_is_not_sent_and_not_offered_again() -> None:
    media = make()
    media.offer()
    media.accept(sdp(AUDIO, "m=video 0 RTP/AVP 97\n"))
    assert {c.kind for c in media.channels} == {Kind.AUDIO}
    assert [bool(m.port) for m in lines(media.offer())] == [True, False]


def test_7_where_to_send() -> None:
    media = make()
    media.offer()
    media.accept(sdp(AUDIO, VIDEO + "c=IN IP4 192.0.2.99\na=rtcp:6001\n"))
    assert channel(media, Kind.AUDIO, SEND).remote == (THEIRS, 5000)
    assert channel(media, Kind.AUDIO, SEND).remote_rtcp == (THEIRS, 5001)
    assert channel(media, Kind.VIDEO, RECEIVE).remote == ("192.0.2.99", 5002)
    assert channel(media, Kind.VIDEO, RECEIVE).remote_rtcp == ("192.0.2.99", 6001)


@pytest.mark.parametrize(
    "answer",
    [
        sdp(),
        sdp("m=audio 0 RTP/AVP 0\n", "m=video 0 RTP/AVP 97\n"),
        sdp("m=audio 5000 RTP/AVP 18\n", "m=video 5002 RTP/AVP 120\n"),
        sdp(VIDEO, AUDIO),
        sdp("m=audio 5000 RTP/SAVP 0\n"),
        b"v=0\nm=audio 5000 RTP/AVP 0\n",
        sdp("m=audio 5000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000\n"),
    ],
    ids=["no lines", "all refused", "other formats", "other order", "other profile", "no address", "events only"],
)
def test_7_an_answer_that_is_none_changes_nothing(answer: bytes) -> None:
    media = make()
    media.offer()
    with pytest.raises(NoCommonMediaError):
        media.accept(answer)
    assert media.channels == ()
    media.accept(sdp(AUDIO))
    before = media.channels
    media.offer()
    with pytest.raises(NoCommonMediaError):
        media.accept(answer)
    assert media.channels == before


def test_7_an_answer_with_more_lines_than_the_offer() -> None:
    media = make(Capabilities(codecs=(PCMU,)))
    media.offer()
    media.accept(sdp(AUDIO, VIDEO, VIDEO))
    assert {c.kind for c in media.channels} == {Kind.AUDIO}


def test_7_a_later_answer_of_another_branch_replaces_an_early_one() -> None:
    media = make()
    media.offer()
    media.accept(sdp(AUDIO))
    media.accept(sdp(AUDIO, VIDEO, host="192.0.2.77"))
    assert channel(media, Kind.AUDIO, SEND).remote == ("192.0.2.77", 5000)
    assert channel(media, Kind.VIDEO, SEND).remote == ("192.0.2.77", 5002)


# 8: Modifying the session


def test_8_the_version_grows_by_one_with_each_change_only() -> None:
    media = make()
    first = media.offer()
    assert media.offer() == first
    media.accept(sdp(AUDIO, VIDEO))
    assert version(media.offer()) == version(first)
    media.held = True
    assert version(media.offer()) == version(first) + 1
    media.held = False
    assert version(media.offer()) == version(first) + 2
    assert description(first).origin.session_id == description(media.offer()).origin.session_id == 4711


def test_8_an_unchanged_offer_has_an_unchanged_answer() -> None:
    media = make()
    assert media.answer(sdp(AUDIO, VIDEO)) == media.answer(sdp(AUDIO, VIDEO))


def test_8_a_refused_offer_leaves_all_as_it_was() -> None:
    media = make()
    media.answer(sdp(AUDIO, VIDEO))
    before = media.channels
    media.held = True
    media.offer()
    media.held = False
    assert media.channels == before
    assert [direction(line) for line in lines(media.offer())] == ["sendrecv", "sendrecv"]


def test_8_lines_ports_and_numbers_stay_in_later_offers() -> None:
    media = make()
    offer = sdp("m=application 5070 UDP/BFCP *\n", VIDEO.replace("97", "125"), AUDIO)
    answer = lines(media.answer(offer))
    again = lines(media.offer())
    assert [(m.kind, m.port) for m in again] == [(m.kind, m.port) for m in answer]
    assert again[1].formats == ("125",)


def test_8_1_an_offer_that_is_asked_for_has_everything_again() -> None:
    media = make()
    media.answer(sdp("m=application 5070 UDP/BFCP *\n", AUDIO, "m=video 5002 RTP/SAVP 97\n"))
    again = lines(media.offer(anew=True))
    assert [(m.kind, bool(m.port)) for m in again] == [("application", False), ("audio", True), ("video", True)]
    assert again[1].formats[0] == "0"  # what was agreed keeps its place and number
    assert {"96", "9", "8", "101"} <= set(again[1].formats)
    assert len(set(again[1].formats)) == len(again[1].formats)


def test_8_1_a_stream_is_added_by_the_far_end() -> None:
    media = make()
    media.answer(sdp(AUDIO))
    port = channel(media, Kind.AUDIO, RECEIVE).local
    media.answer(sdp(AUDIO, VIDEO))
    assert channel(media, Kind.AUDIO, RECEIVE).local == port
    assert channel(media, Kind.VIDEO, SEND).remote == (THEIRS, 5002)


def test_8_2_streams_are_removed_by_the_far_end() -> None:
    media = make()
    media.answer(sdp(AUDIO, VIDEO))
    media.answer(sdp(AUDIO, "m=video 0 RTP/AVP 97\n"))
    assert {c.kind for c in media.channels} == {Kind.AUDIO}
    media.answer(sdp("m=audio 0 RTP/AVP 0\n", "m=video 0 RTP/AVP 97\n"))
    assert media.channels == ()
    assert not media.held_by_far_end


def test_8_3_1_the_far_end_moves_and_we_stay() -> None:
    media = make()
    media.answer(sdp(AUDIO))
    local = channel(media, Kind.AUDIO, RECEIVE).local
    media.answer(sdp(AUDIO.replace("5000", "6000"), host="192.0.2.50"))
    moved = channel(media, Kind.AUDIO, SEND)
    assert (moved.remote, moved.local) == (("192.0.2.50", 6000), local)


def test_8_3_2_the_codec_changes() -> None:
    media = make()
    media.answer(sdp("m=audio 5000 RTP/AVP 0\n"))
    media.answer(sdp("m=audio 5000 RTP/AVP 8\n"))
    assert channel(media, Kind.AUDIO, SEND).codec == PCMA


def test_8_4_we_hold() -> None:
    media = make()
    media.answer(sdp(AUDIO, VIDEO))
    media.held = True
    assert [direction(line) for line in lines(media.offer())] == ["sendonly", "sendonly"]
    media.accept(sdp(AUDIO + "a=recvonly\n", VIDEO + "a=recvonly\n"))
    assert media.channels == ()
    assert not media.held_by_far_end
    media.held = False
    assert [direction(line) for line in lines(media.offer())] == ["sendrecv", "sendrecv"]
    media.accept(sdp(AUDIO, VIDEO))
    assert len(media.channels) == 4


@pytest.mark.parametrize("way", ["a=sendonly\n", "a=inactive\n", "c=IN IP4 0.0.0.0\n"])
def test_8_4_the_far_end_holds_and_resumes(way: str) -> None:
    media = make()
    media.answer(sdp(AUDIO, VIDEO))
    media.answer(sdp(AUDIO + way, VIDEO + way))
    assert media.held_by_far_end
    assert not find(media, Kind.AUDIO, SEND)
    media.answer(sdp(AUDIO, VIDEO))
    assert not media.held_by_far_end
    assert len(media.channels) == 4


def test_8_4_who_is_held_holds_by_inactive() -> None:
    media = make()
    media.answer(sdp(AUDIO + "a=sendonly\n"))
    media.held = True
    assert direction(lines(media.offer())[0]) == "inactive"
    media.accept(sdp(AUDIO + "a=inactive\n"))
    assert media.held_by_far_end


def test_8_4_an_offer_during_our_hold_does_not_end_it() -> None:
    media = make()
    media.answer(sdp(AUDIO))
    media.held = True
    media.offer()
    media.accept(sdp(AUDIO + "a=recvonly\n"))
    assert direction(lines(media.answer(sdp(AUDIO)))[0]) == "sendonly"
    assert media.channels == ()


def test_9_capabilities_have_no_ports() -> None:
    told = description(describe(Capabilities(), OURS))
    assert [(m.kind, m.port) for m in told.media] == [("audio", 0), ("video", 0)]
    assert all(m.formats for m in told.media)


# 10: the examples


def test_10_1_basic_exchange() -> None:
    offer = b"""v=0
o=alice 2890844526 2890844526 IN IP4 host.anywhere.com
s=
c=IN IP4 192.0.2.2
t=0 0
m=audio 49170 RTP/AVP 0
a=rtpmap:0 PCMU/8000
m=video 51372 RTP/AVP 31
a=rtpmap:31 H261/90000
m=video 53000 RTP/AVP 32
a=rtpmap:32 MPV/90000
"""
    media = make(Capabilities(codecs=(PCMU, H264_BASELINE)))
    answer = lines(media.answer(offer))
    assert [(m.kind, bool(m.port), m.formats) for m in answer] == [
        ("audio", True, ("0",)),
        ("video", False, ("31",)),
        ("video", False, ("32",)),
    ]
    media.answer(offer.replace(b"49170", b"49180").replace(b"2890844526 IN", b"2890844527 IN"))
    assert channel(media, Kind.AUDIO, SEND).remote == ("192.0.2.2", 49180)


def test_10_2_one_of_n_codec_selection() -> None:
    offer = b"""v=0
o=alice 2890844526 2890844526 IN IP4 host.anywhere.com
s=
c=IN IP4 192.0.2.2
t=0 0
m=audio 62986 RTP/AVP 0 4 18
a=rtpmap:0 PCMU/8000
a=rtpmap:4 G723/8000
a=rtpmap:18 G729/8000
a=inactive
"""
    media = make()
    answer = lines(media.answer(offer))[0]
    assert (answer.formats, direction(answer)) == (("0",), "inactive")
    media.answer(offer.replace(b" 0 4 18", b" 0").replace(b"a=inactive", b"a=sendrecv"))
    assert channel(media, Kind.AUDIO, SEND).codec == PCMU
