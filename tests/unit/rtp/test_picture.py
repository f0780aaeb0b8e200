"""Pieces of bits become pictures: joints at any bit, losses anywhere, and bounds."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError
from firmware.rtp.packet import Packet
from firmware.rtp.picture import CodedPicture, Depacketizer, Fragment, append_bits

KEY, OTHER = b"\xc0", b"\x80"
"""How pictures of these tests begin: a picture start, a key frame or not."""


def read(payload: bytes) -> Fragment:
    if payload[0] > 7 or len(payload) < 2:
        raise DecodeError("malformed")
    return Fragment(payload[1:], payload[0])


def is_key_frame(data: bytes) -> bool | None:
    return bool(data[0] & 0x40) if data[0] & 0x80 else None


def packet(sequence: int, payload: bytes, timestamp: int = 0, marker: bool = False, stream: int = 0) -> Packet:
    return Packet(96, marker, sequence & 0xFFFF, timestamp, 1, payload, (), 0, stream)


class Far:
    """Takes pictures of whole octets, each payload one octet of header before it."""

    def __init__(self, max_size: int = 1 << 20) -> None:
        self.depacketizer = Depacketizer(read, is_key_frame, max_size)
        self._sequence = 0

    def send(
        self, *pieces: bytes, timestamp: int, lost: tuple[int, ...] = (), marker: bool = True
    ) -> list[CodedPicture]:
        found = []
        for place, piece in enumerate(pieces):
            last = marker and place == len(pieces) - 1
            if place not in lost:
                found += self.depacketizer.receive(packet(self._sequence, b"\x00" + piece, timestamp, last))
            self._sequence += 1
        return found


def test_pieces_are_one_picture() -> None:
    (picture,) = Far().send(KEY, b"ab", b"c", timestamp=7)
    assert picture == CodedPicture(KEY + b"abc", 7, key_frame=True, damaged=False)
    assert picture.has_picture


def test_the_next_timestamp_ends_a_picture_without_marker() -> None:
    far = Far()
    assert far.send(KEY, b"a", timestamp=0, marker=False) == []
    first, second = far.send(OTHER + b"b", timestamp=3000)
    assert (first.data, first.damaged, second.data, second.damaged) == (KEY + b"a", False, OTHER + b"b", False)
    assert (first.key_frame, second.key_frame) == (True, False)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_loss_damages_its_picture(lost: int) -> None:
    far = Far()
    far.send(KEY, timestamp=0)
    found = far.send(OTHER + b"a", b"b", b"c", timestamp=3000, lost=(lost,)) + far.send(OTHER, timestamp=6000)
    assert found[0].damaged
    assert not far.send(KEY, timestamp=9000)[0].damaged


def test_a_lost_picture_damages_what_builds_upon_it() -> None:
    far = Far()
    far.send(KEY, timestamp=0)
    assert far.send(OTHER, timestamp=3000, lost=(0,)) == []
    assert far.send(OTHER, timestamp=6000)[0].damaged
    assert not far.send(OTHER, timestamp=9000)[0].damaged
    assert far.depacketizer.damaged == 1


def test_a_key_frame_after_a_lost_picture_is_whole() -> None:
    far = Far()
    far.send(KEY, timestamp=0)
    far.send(OTHER, timestamp=3000, lost=(0,))
    assert not far.send(KEY + b"x", timestamp=6000)[0].damaged


def test_a_key_frame_without_its_start_is_not() -> None:
    far = Far()
    far.send(KEY, timestamp=0)
    (picture,) = far.send(KEY, b"rest", timestamp=3000, lost=(0,))
    assert (picture.damaged, picture.key_frame) == (True, False)


def test_a_malformed_payload_damages_its_picture() -> None:
    far = Far()
    far.depacketizer.receive(packet(0, b"\x00" + KEY))
    (picture,) = far.depacketizer.receive(packet(1, b"\xff\x00", marker=True))
    assert (picture.data, picture.damaged, far.depacketizer.refused) == (KEY, True, 1)


def test_when_nothing_is_left_the_next_picture_carries_the_news() -> None:
    depacketizer = Depacketizer(read, is_key_frame)
    assert depacketizer.receive(packet(0, b"\xff\x00", marker=True)) == []
    assert depacketizer.receive(packet(1, b"\x00" + OTHER, 3000, marker=True))[0].damaged


def test_padding_is_nothing() -> None:
    depacketizer = Depacketizer(read, is_key_frame)
    assert depacketizer.receive(packet(0, b"", marker=True)) == []
    (picture,) = depacketizer.receive(packet(1, b"\x00" + OTHER, 3000, marker=True))
    assert not picture.damaged


def test_another_stream_starts_afresh() -> None:
    depacketizer = Depacketizer(read, is_key_frame)
    depacketizer.receive(packet(0, b"\x00" + KEY))
    (picture,) = depacketizer.receive(packet(900, b"\x00" + OTHER, marker=True, stream=2))
    assert (picture.data, picture.damaged, picture.stream) == (OTHER, False, 2)


def test_no_picture_is_larger_than_allowed() -> None:
    far = Far(max_size=100)
    (picture,) = far.send(KEY + bytes(60), *[bytes(60)] * 1000, timestamp=0)
    assert len(picture.data) <= 100
    assert picture.damaged


@given(st.binary(min_size=2, max_size=40), st.lists(st.integers(1, 319), max_size=12), st.booleans())
def test_bits_cut_anywhere_come_together(data: bytes, cuts: list[int], shared: bool) -> None:
    whole = 8 * len(data)
    places = sorted({0, whole, *(cut for cut in cuts if cut < whole)})
    joined, spare = bytearray(), 0
    rng = random.Random(len(cuts))
    for begin, end in itertools.pairwise(places):
        octets = bytearray(data[begin // 8 : -(-end // 8)])
        start_bits, end_bits = begin % 8, -end % 8
        if not shared:  # what doesn't belong to a piece may be anything, and stand anywhere
            bits = end - begin
            start_bits = rng.randrange(8)
            end_bits = -(start_bits + bits) % 8
            value = int.from_bytes(data, "big") >> (whole - end) & (1 << bits) - 1
            noise = rng.getrandbits(start_bits) << bits + end_bits | rng.getrandbits(end_bits)
            octets = bytearray((noise | value << end_bits).to_bytes((start_bits + bits + end_bits) // 8, "big"))
        spare = append_bits(joined, spare, Fragment(bytes(octets), start_bits, end_bits))
    assert (bytes(joined), spare) == (data, 0)


def test_after_a_gap_octets_keep_their_place() -> None:
    depacketizer = Depacketizer(read, is_key_frame)
    depacketizer.receive(packet(0, b"\x00" + KEY))
    (picture,) = depacketizer.receive(packet(2, b"\x03\xff\x01", marker=True))
    assert (picture.data, picture.damaged) == (KEY + b"\x1f\x01", True)
