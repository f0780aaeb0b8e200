"""Encrypted payloads: known answers, every length, and packets that are not what they seem."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.rtp.h235 import BLOCK, PayloadCipher
from firmware.rtp.packet import HEADER_SIZE, Packet

KEY = bytes(range(16))
WIRE, MEDIA = 104, 0
WORDS = b"I would like the General Gau's Chicken, please, and wonton soup."
"""RFC 3962 appendix B."""


def packet(payload: bytes, payload_type: int = MEDIA, sequence: int = 0, timestamp: int = 0) -> bytes:
    return Packet(payload_type, True, sequence, timestamp, 7, payload).encode()


@pytest.fixture
def cipher() -> PayloadCipher:
    return PayloadCipher(KEY, WIRE, MEDIA)


@pytest.mark.parametrize(
    ("length", "encrypted"),
    [
        (17, "c6353568f2bf8cb4d8a580362da7ff7f97"),
        (31, "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5"),
        (47, "97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98ebf5"),
    ],
)
def test_ciphertext_stealing_as_others_do_it(length: int, encrypted: str) -> None:
    # RFC 3962 appendix B, whose vector is zero as is that of sequence number and timestamp 0.
    cipher = PayloadCipher(b"chicken teriyaki", WIRE, MEDIA)
    assert cipher.decrypt(packet(bytes.fromhex(encrypted), WIRE)) == packet(WORDS[:length])


def test_whole_blocks_as_others_do_them() -> None:
    # RFC 3962 appendix B exchanges the last two blocks, which H.235.6 does not where they are whole.
    cipher = PayloadCipher(b"chicken teriyaki", WIRE, MEDIA)
    expected = "97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a8"
    assert cipher.encrypt(packet(WORDS[:32])) == packet(bytes.fromhex(expected), WIRE)


@pytest.mark.parametrize(
    ("key", "encrypted"),
    [
        ("000102030405060708090a0b0c0d0e0f", "69c4e0d86a7b0430d8cdb78070b4c55a"),
        (
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "8ea2b7ca516745bfeafc49904b496089",
        ),
    ],
)
def test_sequence_number_and_timestamp_are_the_vector(key: str, encrypted: str) -> None:
    # FIPS 197 appendix C: what is encrypted is the payload xor the vector.
    block = bytes.fromhex("00112233445566778899aabbccddeeff")
    vector = bytes.fromhex("12349abcdef0" * 3)[:16]
    payload = bytes(a ^ b for a, b in zip(block, vector, strict=True))
    cipher = PayloadCipher(bytes.fromhex(key), WIRE, MEDIA)
    sent = cipher.encrypt(packet(payload, sequence=0x1234, timestamp=0x9ABCDEF0))
    assert sent[HEADER_SIZE:].hex() == encrypted


@given(
    st.binary(max_size=100),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.lists(st.integers(0, 0xFFFFFFFF), max_size=15).map(tuple),
)
def test_what_is_encrypted_comes_back(
    payload: bytes, sequence: int, timestamp: int, contributors: tuple[int, ...]
) -> None:
    cipher = PayloadCipher(KEY, WIRE, MEDIA)
    clear = Packet(MEDIA, False, sequence, timestamp, 7, payload, contributors).encode()
    sent = cipher.encrypt(clear)
    assert cipher.decrypt(sent) == clear
    start = HEADER_SIZE + 4 * len(contributors)
    assert (len(sent) - start) % BLOCK == 0
    assert sent[2:start] == clear[2:start]
    assert sent[1] & 0x7F == WIRE
    assert len(payload) < 4 or payload not in sent


def test_padding_is_said_and_counted(cipher: PayloadCipher) -> None:
    assert cipher.encrypt(packet(bytes(20)))[0] & 0x20
    assert not cipher.encrypt(packet(bytes(32)))[0] & 0x20


def test_an_extension_of_the_header_stays_in_the_clear(cipher: PayloadCipher) -> None:
    sent = cipher.encrypt(packet(b"sixteen octets!!"))
    extension = bytes.fromhex("bede0001aabbccdd")
    received = cipher.decrypt(bytes([sent[0] | 0x10]) + sent[1:HEADER_SIZE] + extension + sent[HEADER_SIZE:])
    assert received is not None
    assert Packet.decode(received).payload == b"sixteen octets!!"


def test_another_payload_type_is_another_stream(cipher: PayloadCipher) -> None:
    assert cipher.decrypt(packet(bytes(32))) is None
    assert cipher.decrypt(packet(bytes(32), WIRE + 1)) is None


def test_a_wrong_key_gives_noise_or_nothing(cipher: PayloadCipher) -> None:
    other = PayloadCipher(bytes(16), WIRE, MEDIA)
    received = cipher.decrypt(other.encrypt(packet(bytes(64))))
    assert received is not None
    assert Packet.decode(received).payload != bytes(64)


def test_a_replayed_packet_is_the_same_again(cipher: PayloadCipher) -> None:
    sent = cipher.encrypt(packet(b"sound" * 9, sequence=5))
    assert cipher.decrypt(sent) == cipher.decrypt(sent) == packet(b"sound" * 9, sequence=5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        bytes.fromhex("80 68 0001 00000002 000000"),  # a header less an octet
        bytes.fromhex("40 68 0001 00000002 00000003") + bytes(16),  # version 1
        bytes.fromhex("8f 68 0001 00000002 00000003") + bytes(16),  # contributors that are not there
        bytes.fromhex("90 68 0001 00000002 00000003 bede"),  # an extension that is not there
        bytes.fromhex("90 68 0001 00000002 00000003 bedeffff") + bytes(16),
        bytes.fromhex("a0 68 0001 00000002 00000003"),  # padding of nothing
        bytes.fromhex("a0 68 0001 00000002 00000003") + bytes(17),  # padded to no whole block
        bytes.fromhex("80 68 0001 00000002 00000003") + bytes(15),  # nothing to steal from
    ],
    ids=lambda data: data.hex(),
)
def test_what_is_not_encrypted_so_is_none(cipher: PayloadCipher, data: bytes) -> None:
    assert cipher.decrypt(data) is None


def test_truncated_packets_are_packets_or_none(cipher: PayloadCipher) -> None:
    sent = cipher.encrypt(packet(bytes(range(100))))
    for length in range(len(sent)):
        received = cipher.decrypt(sent[:length])
        if received is not None:
            Packet.decode(received)


@given(st.binary(max_size=80))
def test_chance_never_raises(tail: bytes) -> None:
    cipher = PayloadCipher(KEY, WIRE, MEDIA)
    rng = random.Random(tail)
    cipher.decrypt(tail)
    cipher.decrypt(bytes([0x80 | rng.getrandbits(6), WIRE]) + tail)


@pytest.mark.parametrize(("key", "wire"), [(b"short", 104), (bytes(17), 104), (KEY, 128), (KEY, -1)])
def test_what_makes_no_cipher(key: bytes, wire: int) -> None:
    with pytest.raises(ValueError, match=r"AES has no keys|payload types"):
        PayloadCipher(key, wire, MEDIA)


def test_the_key_is_not_shown(cipher: PayloadCipher) -> None:
    assert KEY.hex() not in repr(cipher)
    assert repr(KEY) not in repr(cipher)
