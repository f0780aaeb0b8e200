"""H.263 payloads of RFC 4629, and what libav's encoder puts into them."""

from __future__ import annotations

import random

import pytest
from card_pictures import counters, encode, hostile, packets, receive

from firmware.errors import DecodeError
from firmware.rtp import h263
from firmware.rtp.h263 import is_key_frame, packetize, read, starts
from firmware.rtp.picture import Fragment

PICTURE, GOB = b"\x00\x00\x80\x02\x0c", b"\x00\x00\x88"
"""A picture header of CIF, INTRA, and a GOB start."""


def test_start_codes() -> None:
    assert list(starts(PICTURE + b"\x01" + GOB + b"\x00\x00\x00\x80")) == [0, 6, 10]
    assert list(starts(b"\x00\x00\x7f\x00\x00")) == []


def test_a_small_picture_is_one_packet_without_its_zeros() -> None:
    assert packetize(PICTURE + b"abc" + GOB + b"d") == [b"\x04\x00" + PICTURE[2:] + b"abc" + GOB + b"d"]


def test_packets_begin_at_gobs_that_fit() -> None:
    first, second, third = PICTURE + b"a" * 5, GOB + b"b" * 6, GOB + b"c" * 6
    assert packetize(first + second + third, max_payload=20) == [
        b"\x04\x00" + (first + second)[2:],
        b"\x04\x00" + third[2:],
    ]


def test_a_large_gob_goes_on_in_the_next_packet() -> None:
    coded = PICTURE + bytes(range(1, 40)) + GOB + b"d"
    payloads = packetize(coded, max_payload=20)
    assert [payload[0] for payload in payloads] == [4, 0, 0]
    assert max(map(len, payloads)) == 20
    assert b"".join(read(payload).data for payload in payloads) == coded


@pytest.mark.parametrize(
    ("payload", "data"),
    [
        (b"\x04\x00\x80ab", b"\x00\x00\x80ab"),
        (b"\x00\x00ab", b"ab"),
        (b"\x06\x00\x15\x80a", b"\x00\x00\x80a"),  # V: a video redundancy code
        (b"\x04\x28hhhhh\x88a", b"\x00\x00\x88a"),  # PLEN 5: a picture header again
        (b"\xfc\x00\x80", b"\x00\x00\x80"),  # RR is to be ignored
    ],
)
def test_headers(payload: bytes, data: bytes) -> None:
    assert read(payload) == Fragment(data)


@pytest.mark.parametrize("payload", [b"", b"\x04", b"\x04\x00", b"\x06\x00a", b"\x05\xf8" + bytes(62)])
def test_payloads_that_lie(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        read(payload)


def test_picture_types() -> None:
    intra, inter = encode("H263-1998", 176, 144, 200_000, 2)
    assert (is_key_frame(intra.data), is_key_frame(inter.data)) == (True, False)
    assert is_key_frame(GOB + bytes(9)) is None
    assert is_key_frame(PICTURE) is None


@pytest.mark.parametrize(("ufep", "coding", "key_frame"), [(1, 0, True), (1, 1, False), (0, 0, True), (0, 2, False)])
def test_picture_types_of_version_2(ufep: int, coding: int, key_frame: bool) -> None:
    # H.263 5.1: PSC (22), TR (8), "10000" and source format 111, UFEP (3), OPPTYPE (18) where UFEP is 1, MPPTYPE (9).
    bits = f"{0x20:022b}{7:08b}10000111{ufep:03b}" + "1" * 18 * ufep + f"{coding:03b}" + "000001"
    coded = int(bits.ljust(96, "0"), 2).to_bytes(12, "big")
    assert is_key_frame(coded) is key_frame


@pytest.mark.parametrize(
    ("width", "height", "bitrate"), [(128, 96, 64_000), (352, 288, 384_000), (704, 576, 2_000_000)]
)
def test_the_picture_comes_through(width: int, height: int, bitrate: int) -> None:
    coded = encode("H263-1998", width, height, bitrate, key_frames=(6,))
    payloads = [packetize(picture.data) for picture in coded]
    assert max(len(payload) for each in payloads for payload in each) <= h263.MAX_PAYLOAD
    pictures = receive(h263.depacketizer(), packets(payloads))
    assert [picture.data for picture in pictures] == [picture.data for picture in coded]
    assert not any(picture.damaged for picture in pictures)
    assert [number for number, picture in enumerate(pictures) if picture.key_frame] == [0, 6]
    if width >= 352:  # below, the counter's bars are thinner than pixels
        assert counters("h263", (picture.data for picture in pictures)) == list(range(12))


def test_loss_damages_and_a_key_frame_heals() -> None:
    coded = encode("H263-1998", 352, 288, 1_000_000, key_frames=(8,))
    sent = packets([packetize(picture.data) for picture in coded])
    del sent[next(place for place, packet in enumerate(sent) if packet.timestamp == 4 * 3_000) + 1]
    pictures = receive(h263.depacketizer(), sent)
    assert [picture.timestamp // 3_000 for picture in pictures if picture.damaged] == [4]
    read_out = counters("h263", (picture.data for picture in pictures))
    assert (read_out[:4], read_out[8:]) == ([0, 1, 2, 3], [8, 9, 10, 11])


def test_nonsense_never_raises() -> None:
    rng = random.Random(3)
    valid = [payload for picture in encode("H263-1998", 352, 288, 384_000, 3) for payload in packetize(picture.data)]
    depacketizer = h263.depacketizer()
    pictures = receive(depacketizer, packets([[payload] for payload in hostile(rng, valid, 4_000)]))
    assert depacketizer.refused > 50
    counters("h263", (picture.data for picture in pictures[:400]))
