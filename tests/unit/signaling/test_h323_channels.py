"""Logical channels of a call that is up: closed, refused, limited, and other ones in their place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from h323_bench import FAR, H323Bench, control_of, leg_of
from parties import ALL, accept, channel, check_agreement, directions, established, settle

from firmware.asn1 import Value
from firmware.call.call import Call, EndReason, State
from firmware.call.media import CIF, G722, H263, H264_BASELINE, OPUS, PCMA, PCMU, QCIF, Capabilities, Direction, Kind
from firmware.h323.events import Bandwidth
from firmware.signaling.h323_formats import describe
from firmware.signaling.h323_media import ChannelRefusedError, H323Media


@pytest.fixture
def bench() -> H323Bench:
    return H323Bench()


def media_of(call: Call) -> H323Media:
    media = leg_of(call)._media
    assert media is not None
    return media


def number_of(call: Call, kind: Kind) -> int:
    """Give the number of the channel that comes in."""
    return next(n for n, received in media_of(call).receiving.items() if received is kind)


def sent(call: Call, kind: Kind) -> str:
    return channel(call, kind, Direction.SEND).codec.name


def test_flow_control_limits_what_is_sent(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    number = number_of(theirs, Kind.VIDEO)
    control_of(theirs).limit(number, 256_000, bench.wire.now)
    settle(bench)
    assert channel(ours, Kind.VIDEO, Direction.SEND).bitrate == 256_000
    control_of(theirs).limit(number, None, bench.wire.now)
    settle(bench)
    assert channel(ours, Kind.VIDEO, Direction.SEND).bitrate > 1_000_000


def test_a_channel_that_the_far_end_wants_closed_is_closed(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    number = number_of(theirs, Kind.VIDEO)
    control_of(theirs).request_close(number, bench.wire.now)
    settle(bench)
    assert (Kind.VIDEO, Direction.SEND) not in {(c.kind, c.direction) for c in ours.channels}
    assert (Kind.VIDEO, Direction.RECEIVE) not in {(c.kind, c.direction) for c in theirs.channels}
    assert ours.state is State.ACTIVE


def test_an_acknowledgement_without_address_costs_the_channel_only(
    bench: H323Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = H323Media.take_channel

    def forget_address(media: H323Media, number: int, request: Any) -> Any:
        taken = take(media, number, request)
        is_video = request["forwardLogicalChannelParameters"]["dataType"][0] == "videoData"
        return {"sessionID": 2} if is_video and media._host == FAR[0] else taken

    monkeypatch.setattr(H323Media, "take_channel", forget_address)
    ours, _ = established(bench)
    ways = {(c.kind, c.direction) for c in ours.channels}
    assert (Kind.AUDIO, Direction.SEND) in ways
    assert (Kind.VIDEO, Direction.SEND) not in ways
    assert (Kind.VIDEO, Direction.RECEIVE) in ways


def test_a_far_end_that_refuses_every_channel_has_nothing_in_common(
    bench: H323Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.unit.when_called = bench.far.when_called = accept

    def refuse(media: H323Media, number: int, request: Any) -> Any:
        raise ChannelRefusedError("unspecified")

    monkeypatch.setattr(H323Media, "take_channel", refuse)
    ours = bench.unit.dial(bench.far)
    settle(bench, 5.0)
    assert (ours.state, ours.end_reason) == (State.ENDED, EndReason.NO_COMMON_MEDIA)


def test_a_channel_is_opened_again_where_the_far_end_wants_that(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    before = number_of(theirs, Kind.VIDEO)
    message = {"forwardLogicalChannelNumber": before, "reason": ("reopen", None)}
    control_of(ours).receive(("request", ("requestChannelClose", message)), bench.wire.now)
    settle(bench)
    assert directions(ours) == directions(theirs) == ALL
    assert number_of(theirs, Kind.VIDEO) != before


def test_what_the_far_end_wants_closed_stays_so_until_its_next_set(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    control_of(theirs).request_close(number_of(theirs, Kind.VIDEO), bench.wire.now)
    settle(bench)
    leg_of(ours)._go_on()
    settle(bench)
    assert Kind.VIDEO not in media_of(ours).sending.values()
    control_of(theirs).send_capabilities(media_of(theirs).capability_set(), bench.wire.now)
    settle(bench)
    assert directions(ours) == directions(theirs) == ALL


# Another set in the midst of a call


def set_of(call: Call, *codecs: Any) -> Value:
    """Give a set of these codecs alone, which withdraws what else was said before (H.245 B.2.2)."""
    said = H323Media(Capabilities(codecs), media_of(call)._ports, FAR[0]).capability_set()
    rest = range(len(said["capabilityTable"]) + 1, 20)
    said["capabilityTable"] += [{"capabilityTableEntryNumber": number} for number in rest]
    return said


def test_what_the_far_end_no_longer_takes_is_sent_no_more(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    assert (sent(ours, Kind.AUDIO), sent(ours, Kind.VIDEO)) == ("opus", "H264")
    control_of(theirs).send_capabilities(set_of(theirs, PCMA, H263), bench.wire.now)
    settle(bench)
    assert (sent(ours, Kind.AUDIO), sent(ours, Kind.VIDEO)) == ("PCMA", "H263")
    check_agreement(ours, theirs)
    control_of(theirs).send_capabilities(set_of(theirs, G722), bench.wire.now)
    settle(bench)
    assert sent(ours, Kind.AUDIO) == "G722"
    assert Kind.VIDEO not in media_of(ours).sending.values()
    assert ours.state is theirs.state is State.ACTIVE


def test_a_channel_stays_where_another_set_says_the_same(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    before = dict(media_of(ours).sending)
    for _ in range(3):
        control_of(theirs).send_capabilities(media_of(theirs).capability_set(), bench.wire.now)
        settle(bench)
    assert media_of(ours).sending == before


def test_a_smaller_limit_is_kept_on_the_channel_that_is_open(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    before = dict(media_of(ours).sending)
    less = H323Media(Capabilities(bitrate=512_000), media_of(theirs)._ports, FAR[0]).capability_set()
    control_of(theirs).send_capabilities(less, bench.wire.now)
    settle(bench)
    assert media_of(ours).sending == before
    assert channel(ours, Kind.VIDEO, Direction.SEND).bitrate == 448_000


def test_a_lower_level_takes_another_channel(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    assert H264_BASELINE.h264 is not None
    small = replace(H264_BASELINE, h264=replace(H264_BASELINE.h264, level=13))
    control_of(theirs).send_capabilities(set_of(theirs, G722, small), bench.wire.now)
    settle(bench)
    codec = channel(ours, Kind.VIDEO, Direction.SEND).codec
    assert codec.h264 is not None
    assert codec.h264.level == 13


# Modes


def audio_mode(name: str) -> Value:
    return {"type": ("audioMode", (name, None))}


def video_mode(name: str, resolution: str, bitrate: int) -> Value:
    content: dict[str, Value] = {"resolution": (resolution, None), "bitRate": bitrate // 100}
    flags = ("unrestrictedVector", "arithmeticCoding", "advancedPrediction", "pbFrames", "errorCompensation")
    more = dict.fromkeys(flags, False) if name == "h263VideoMode" else {"stillImageTransmission": False}
    return {"type": ("videoMode", (name, {**content, **more}))}


def test_the_far_end_asks_for_another_mode(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    mode = [audio_mode("g711Ulaw64k"), video_mode("h263VideoMode", "cif", 256_000)]
    control_of(theirs).request_mode([mode], bench.wire.now)
    settle(bench)
    assert directions(ours) == directions(theirs) == ALL
    assert channel(ours, Kind.AUDIO, Direction.SEND).codec == PCMU
    video = channel(ours, Kind.VIDEO, Direction.SEND)
    assert video.codec.name.startswith("H263")
    assert [(size.width, size.height) for size in video.codec.picture_sizes] == [(CIF.width, CIF.height)]
    assert video.bitrate == 256_000
    assert sent(theirs, Kind.AUDIO) == "opus", "that is ours to ask for"


def test_h261_at_a_size_that_the_far_end_asks_for(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    control_of(theirs).request_mode([[video_mode("h261VideoMode", "qcif", 64_000)]], bench.wire.now)
    settle(bench)
    video = channel(ours, Kind.VIDEO, Direction.SEND)
    assert (video.codec.name, video.bitrate) == ("H261", 64_000)
    assert [(size.width, size.height) for size in video.codec.picture_sizes] == [(QCIF.width, QCIF.height)]
    assert Kind.AUDIO not in media_of(ours).sending.values(), "a mode names all that is to be sent"


def test_less_of_the_same_costs_no_channel(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    before = dict(media_of(ours).sending)
    _, content = describe(H264_BASELINE, 384_000)  # type: ignore[misc]
    _, opus = describe(OPUS)  # type: ignore[misc]
    mode = [
        {"type": ("audioMode", ("genericAudioMode", opus))},
        {"type": ("videoMode", ("genericVideoMode", content))},
    ]
    control_of(theirs).request_mode([mode], bench.wire.now)
    settle(bench)
    assert media_of(ours).sending == before
    assert channel(ours, Kind.VIDEO, Direction.SEND).bitrate == 384_000


def test_pictures_come_back_with_another_mode(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    control_of(theirs).request_mode([[audio_mode("g711Alaw64k")]], bench.wire.now)
    settle(bench)
    assert {kind for kind, way in directions(ours) if way is Direction.SEND} == {Kind.AUDIO}
    mode = [audio_mode("g711Alaw64k"), video_mode("h263VideoMode", "qcif", 128_000)]
    control_of(theirs).request_mode([mode], bench.wire.now)
    settle(bench)
    assert directions(ours) == ALL
    assert sent(ours, Kind.AUDIO) == "PCMA"


def test_a_mode_that_we_have_not_changes_nothing(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    before = ours.channels
    control_of(theirs).request_mode([[audio_mode("g728")]], bench.wire.now)
    settle(bench)
    assert ours.channels == before


# What a gatekeeper allows


def allow(call: Call, bitrate: int) -> None:
    leg = leg_of(call)
    assert leg._session is not None
    leg.handle(Bandwidth(leg._session, bitrate))


@pytest.mark.parametrize("by_far_end", [False, True])
def test_a_gatekeeper_that_allows_less(bench: H323Bench, by_far_end: bool) -> None:
    ours, theirs = established(bench, by_far_end=by_far_end)
    before = dict(media_of(ours).sending)
    allow(ours, 384_000)
    settle(bench)
    assert channel(ours, Kind.VIDEO, Direction.SEND).bitrate == 320_000
    assert channel(theirs, Kind.VIDEO, Direction.SEND).bitrate == 320_000, "which is told to keep to it as well"
    assert media_of(ours).sending == before
    allow(ours, 2_000_000)
    settle(bench)
    for call in (ours, theirs):
        assert channel(call, Kind.VIDEO, Direction.SEND).bitrate == Capabilities().video_bitrate


def test_a_gatekeeper_that_leaves_nothing_for_pictures(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    allow(ours, 64_000)
    settle(bench)
    assert {kind for kind, way in directions(ours) if way is Direction.SEND} == {Kind.AUDIO}
    assert {kind for kind, way in directions(theirs) if way is Direction.SEND} == {Kind.AUDIO}
    allow(ours, 512_000)
    settle(bench)
    assert directions(ours) == directions(theirs) == ALL
    assert channel(ours, Kind.VIDEO, Direction.SEND).bitrate == 448_000


def test_a_call_that_was_allowed_less_from_the_start(bench: H323Bench) -> None:
    bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    allow(ours, 384_000)
    settle(bench)
    assert directions(ours) == ALL
    for call in (ours, bench.far.call):
        assert channel(call, Kind.VIDEO, Direction.SEND).bitrate == 320_000


def test_no_pictures_are_sent_by_fast_connect_where_nothing_is_left_for_them() -> None:
    bench = H323Bench()
    ours, theirs = established(bench)
    number, sending = next((n, s) for n, s in media_of(ours)._sending.items() if s.kind is Kind.VIDEO)
    media_of(ours).selection.take_bandwidth(64_000)
    media_of(ours).send(number, replace(sending, bitrate=0))  # as fast connect leaves it, without another set
    assert Kind.VIDEO not in {c.kind for c in media_of(ours).channels if c.direction is Direction.SEND}
    assert theirs.state is State.ACTIVE


def test_all_channels_together_are_limited(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    control_of(theirs).limit(None, 256_000, bench.wire.now)
    settle(bench)
    assert channel(ours, Kind.VIDEO, Direction.SEND).bitrate == 192_000, "sound comes first"
    control_of(theirs).limit(None, 64_000, bench.wire.now)
    settle(bench)
    assert {kind for kind, way in directions(ours) if way is Direction.SEND} == {Kind.AUDIO}


# Both ends at once


def test_a_master_that_insists_on_its_own_codec_is_sent_that(bench: H323Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.far_end_can(Capabilities((PCMU, G722, H264_BASELINE)))
    take = H323Media.take_channel

    def insist(media: H323Media, number: int, request: Any) -> Any:
        data_type = request["forwardLogicalChannelParameters"]["dataType"]
        if media._host == FAR[0] and data_type == ("audioData", ("g722-64k", 20)):
            raise ChannelRefusedError("masterSlaveConflict")
        return take(media, number, request)

    monkeypatch.setattr(H323Media, "take_channel", insist)
    ours, theirs = established(bench)
    assert sent(ours, Kind.AUDIO) == sent(theirs, Kind.AUDIO) == "PCMU"
    check_agreement(ours, theirs)


def test_a_master_that_refuses_everything_as_a_conflict_is_asked_twice(
    bench: H323Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.far_end_can(Capabilities((PCMU, G722, H264_BASELINE)))
    take, asked = H323Media.take_channel, []

    def insist(media: H323Media, number: int, request: Any) -> Any:
        data_type = request["forwardLogicalChannelParameters"]["dataType"]
        if media._host == FAR[0] and data_type[0] == "audioData":
            asked.append(data_type[1][0])
            raise ChannelRefusedError("masterSlaveConflict")
        return take(media, number, request)

    monkeypatch.setattr(H323Media, "take_channel", insist)
    ours, _ = established(bench)
    assert asked == ["g722-64k", "g711Ulaw64k"]
    assert Kind.AUDIO not in media_of(ours).sending.values()


def test_an_mcu_moves_the_call_to_a_third_party(bench: H323Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """H.323 8.4.6: the empty set closes what we send; after the next one media goes where the new party takes it."""
    ours, theirs = established(bench)
    before = {c.kind: c.remote for c in ours.channels if c.direction is Direction.SEND}
    theirs.hold(True)
    settle(bench)
    assert ours.channels == ()
    third = {Kind.AUDIO: ("192.0.2.3", 6000), Kind.VIDEO: ("192.0.2.3", 6002)}
    media = theirs._leg._media  # type: ignore[attr-defined]
    monkeypatch.setattr(media, "port", third.__getitem__)
    theirs.hold(False)
    settle(bench)
    assert directions(ours) == ALL
    after = {c.kind: c.remote for c in ours.channels if c.direction is Direction.SEND}
    assert after == third
    assert after != before
    assert ours.state is State.ACTIVE
