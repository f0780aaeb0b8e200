"""Two media sides of an H.323 call face to face: what one says is what the other takes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from wire_transport import MemoryPorts

from firmware.call.media import (
    G722,
    H261,
    H263,
    H263_1998,
    H264_BASELINE,
    OPUS,
    PCMA,
    PCMU,
    QCIF,
    TELEPHONE_EVENT,
    Capabilities,
    Channel,
    Codec,
    Direction,
    Format,
    Kind,
)
from firmware.errors import CallError
from firmware.h323 import h245
from firmware.signaling import h323_picture_sizes
from firmware.signaling.h323_media import ChannelRefusedError, H323Media, address_value, read_address

OUR_HOST, FAR_HOST = "192.0.2.1", "192.0.2.2"


class Pair:
    """Ours, the far end's, and the ports of both."""

    def __init__(self, ours: Capabilities | None = None, far: Capabilities | None = None) -> None:
        self.ports = MemoryPorts()
        self.ours = H323Media(ours or Capabilities(), self.ports, OUR_HOST)
        self.far = H323Media(far or Capabilities(), self.ports, FAR_HOST)
        self._numbers = itertools.count(1)

    def exchange(self) -> None:
        self.far.take_capabilities(travelled(self.ours.capability_set()))
        self.ours.take_capabilities(travelled(self.far.capability_set()))

    def open(self, opener: H323Media) -> list[int]:
        """Open all that *opener* wants."""
        other = self.far if opener is self.ours else self.ours
        numbers = []
        for wanted in opener.wanted():
            number = next(self._numbers)
            opener.opening(number, wanted)
            ack = other.take_channel(number, request(number, wanted.data_type, wanted.parameters))
            opener.opened(number, {"forwardMultiplexAckParameters": ("h2250LogicalChannelAckParameters", ack)})
            numbers.append(number)
        return numbers

    def up(self) -> Pair:
        self.exchange()
        self.open(self.ours)
        self.open(self.far)
        return self


def travelled(capabilities: Any) -> Any:
    """Give a capability set as it arrives."""
    message = ("request", ("terminalCapabilitySet", {"sequenceNumber": 1, **capabilities}))
    return h245.MESSAGE.decode(h245.MESSAGE.encode(message))[1][1]


def request(number: int, data_type: Any, parameters: Any) -> Any:
    """Give an OpenLogicalChannel as it arrives."""
    forward = {
        "dataType": data_type,
        "multiplexParameters": ("h2250LogicalChannelParameters", parameters),
    }
    message = (
        "request",
        (
            "openLogicalChannel",
            {"forwardLogicalChannelNumber": number, "forwardLogicalChannelParameters": forward},
        ),
    )
    return h245.MESSAGE.decode(h245.MESSAGE.encode(message))[1][1]


def channel(media: H323Media, kind: Kind, direction: Direction) -> Channel:
    return next(c for c in media.channels if (c.kind, c.direction) == (kind, direction))


def test_what_one_sends_is_what_the_other_takes() -> None:
    pair = Pair().up()
    for sender, receiver in ((pair.ours, pair.far), (pair.far, pair.ours)):
        for kind in Kind:
            sent, received = channel(sender, kind, Direction.SEND), channel(receiver, kind, Direction.RECEIVE)
            assert sent.remote == received.local
            assert sent.remote_rtcp == (received.local[0], received.local[1] + 1)
            assert received.remote_rtcp == (sent.local[0], sent.local[1] + 1)
            assert sent.format == received.format
    assert channel(pair.ours, Kind.AUDIO, Direction.SEND).codec == OPUS
    assert channel(pair.ours, Kind.AUDIO, Direction.SEND).telephone_event is None, "H.245 carries digits"
    assert channel(pair.ours, Kind.VIDEO, Direction.SEND).bitrate == Capabilities().video_bitrate


def test_both_directions_share_one_pair_of_ports() -> None:
    pair = Pair().up()
    assert len({c.local for c in pair.ours.channels}) == 2
    assert len(pair.ports.reserved) == 4
    pair.ours.close()
    pair.far.close()
    assert pair.ports.reserved == set()


def test_the_opener_chooses_its_own_best() -> None:
    pair = Pair(Capabilities((PCMA, PCMU)), Capabilities((G722, PCMU, PCMA))).up()
    assert channel(pair.ours, Kind.AUDIO, Direction.SEND).codec == PCMA
    assert channel(pair.far, Kind.AUDIO, Direction.SEND).codec == PCMU
    assert channel(pair.ours, Kind.AUDIO, Direction.RECEIVE).codec == PCMU


def test_the_far_end_may_limit_pictures() -> None:
    pair = Pair(far=Capabilities(bitrate=512_000)).up()
    assert channel(pair.ours, Kind.VIDEO, Direction.SEND).bitrate == 448_000
    number = next(n for n, kind in pair.ours.sending.items() if kind is Kind.VIDEO)
    pair.ours.limited(number, 128_000)
    assert channel(pair.ours, Kind.VIDEO, Direction.SEND).bitrate == 128_000
    pair.ours.limited(number, 0)
    assert [c.kind for c in pair.ours.channels if c.direction is Direction.SEND] == [Kind.AUDIO]
    pair.ours.limited(number, None)
    assert channel(pair.ours, Kind.VIDEO, Direction.SEND).bitrate == 448_000


def test_hold_is_an_empty_set_and_keeps_the_ports() -> None:
    pair = Pair().up()
    before = pair.ours.channels, pair.far.channels
    pair.ours.held = True
    assert pair.ours.channels == ()
    pair.far.take_capabilities(travelled(pair.ours.capability_set()))
    assert pair.far.held_by_far_end
    assert pair.far.wanted() == []
    for media, other in ((pair.ours, pair.far), (pair.far, pair.ours)):
        for number in media.sending:
            media.closed(number, ours=True)
            other.closed(number, ours=False)
    pair.ours.held = False
    pair.up()
    assert not pair.far.held_by_far_end
    assert (set(pair.ours.channels), set(pair.far.channels)) == (set(before[0]), set(before[1]))


def test_nothing_in_common() -> None:
    pair = Pair(Capabilities((G722,)), Capabilities((PCMU, H264_BASELINE)))
    pair.exchange()
    assert not pair.ours.selection.has_common
    assert pair.ours.wanted() == []
    assert not H323Media(
        Capabilities((Codec("iLBC", Kind.AUDIO, 8_000), TELEPHONE_EVENT)), pair.ports, OUR_HOST
    ).can_receive


def test_what_was_refused_is_not_asked_for_again_until_something_changes() -> None:
    pair = Pair()
    pair.exchange()
    audio, video = pair.ours.wanted()
    pair.ours.opening(1, audio)
    pair.ours.opening(2, video)
    assert not pair.ours.settled
    pair.ours.refused(1)
    pair.ours.refused(2)
    assert pair.ours.settled
    assert pair.ours.hopeless
    assert pair.ours.wanted() == []
    pair.exchange()
    assert len(pair.ours.wanted()) == 2


@pytest.mark.parametrize(
    "ack",
    [
        {},
        {"forwardMultiplexAckParameters": ("+1", b"")},
        {"forwardMultiplexAckParameters": ("h2250LogicalChannelAckParameters", {})},
        {
            "forwardMultiplexAckParameters": (
                "h2250LogicalChannelAckParameters",
                {"mediaChannel": address_value(("2001:db8::1", 4000))},
            )
        },
        {
            "forwardMultiplexAckParameters": (
                "h2250LogicalChannelAckParameters",
                {"mediaChannel": address_value(("224.0.0.1", 4000))},
            )
        },
    ],
)
def test_an_acknowledgement_without_a_use(ack: Any) -> None:
    pair = Pair()
    pair.exchange()
    wanted = pair.ours.wanted()[0]
    pair.ours.opening(1, wanted)
    with pytest.raises(ChannelRefusedError):
        pair.ours.opened(1, ack)
    assert pair.ours.sending == {}
    assert wanted.kind not in [w.kind for w in pair.ours.wanted()]


G722_1 = {"capabilityIdentifier": ("standard", "0.0.7.7221.1.0")}
H263_VALUE = h323_picture_sizes.describe(H263, 384_000)


def parameters(**values: Any) -> Any:
    return {"sessionID": 1, "mediaGuaranteedDelivery": False, **values}


@pytest.mark.parametrize(
    ("data_type", "with_parameters", "cause"),
    [
        (("audioData", ("g729", 2)), parameters(), "dataTypeNotSupported"),
        (("audioData", ("g711Ulaw64k", 20)), parameters(sessionID=3), "invalidSessionID"),
        (("videoData", ("genericVideoCapability", G722_1)), parameters(sessionID=2), "dataTypeNotSupported"),
        (("nullData", None), parameters(), "dataTypeNotSupported"),
    ],
)  # fmt: skip
def test_channels_of_no_use(data_type: Any, with_parameters: Any, cause: str) -> None:
    pair = Pair()
    with pytest.raises(ChannelRefusedError) as caught:
        pair.ours.take_channel(1, request(1, data_type, with_parameters))
    assert caught.value.cause == cause
    assert pair.ports.reserved == set()


RFC_2429 = "rtpPayloadType", h323_picture_sizes.packetization()
RFC_2190 = "rtpPayloadType", {"payloadDescriptor": ("rfc-number", 2190)}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, Format(34, H263)),
        ({"mediaPacketization": RFC_2190}, Format(34, H263)),
        ({"mediaPacketization": RFC_2190, "dynamicRTPPayloadType": 100}, Format(100, H263)),
        ({"mediaPacketization": RFC_2429}, Format(96, H263_1998)),
        ({"mediaPacketization": RFC_2429, "dynamicRTPPayloadType": 97}, Format(97, H263_1998)),
        ({"dynamicRTPPayloadType": 97}, Format(97, H263_1998)),
    ],
)
def test_the_payload_format_of_h263_is_what_the_opener_says(said: Any, expected: Format) -> None:
    pair = Pair()
    pair.ours.take_channel(1, request(1, ("videoData", H263_VALUE), parameters(sessionID=2, **said)))
    assert channel(pair.ours, Kind.VIDEO, Direction.RECEIVE).formats == (expected,)


@pytest.mark.parametrize(
    ("codec", "payload_type", "dynamic"), [(H263_1998, 96, 96), (H263, 34, None), (H261, 31, None)]
)
def test_old_codecs_alone(codec: Codec, payload_type: int, dynamic: int | None) -> None:
    far = Capabilities((PCMU, replace(codec, picture_sizes=(QCIF,))), bitrate=448_000)
    pair = Pair(far=far)
    pair.exchange()
    wanted = next(wanted for wanted in pair.ours.wanted() if wanted.kind is Kind.VIDEO)
    assert wanted.parameters.get("dynamicRTPPayloadType") == dynamic
    pair.open(pair.ours)
    pair.open(pair.far)
    sent = channel(pair.ours, Kind.VIDEO, Direction.SEND)
    assert (sent.format, sent.bitrate) == (Format(payload_type, far.codecs[1]), 384_000)
    assert channel(pair.far, Kind.VIDEO, Direction.RECEIVE).format == Format(payload_type, far.codecs[1])
    assert channel(pair.far, Kind.VIDEO, Direction.SEND).codec.picture_sizes == codec.picture_sizes


def test_h263_as_old_as_the_far_end() -> None:
    pair = Pair(far=Capabilities((PCMU, H263, H261))).up()
    assert channel(pair.ours, Kind.VIDEO, Direction.SEND).format == Format(34, H263)


def test_a_second_picture_is_refused_in_its_place() -> None:
    """The presentation of H.239 has a session of its own."""
    pair = Pair().up()
    wanted = H323Media(Capabilities(), pair.ports, FAR_HOST)
    wanted.take_capabilities(travelled(pair.ours.capability_set()))
    video = next(w for w in wanted.wanted() if w.kind is Kind.VIDEO)
    with pytest.raises(ChannelRefusedError):
        pair.ours.take_channel(9, request(9, video.data_type, {**video.parameters, "sessionID": 32}))
    assert len(pair.ours.channels) == 4


def test_a_slave_is_told_the_session() -> None:
    pair = Pair()
    ack = pair.ours.take_channel(1, request(1, ("audioData", ("g711Ulaw64k", 20)), parameters(sessionID=0)))
    assert ack["sessionID"] == 1


def test_no_ports() -> None:
    media = H323Media(Capabilities(), MemoryPorts(count=0), OUR_HOST)
    with pytest.raises(CallError):
        media.take_channel(1, request(1, ("audioData", ("g711Ulaw64k", 20)), parameters()))


@pytest.mark.parametrize("address", [("192.0.2.1", 5000), ("2001:db8::1", 65535)])
def test_addresses(address: tuple[str, int]) -> None:
    assert read_address(address_value(address)) == address


@pytest.mark.parametrize("value", [None, ("multicastAddress", None), ("unicastAddress", ("nonStandardAddress", {}))])
def test_what_is_no_address(value: Any) -> None:
    assert read_address(value) is None


def test_pictures_go_one_way_where_one_side_has_no_camera() -> None:
    pair = Pair(Capabilities(sends=frozenset({Kind.AUDIO}))).up()
    assert [c.direction for c in pair.ours.channels if c.kind is Kind.VIDEO] == [Direction.RECEIVE]
    assert [c.direction for c in pair.far.channels if c.kind is Kind.VIDEO] == [Direction.SEND]


def test_a_picture_that_nobody_could_look_at_is_refused() -> None:
    pair = Pair(Capabilities(receives=frozenset({Kind.AUDIO})))
    pair.exchange()
    assert [wanted.kind for wanted in pair.far.wanted()] == [Kind.AUDIO], "our set has no pictures"
    stubborn = Pair()
    stubborn.exchange()
    (picture,) = (wanted for wanted in stubborn.far.wanted() if wanted.kind is Kind.VIDEO)
    with pytest.raises(ChannelRefusedError, match="dataTypeNotSupported"):
        pair.ours.take_channel(1, request(1, picture.data_type, picture.parameters))
    assert pair.open(pair.ours) == [1, 2]
    assert [c.direction for c in pair.ours.channels if c.kind is Kind.VIDEO] == [Direction.SEND]


def test_who_can_receive_nothing_can_not_be_called() -> None:
    assert Pair().ours.can_receive
    assert not Pair(Capabilities(receives=frozenset())).ours.can_receive
