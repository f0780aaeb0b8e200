"""Blocks of 10 ms become packets on a real stream."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from media_parts import Peer

from firmware.call.media import G722, PCMU, TELEPHONE_EVENT, Channel, Direction, Format, Kind
from firmware.errors import CallError
from firmware.media.audio_send import AudioSender
from firmware.media.network import Network
from firmware.ports import BLOCK_BYTES
from firmware.rtp.packet import Packet
from firmware.rtp.telephone_event import Event

EVENTS = Format(101, TELEPHONE_EVENT)


@pytest.fixture
def make(make_stream, peer: Peer, network: Network):
    def sender(*formats: Format, **more) -> AudioSender:
        stream = make_stream()
        local = stream.sockets[0].getsockname()
        channel = Channel(Kind.AUDIO, Direction.SEND, formats, local, peer.address, **more)
        stream.use(channel, None)
        network.call(lambda: network.add(stream, stream.sockets))
        return AudioSender(stream, channel)

    return sender


def packets(peer: Peer, count: int) -> list[Packet]:
    return [peer.packet() for _ in range(count)]


@pytest.mark.parametrize(("packet_time", "blocks", "step"), [(0.010, 1, 80), (0.020, 2, 160), (0.030, 3, 240)])
def test_a_packet_for_so_many_blocks(make, peer: Peer, packet_time: float, blocks: int, step: int) -> None:
    sender = make(Format(0, PCMU), packet_time=packet_time)
    for _ in range(blocks * 4):
        sender.push(bytes(BLOCK_BYTES), time.monotonic())
    sent = packets(peer, 4)
    assert [len(packet.payload) for packet in sent] == [step] * 4
    assert {b.timestamp - a.timestamp & 0xFFFFFFFF for a, b in pairwise(sent)} == {step}
    assert [packet.marker for packet in sent] == [True, False, False, False]


def test_the_clock_of_g722_is_half_of_what_it_samples(make, peer: Peer) -> None:
    sender = make(Format(9, G722))
    for _ in range(4):
        sender.push(bytes(BLOCK_BYTES), time.monotonic())
    first, second = packets(peer, 2)
    assert second.timestamp - first.timestamp & 0xFFFFFFFF == 160  # RFC 3551 4.5.2


def test_silence_is_sent_like_sound(make, peer: Peer) -> None:
    sender = make(Format(0, PCMU))
    for _ in range(6):
        sender.push(None, time.monotonic())
    sent = packets(peer, 3)
    assert {len(packet.payload) for packet in sent} == {160}
    assert set(sent[2].payload) <= {0x7F, 0xFF}  # both are zero in G.711


def test_digits_take_the_place_of_sound(make, peer: Peer) -> None:
    sender = make(Format(0, PCMU), EVENTS)
    sender.send_digits("1#")
    for _ in range(80):
        sender.push(bytes(BLOCK_BYTES), time.monotonic())
    sent = packets(peer, 40)
    events = [packet for packet in sent if packet.payload_type == 101]
    assert {packet.payload_type for packet in sent} == {0, 101}
    digits = [Event.decode(packet.payload) for packet in events]
    assert [event.event for event in digits if event.end] == [1, 1, 1, 11, 11, 11]
    assert len({packet.timestamp for packet in events}) == 2  # RFC 4733 2.2: an event has the time stamp of its start
    sounds = [packet.timestamp for packet in sent if packet.payload_type == 0]
    assert (sounds[-1] - sounds[0]) % 160 == 0  # the time of sound went on meanwhile


def test_digits_that_can_not_be_sent(make) -> None:
    make(Format(0, PCMU)).send_digits("1")  # no telephone-event agreed: nothing happens
    sender = make(Format(0, PCMU), EVENTS)
    sender.send_digits("x")
    sender.send_digits("1" * 1_000)
    assert not sender._events.active


def test_a_new_sender_goes_on_in_time(make, peer: Peer) -> None:
    sender = make(Format(0, PCMU))
    stream = sender._stream
    sender.push(None, time.monotonic())
    sender.push(None, time.monotonic())
    first = peer.packet()
    time.sleep(0.05)
    channel = Channel(Kind.AUDIO, Direction.SEND, (Format(0, PCMU),), stream.sockets[0].getsockname(), peer.address)
    second_sender = AudioSender(stream, channel)
    second_sender.push(None, time.monotonic())
    second_sender.push(None, time.monotonic())
    assert 0 < peer.packet().timestamp - first.timestamp & 0xFFFFFFFF < 60 * 8_000


def test_a_codec_that_is_missing(make) -> None:
    other = type(PCMU)("G729", Kind.AUDIO, 8_000)
    with pytest.raises(CallError, match="G729"):
        make(Format(18, other))


def test_the_report_tells_when_the_first_block_of_a_packet_began(make, peer: Peer) -> None:
    sender = make(Format(0, PCMU))
    began = time.monotonic() - 0.5
    for number in range(4):
        sender.push(None, began + number * 0.010)
    last = packets(peer, 2)[1]
    session = sender._stream._session
    report = session._sender.report(began + 1.020, ())
    assert report.timestamp - last.timestamp & 0xFFFFFFFF == 8000
