"""TPKT packets out of a stream."""

from __future__ import annotations

import random

import pytest

from firmware.h323.tpkt import MAX_PAYLOAD, PacketReader, encode


def test_packet_of_rfc_1006() -> None:
    assert encode(b"\x08\x02") == bytes.fromhex("03 00 00 06 08 02")


def test_payloads_come_out_whatever_the_segments() -> None:
    payloads = [bytes([n]) * n for n in range(1, 60)]
    stream = b"".join(map(encode, payloads))
    rng = random.Random(1)
    for _ in range(50):
        reader, got, rest = PacketReader(), [], stream
        while rest:
            size = rng.randint(1, 90)
            got += reader.receive(rest[:size])
            rest = rest[size:]
        assert got == payloads
        assert len(reader) == 0


def test_packet_without_payload_is_a_sign_of_life_only() -> None:
    assert PacketReader().receive(encode(b"") + encode(b"x") + encode(b"")) == [b"x"]


def test_reserved_octet_is_not_looked_at() -> None:
    assert PacketReader().receive(bytes.fromhex("03 ff 00 05 41")) == [b"A"]


@pytest.mark.parametrize("wrong", ["02 00 00 05 41", "00 00 00 05 41", "03 00 00 03", "03 00 00 00", "474554202f"])
def test_what_is_no_packet_breaks_the_stream_for_good(wrong: str) -> None:
    reader = PacketReader()
    assert reader.receive(encode(b"before") + bytes.fromhex(wrong) + encode(b"after")) == [b"before"]
    assert reader.broken
    assert reader.receive(encode(b"after")) == []
    assert len(reader) == 0


def test_longest_packet() -> None:
    longest = bytes(MAX_PAYLOAD)
    assert PacketReader().receive(encode(longest)) == [longest]
    with pytest.raises(ValueError, match="do not fit"):
        encode(longest + b"x")


def test_bound_of_its_own() -> None:
    reader = PacketReader(max_payload=10)
    assert reader.receive(encode(bytes(10))) == [bytes(10)]
    assert reader.receive(encode(bytes(11))) == []
    assert reader.broken


def test_endless_fragments_keep_no_more_than_one_packet() -> None:
    reader = PacketReader()
    reader.receive(b"\x03\x00\xff\xff")
    for _ in range(MAX_PAYLOAD - 1):
        assert reader.receive(b"x") == []
    assert len(reader) == 0xFFFF - 1
    assert reader.receive(b"xx") == [b"x" * MAX_PAYLOAD]
    assert reader.broken is False
