"""Packets that go again in a stream of their own."""

from __future__ import annotations

import random

import pytest

from firmware.call.media import Feedback, Kind
from firmware.rtp import rtcp
from firmware.rtp.event import Retransmit
from firmware.rtp.packet import Packet
from firmware.rtp.retransmission import Resender, unwrap
from firmware.rtp.session import Session

RTX, H264 = 99, 97


def test_there_and_back() -> None:
    resender = Resender(random.Random(1))
    original = Packet(H264, True, 65_535, 3_000_000_000, 7, b"a slice")
    sent = [Packet.decode(resender.wrap(original.encode(), RTX)) for _ in range(3)]
    for packet in sent:
        assert (packet.payload_type, packet.marker, packet.timestamp) == (RTX, True, 3_000_000_000)
        assert (packet.ssrc, packet.payload) == (resender.ssrc, b"\xff\xffa slice")
        assert unwrap(packet, H264, 7) == original
    assert [packet.sequence - sent[0].sequence & 0xFFFF for packet in sent] == [0, 1, 2]
    assert resender.ssrc != 7


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\5"])
def test_there_may_be_nothing_in_it(payload: bytes) -> None:
    assert unwrap(Packet(RTX, False, 5, 0, 8, payload), H264, 7) is None


def session(seed: int) -> Session:
    made = Session(Kind.VIDEO, 90_000, random.Random(seed), str(seed), 0.0, receive_clock_rates={H264: 90_000})
    made.feedback = frozenset({Feedback.NACK})
    return made


def test_what_is_lost_comes_again() -> None:
    ours, theirs = session(1), session(2)
    ours.send_again, theirs.received_again = RTX, {RTX: H264}
    sent = [ours.send(bytes([number]) * 20, number * 3_000, True, H264, 0.0) for number in range(10)]
    heard = [theirs.receive(data, 0.1) for number, data in enumerate(sent) if number != 5]
    indexes = [packet.index for packet in heard if packet is not None]
    [missing] = set(range(indexes[0], indexes[-1])) - set(indexes)
    nack = theirs.report_missing([missing], 0.2)
    assert nack is not None
    [event] = ours.receive_control(nack, 0.3)
    assert isinstance(event, Retransmit)
    [again] = event.packets
    assert again[1] & 0x7F == RTX
    packet = theirs.receive(again, 0.4)
    assert packet is not None
    assert (packet.index, packet.payload_type, packet.payload) == (missing, H264, bytes([5]) * 20)
    assert packet.stream == heard[0].stream  # type: ignore[union-attr]
    found = theirs.statistics(1.0).received
    assert (found.lost, found.packets) == (1, 10), "RFC 4588 4: the way loses as much as before"


@pytest.mark.parametrize("times", [1, 3])
def test_what_was_not_lost_may_come_again(times: int) -> None:
    """To probe the path; it counts for nothing."""
    ours, theirs = session(1), session(2)
    ours.send_again, theirs.received_again = RTX, {RTX: H264}
    resender = Resender(random.Random(3))
    for number in range(10):
        data = ours.send(bytes([number]) * 20, number * 3_000, True, H264, 0.0)
        for again in [data] + [resender.wrap(data, RTX)] * times:
            if number != 4 or again is not data:
                assert theirs.receive(again, 0.1) is not None
    assert theirs.statistics(1.0).received.lost == 1


def test_what_comes_again_far_from_the_rest_is_nobodys() -> None:
    ours, theirs = session(1), session(2)
    theirs.received_again = {RTX: H264}
    resender = Resender(random.Random(3))
    data = ours.send(b"a slice", 0, True, H264, 0.0)
    assert theirs.receive(resender.wrap(data, RTX), 0.1) is None, "of whom?"
    assert theirs.receive(data, 0.1) is not None
    for ahead in (3_000, 40_000, 0x10000 - 1_000):
        far = Packet.decode(data)
        far.sequence = far.sequence + ahead & 0xFFFF
        assert theirs.receive(resender.wrap(far.encode(), RTX), 0.1) is None


def test_nothing_begins_with_a_retransmission() -> None:
    theirs = session(2)
    theirs.received_again = {RTX: H264}
    assert theirs.receive(Resender(random.Random(1)).wrap(Packet(H264, True, 5, 0, 7, b"x").encode(), RTX), 0.0) is None
    assert theirs.last_received is None


def test_without_agreement_packets_go_again_as_they_were() -> None:
    ours = session(1)
    sent = ours.send(b"x" * 20, 0, True, H264, 0.0)
    sequence = int.from_bytes(sent[2:4], "big")
    [event] = ours.receive_control(rtcp.Nack(7, ours.ssrc, (sequence,)).encode(), 0.3)
    assert event == Retransmit((sent,))
