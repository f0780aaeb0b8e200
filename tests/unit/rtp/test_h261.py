"""H.261 payloads of RFC 4587, and what libav's encoder puts into them."""

from __future__ import annotations

import random

import pytest
from card_pictures import counters, encode, hostile, packets, receive
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError, LocalProtocolError
from firmware.rtp import h261
from firmware.rtp.h261 import is_key_frame, packetize, read, starts
from firmware.rtp.picture import Fragment


def bits(text: str) -> bytes:
    """Octets of bits, filled up with 0."""
    text = text.replace(" ", "")
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


PICTURE = "0000000000000001 0000 00000 000111 0"
"""A picture header of CIF."""


def group(number: int) -> str:
    return f"0000000000000001 {number:04b} 00101 0"


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(0, 7))
def test_start_codes_at_any_bit(gaps: list[int], before: int) -> None:
    text, places = "1" * before, []
    for gap in gaps:
        places.append(len(text))
        text += "0" * 15 + "1" * gap
    data = bits(text + "1" * (-len(text) % 8))
    assert starts(data) == places


def test_start_codes_have_a_bound() -> None:
    assert starts(bytes(1000)) == []
    assert len(starts(bits("0000000000000001" * 1000))) == h261.MAX_STARTS


def test_a_small_picture_is_one_packet() -> None:
    coded = bits(PICTURE + group(1) + group(2))
    # RFC 4587 4.1: SBIT and EBIT 0, I 0, V 1, all else 0 before a picture or group.
    assert packetize(coded) == [b"\x01\x00\x00\x00" + coded]


def test_packets_begin_at_groups_that_fit() -> None:
    first, second = PICTURE + group(1) + "11011" * 20, group(2) + "11011" * 20
    coded = bits(first + second)
    one, other = packetize(coded, max_payload=26)
    cut = len((first).replace(" ", ""))
    assert cut % 8
    assert one == bytes([-cut % 8 << 2 | 1, 0, 0, 0]) + coded[: -(-cut // 8)]
    assert other == bytes([cut % 8 << 5 | 1, 0, 0, 0]) + coded[cut // 8 :]


@pytest.mark.parametrize("coded", [b"", b"\x00\x01", bits(group(1) * 3), bits("1" + PICTURE + group(1)), bits(PICTURE)])
def test_what_is_no_picture(coded: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        packetize(coded)


@pytest.mark.parametrize("rest", ["0" * 400, "1 01 1", "1 0001" + "1" * 400])
def test_a_large_group_that_makes_no_sense_cant_be_sent(rest: str) -> None:
    with pytest.raises(LocalProtocolError):
        packetize(bits(PICTURE + group(1) + rest.ljust(500, "1")), max_payload=30)


@pytest.mark.parametrize(
    ("payload", "fragment"),
    [
        (b"\x01\x00\x00\x00a", Fragment(b"a")),
        (b"\x71\x00\x00\x00ab", Fragment(b"ab", 3, 4)),
        (b"\x01\xff\xff\xffa", Fragment(b"a")),
    ],
)
def test_headers(payload: bytes, fragment: Fragment) -> None:
    assert read(payload) == fragment


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x01\x00\x00\x00", b"\x70\x00\x00", b"\x91\x00\x00\x00a"])
def test_payloads_that_lie(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        read(payload)


def test_key_frames() -> None:
    intra, inter = encode("H261", 352, 288, 200_000, 2)
    assert (is_key_frame(intra.data), is_key_frame(inter.data)) == (True, False)
    assert is_key_frame(intra.data[5:]) is None
    assert is_key_frame(b"\x00\x01") is None
    # Where nobody says that a freeze may end, the macroblocks tell.
    silent = bytearray(intra.data)
    assert silent[3] & 0x10
    silent[3] &= 0xEF
    assert is_key_frame(bytes(silent))
    assert not is_key_frame(bytes(silent)[: len(silent) // 2])


@pytest.mark.parametrize(
    ("width", "height", "bitrate"),
    [(176, 144, 64_000), (176, 144, 1_920_000), (352, 288, 384_000), (352, 288, 1_920_000)],
)
def test_the_picture_comes_through(width: int, height: int, bitrate: int) -> None:
    coded = encode("H261", width, height, bitrate, key_frames=(6,))
    payloads = [packetize(picture.data) for picture in coded]
    assert max(len(payload) for each in payloads for payload in each) <= h261.MAX_PAYLOAD
    pictures = receive(h261.depacketizer(), packets(payloads))
    assert [picture.data for picture in pictures] == [picture.data for picture in coded]
    assert not any(picture.damaged for picture in pictures)
    assert [number for number, picture in enumerate(pictures) if picture.key_frame] == [0, 6]
    if width >= 352:
        assert counters("h261", (picture.data for picture in pictures)) == list(range(12))


def test_loss_damages_and_a_key_frame_heals() -> None:
    coded = encode("H261", 352, 288, 1_500_000, key_frames=(8,))
    sent = packets([packetize(picture.data) for picture in coded])
    del sent[next(place for place, packet in enumerate(sent) if packet.timestamp == 4 * 3_000) + 1]
    pictures = receive(h261.depacketizer(), sent)
    assert [picture.timestamp // 3_000 for picture in pictures if picture.damaged] == [4]
    read_out = counters("h261", (picture.data for picture in pictures))
    assert (read_out[:4], read_out[8:]) == ([0, 1, 2, 3], [8, 9, 10, 11])


def test_nonsense_never_raises() -> None:
    rng = random.Random(4)
    valid = [payload for picture in encode("H261", 352, 288, 1_500_000, 3) for payload in packetize(picture.data)]
    depacketizer = h261.depacketizer()
    pictures = receive(depacketizer, packets([[payload] for payload in hostile(rng, valid, 4_000)]))
    assert depacketizer.refused > 50
    counters("h261", (picture.data for picture in pictures[:400]))
