"""STUN and channels in a stream."""

from __future__ import annotations

import random

import pytest

from firmware.errors import DecodeError
from firmware.ice import channel_data
from firmware.ice.framing import MAX_MESSAGE, FrameReader, frame
from firmware.ice.message import BINDING, Kind, Message

BINDING_REQUEST = Message.of(BINDING, Kind.REQUEST, bytes(12)).encode()
MESSAGES = [
    BINDING_REQUEST,
    *(channel_data.encode(0x4001, bytes(length)) for length in (0, 1, 2, 3, 4, 1500)),
    channel_data.encode(0x4FFF, b"last"),
    BINDING_REQUEST,
]
STREAM = b"".join(map(frame, MESSAGES))


def test_to_the_octet() -> None:
    assert frame(b"\x40\x01\0\1a") == b"\x40\x01\0\1a\0\0\0"
    assert frame(BINDING_REQUEST) == BINDING_REQUEST


@pytest.mark.parametrize("size", [1, 2, 3, 5, 19, 20, 21, 1000, len(STREAM)])
def test_messages_come_whole_however_they_were_cut(size: int) -> None:
    reader = FrameReader()
    found: list[bytes] = []
    for start in range(0, len(STREAM), size):
        found += reader.receive(STREAM[start : start + size])
    assert found == MESSAGES


@pytest.mark.parametrize("size", [1, 7, 4096, 100_000])
@pytest.mark.parametrize("head", [b"\x40\x01\xff\xff", b"\0\x17\xff\xfc\x21\x12\xa4\x42" + bytes(12)])
def test_what_is_too_long_is_passed_over(size: int, head: bytes) -> None:
    length = 65_535 + 4 if head[0] else 65_532 + 20
    stream = frame(head + bytes(length - len(head))) + BINDING_REQUEST
    reader = FrameReader()
    assert reader.receive(BINDING_REQUEST) == [BINDING_REQUEST]
    found: list[bytes] = []
    for start in range(0, len(stream), size):
        found += reader.receive(stream[start : start + size])
        assert len(reader._data) <= MAX_MESSAGE + size
    assert found == [BINDING_REQUEST]


@pytest.mark.parametrize(
    "junk",
    [
        b"\x80",
        b"\xff" * 20,
        b"\x50\0\0\0",
        b"\0\1\0\1\x21\x12\xa4\x42",
        b"\0\1\0\0\x21\x12\xa4\x43" + bytes(12),
        b"\x16\x03\x01\0\x2a\1\0\0",
    ],
)
def test_what_is_no_turn_ends_it(junk: bytes) -> None:
    reader = FrameReader()
    assert reader.receive(BINDING_REQUEST) == [BINDING_REQUEST]
    with pytest.raises(DecodeError):
        reader.receive(junk)


@pytest.mark.parametrize("junk", [b"HTTP/1.1 400 Bad Request\r\n", b"SSH-2.0", MESSAGES[5]])
def test_it_begins_with_stun(junk: bytes) -> None:
    with pytest.raises(DecodeError):
        FrameReader().receive(junk)


def test_anything_is_either_taken_or_refused() -> None:
    rng = random.Random(4)
    for _ in range(2000):
        reader = FrameReader()
        try:
            for message in reader.receive(rng.randbytes(rng.randrange(200))):
                assert len(message) >= 4
        except DecodeError:
            pass
