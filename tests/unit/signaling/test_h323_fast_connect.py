"""Fast connect between two media sides; each OpenLogicalChannel travels as in a Setup."""

from __future__ import annotations

from typing import Any

from wire_transport import MemoryPorts

from firmware.call.media import G722, H264_BASELINE, OPUS, PCMA, PCMU, Capabilities, Direction, Kind
from firmware.h323 import h245
from firmware.signaling import h323_formats
from firmware.signaling.h323_fast_connect import choose, is_ours, propose, take
from firmware.signaling.h323_media import H323Media, address_value

CALLER, CALLED = "192.0.2.1", "192.0.2.2"


def media(host: str, *codecs: Any) -> H323Media:
    return H323Media(Capabilities(codecs) if codecs else Capabilities(), MemoryPorts(), host)


def travelled(channels: list[Any]) -> list[Any]:
    return [h245.OPEN_LOGICAL_CHANNEL.decode(h245.OPEN_LOGICAL_CHANNEL.encode(channel)) for channel in channels]


def test_sound_flows_both_ways_after_one_question_and_one_answer() -> None:
    caller, called = media(CALLER), media(CALLED)
    chosen = choose(called, travelled(propose(caller)))
    assert [is_ours(channel, called=True) for channel in chosen] == [False, True]
    take(caller, travelled(chosen))
    for sender, receiver in ((caller, called), (called, caller)):
        (sent,) = (c for c in sender.channels if c.direction is Direction.SEND)
        (received,) = (c for c in receiver.channels if c.direction is Direction.RECEIVE)
        assert (sent.remote, sent.codec) == (received.local, OPUS)
        assert received.codec == OPUS
        assert sent.format == received.format
        assert sent.remote_rtcp == (received.local[0], received.local[1] + 1)
        assert sent.packet_time == 0.020
    assert caller.wanted() == []


def test_the_first_proposal_that_both_have_is_chosen() -> None:
    caller, called = media(CALLER, PCMA, PCMU, G722), media(CALLED, G722, PCMU)
    chosen = choose(called, travelled(propose(caller)))
    assert len(chosen) == 2
    assert {c.codec for c in called.channels} == {PCMU}


def test_nothing_in_common_is_a_refusal() -> None:
    called = media(CALLED, G722)
    assert choose(called, travelled(propose(media(CALLER, PCMU)))) == []
    assert called.channels == ()


def picture(number: int, *, called_sends: bool, mode: int = 1) -> Any:
    parameters = {
        "sessionID": 2,
        "mediaGuaranteedDelivery": False,
        "mediaControlChannel": address_value((CALLER, 5003)),
        "dynamicRTPPayloadType": 110,
        "mediaPacketization": ("rtpPayloadType", h323_formats.packetization(mode, 110)),
    }
    data_type = ("videoData", h323_formats.describe(H264_BASELINE, 512_000))
    if called_sends:
        parameters["mediaChannel"] = address_value((CALLER, 5002))
        return {
            "forwardLogicalChannelNumber": number,
            "forwardLogicalChannelParameters": {
                "dataType": ("nullData", None),
                "multiplexParameters": ("none", None),
            },
            "reverseLogicalChannelParameters": {
                "dataType": data_type,
                "multiplexParameters": ("h2250LogicalChannelParameters", parameters),
            },
        }
    return {
        "forwardLogicalChannelNumber": number,
        "forwardLogicalChannelParameters": {
            "dataType": data_type,
            "multiplexParameters": ("h2250LogicalChannelParameters", parameters),
        },
    }


def test_pictures_that_a_caller_proposes_are_taken() -> None:
    called = media(CALLED)
    chosen = choose(called, travelled([picture(1, called_sends=False), picture(2, called_sends=True, mode=0)]))
    assert len(travelled(chosen)) == 2
    send, receive = called.channels
    assert (send.kind, send.format.payload_type, send.bitrate) == (Kind.VIDEO, 110, 512_000)
    assert send.remote == (CALLER, 5002)
    assert send.codec.h264 is not None
    assert send.codec.h264.packetization_mode == 0
    assert receive.codec.h264 is not None
    assert receive.codec.h264.packetization_mode == 1


def test_what_was_not_proposed_is_not_taken() -> None:
    caller, called = media(CALLER), media(CALLED)
    chosen = travelled(choose(called, travelled(propose(caller))))
    second = [{**channel, "forwardLogicalChannelNumber": 77} for channel in chosen]
    assert take(caller, [*chosen, *second, picture(3, called_sends=False), picture(4, called_sends=True)]) == chosen
    assert {c.kind for c in caller.channels} == {Kind.AUDIO}
    assert len(caller.sending) == len(caller.receiving) == 1


def test_what_makes_no_sense_is_passed_over() -> None:
    homeless = picture(1, called_sends=True)
    del homeless["reverseLogicalChannelParameters"]["multiplexParameters"][1]["mediaChannel"]
    other_session = picture(2, called_sends=False)
    other_session["forwardLogicalChannelParameters"]["multiplexParameters"][1]["sessionID"] = 3
    data = picture(3, called_sends=False)
    data["forwardLogicalChannelParameters"]["dataType"] = ("nullData", None)
    proposals = travelled([homeless, other_session, data])
    called, caller = media(CALLED), media(CALLER)
    assert choose(called, proposals) == []
    take(caller, proposals[1:])
    assert called.channels == caller.channels == ()


def test_pictures_are_taken_one_way_where_there_is_no_camera_or_no_screen() -> None:
    both = [picture(1, called_sends=False), picture(2, called_sends=True)]
    sound = frozenset({Kind.AUDIO})
    for able, way in ((Capabilities(sends=sound), Direction.RECEIVE), (Capabilities(receives=sound), Direction.SEND)):
        called = H323Media(able, MemoryPorts(), CALLED)
        choose(called, travelled(both))
        assert [channel.direction for channel in called.channels] == [way]
