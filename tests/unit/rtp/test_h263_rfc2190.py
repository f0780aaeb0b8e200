"""H.263 payloads of RFC 2190: modes A, B and C, and what libav's encoder puts into them."""

from __future__ import annotations

import random

import pytest
from card_pictures import counters, encode, hostile, packets, receive

from firmware.errors import DecodeError, LocalProtocolError
from firmware.media.encoder import Encoded
from firmware.rtp import h263, h263_rfc2190
from firmware.rtp.h263_rfc2190 import Macroblock, macroblocks, packetize, read
from firmware.rtp.picture import Fragment

PICTURE = b"\x00\x00\x80\x02\x0c\x00\x01\x01"
"""A picture header of CIF, INTRA."""
GOB = b"\x00\x00\x88"


def payloads_of(encoded: Encoded) -> list[bytes]:
    return packetize(encoded.data, macroblocks(encoded.hints))


def test_mode_a() -> None:
    first, second = PICTURE + b"a" * 6, GOB + b"b" * 10
    # F, P, SBIT, EBIT 0; SRC 3 (CIF), I 0 (INTRA)
    assert packetize(first + second, [], 18) == [b"\x00\x60\x00\x00" + first, b"\x00\x60\x00\x00" + second]
    inter = PICTURE[:4] + b"\x0e\x00ab"
    assert packetize(inter, [])[0][:4] == b"\x00\x70\x00\x00"


def test_mode_b_where_a_gob_is_too_large() -> None:
    coded = PICTURE + bytes(range(1, 29))
    blocks = [
        Macroblock(8 * 12, 9, 0, 3, 0, 0),
        Macroblock(8 * 15 + 3, 10, 1, 17, -3, 5),
        Macroblock(8 * 30, 1, 2, 1, 0, 0),
    ]
    first, second, third = packetize(coded, blocks, 24)
    assert first == bytes([5, 0x60, 0, 0]) + coded[:16]  # EBIT 5
    # F; SBIT 3; SRC 3, QUANT 10; GOBN 1, MBA 17, R | I, U, S, A 0; HMV1 -3, VMV1 5.
    assert second[:8] == int(
        "1 0 011 000 011 01010 00001 000010001 00 0000 1111101 0000101".replace(" ", "") + "0" * 14, 2
    ).to_bytes(8, "big")
    assert (second[8:], third[8:]) == (coded[15:30], coded[30:])
    assert [read(payload) for payload in (first, second)] == [Fragment(coded[:16], 0, 5), Fragment(coded[15:30], 3, 0)]


def test_a_gob_start_is_preferred() -> None:
    first, second = PICTURE + b"a" * 6, GOB + b"b" * 10
    assert len(packetize(first + second, [Macroblock(8 * 15, 1, 0, 1, 0, 0)], 20)[0]) == 4 + len(first)


@pytest.mark.parametrize("coded", [b"", PICTURE[:5], GOB + bytes(9), b"\x00\x00\x80\x02\x1c" + bytes(9)])
def test_what_is_no_picture_of_version_1(coded: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        packetize(coded, [])


def test_a_gob_without_boundaries_cant_be_sent() -> None:
    with pytest.raises(LocalProtocolError, match="boundary"):
        packetize(PICTURE + b"a" * 30, [], 20)


def test_what_the_encoder_tells() -> None:
    told = bytes.fromhex("d2040000 05 02 0700 fe 03 00 00") + b"cut"
    assert macroblocks(told) == [Macroblock(1234, 5, 2, 7, -2, 3)]


@pytest.mark.parametrize(
    ("payload", "fragment"),
    [
        (b"\x00\x60\x00\x00a", Fragment(b"a")),
        (b"\x0a\x60\x00\x00abc", Fragment(b"abc", 1, 2)),
        (b"\x40\x60\x00\x00a", Fragment(b"a")),  # mode A with PB-frames, as P without F would say
        (b"\x9a\x60\x00\x00\x00\x00\x00\x00ab", Fragment(b"ab", 3, 2)),
        (b"\xc0\x60" + bytes(10) + b"a", Fragment(b"a")),
        (b"\x04\x00\x80\x02\x0c\x00", Fragment(b"\x00\x00\x80\x02\x0c\x00")),  # RFC 4629 under this name
    ],
)
def test_headers(payload: bytes, fragment: Fragment) -> None:
    assert read(payload) == fragment


@pytest.mark.parametrize(
    "payload", [b"", b"\x00\x60\x00\x00", b"\x80\x60" + bytes(6), b"\xc0\x60" + bytes(10), b"\x24\x60\x00\x00a"]
)
def test_payloads_that_lie(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        read(payload)


@pytest.mark.parametrize(
    ("width", "height", "bitrate", "modes"),
    [
        (176, 144, 64_000, {0}),
        (352, 288, 96_000, {0}),
        (352, 288, 3_000_000, {0, 1}),
        (704, 576, 2_000_000, {0, 1}),
        (1408, 1152, 4_000_000, {0, 1}),
    ],
)
def test_the_picture_comes_through(width: int, height: int, bitrate: int, modes: set[int]) -> None:
    coded = encode("H263", width, height, bitrate, key_frames=(6,))
    payloads = [payloads_of(picture) for picture in coded]
    assert max(len(payload) for each in payloads for payload in each) <= h263.MAX_PAYLOAD
    assert {payload[0] >> 7 for each in payloads for payload in each} == modes
    pictures = receive(h263_rfc2190.depacketizer(), packets(payloads))
    assert [picture.data for picture in pictures] == [picture.data for picture in coded]
    assert not any(picture.damaged for picture in pictures)
    assert [number for number, picture in enumerate(pictures) if picture.key_frame] == [0, 6]
    if width >= 352:
        assert counters("h263", (picture.data for picture in pictures)) == list(range(12))


def test_loss_damages_and_a_key_frame_heals() -> None:
    coded = encode("H263", 352, 288, 1_500_000, key_frames=(8,))
    sent = packets([payloads_of(picture) for picture in coded])
    del sent[next(place for place, packet in enumerate(sent) if packet.timestamp == 4 * 3_000) + 1]
    pictures = receive(h263_rfc2190.depacketizer(), sent)
    assert [picture.timestamp // 3_000 for picture in pictures if picture.damaged] == [4]
    read_out = counters("h263", (picture.data for picture in pictures))
    assert (read_out[:4], read_out[8:]) == ([0, 1, 2, 3], [8, 9, 10, 11])


def test_nonsense_never_raises() -> None:
    rng = random.Random(5)
    valid = [payload for picture in encode("H263", 352, 288, 2_000_000, 3) for payload in payloads_of(picture)]
    depacketizer = h263_rfc2190.depacketizer()
    pictures = receive(depacketizer, packets([[payload] for payload in hostile(rng, valid, 4_000)]))
    assert depacketizer.refused > 50
    counters("h263", (picture.data for picture in pictures[:400]))
