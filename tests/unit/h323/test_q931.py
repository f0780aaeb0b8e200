"""Q.931 messages as H.225.0 uses them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError
from firmware.h323.q931 import LENGTHS, Element, Message, MessageType, decode

HEAD = bytes.fromhex("08 02 12 34 05")


def message(*elements: str) -> bytes:
    return HEAD + b"".join(map(bytes.fromhex, elements))


def test_wire_form() -> None:
    setup = Message(
        MessageType.SETUP,
        0x1234,
        False,
        {Element.DISPLAY: b"bob\0", Element.BEARER_CAPABILITY: bytes.fromhex("8893a5")},
        b"\x20\x00",
    )
    octets = message("04 03 8893a5", "28 04 626f6200", "7e 0003 05 2000")
    assert setup.encode() == octets
    assert decode(octets) == setup


def test_flag_says_who_sends() -> None:
    answer = Message(MessageType.CONNECT, 0x1234, True)
    assert answer.encode() == bytes.fromhex("08 02 92 34 07")
    assert decode(answer.encode()) == answer


def test_elements_stand_in_ascending_order() -> None:
    elements = {Element.SIGNAL: b"\x01", Element.CAUSE: b"\x80\x90", Element.PROGRESS_INDICATOR: b"\x81\x88"}
    assert Message(1, 1, False, elements).encode()[5:].hex(" ") == "08 02 80 90 1e 02 81 88 34 01 01"


def test_user_information_of_more_than_255_octets() -> None:
    long = Message(MessageType.SETUP, 1, False, {}, bytes(3000))
    assert long.encode()[5:9] == bytes.fromhex("7e 0bb9 05")
    assert decode(long.encode()).user_information == bytes(3000)


def test_user_user_of_another_protocol_is_none() -> None:
    assert decode(message("7e 0003 04 2000")).user_information is None
    assert decode(message("7e 0000")).user_information is None


@pytest.mark.parametrize(
    "unknown",
    ["42 02 0102", "96 28 01 41", "9f 28 01 41", "c0", "28 00 28 01 41", "14 02 0102", "1e 01 81"],
    ids=["identifier", "locked codeset", "next codeset", "one octet", "twice", "too long", "too short"],
)
def test_unknown_or_unfit_elements_are_passed_over(unknown: str) -> None:
    got = decode(message(unknown))
    assert got.elements in ({}, {Element.DISPLAY: b""})


def test_shifts_end() -> None:
    # Q.931 4.5.3, 4.5.4: non-locking for one element, locking until the next shift.
    assert decode(message("9e 28 01 41", "28 01 42")).elements == {Element.DISPLAY: b"B"}
    assert decode(message("96 28 01 41", "28 01 42")).elements == {}
    assert decode(message("96 28 01 41", "90 28 01 42")).elements == {Element.DISPLAY: b"B"}


def test_user_user_of_another_codeset_has_one_octet_of_length() -> None:
    assert decode(message("9e 7e 02 05 41", "28 01 42")).elements == {Element.DISPLAY: b"B"}


def test_single_octet_elements() -> None:
    got = decode(message("a1", "b3", "d2", "28 01 41"))
    assert got.elements == {
        Element.SENDING_COMPLETE: b"",
        Element.CONGESTION_LEVEL: b"\x03",
        Element.REPEAT_INDICATOR: b"\x02",
        Element.DISPLAY: b"A",
    }
    assert decode(got.encode()) == got


@pytest.mark.parametrize(
    "wrong",
    ["", "08", "08021234", "0902123405", "0801123405", "0803123456 05", "0800 05 00 00"],
    ids=["empty", "one", "no type", "discriminator", "reference of 1", "reference of 3", "reference of 0"],
)
def test_what_is_no_message(wrong: str) -> None:
    with pytest.raises(DecodeError):
        decode(bytes.fromhex(wrong))


@pytest.mark.parametrize("lie", ["28 05 41", "28", "7e", "7e 00", "7e 0005 05", "7e ffff 05 00", "9e 7e ff 05"])
def test_lengths_that_lie(lie: str) -> None:
    with pytest.raises(DecodeError, match="past the end"):
        decode(message(lie))


@pytest.mark.parametrize(("element", "bounds"), LENGTHS.items())
def test_lengths_are_kept(element: Element, bounds: tuple[int, int]) -> None:
    for length in {bounds[0], min(bounds[1], 255)} - {0}:
        if element is not Element.USER_USER:
            octets = Message(1, 1, False, {element: bytes(length)}).encode()
            assert decode(octets).elements == {element: bytes(length)}
    if bounds[0]:
        with pytest.raises(ValueError, match=element.name):
            Message(1, 1, False, {element: b""}).encode()


def test_too_long_user_information() -> None:
    with pytest.raises(ValueError, match="USER_USER"):
        Message(1, 1, False, {}, bytes(0xFFFF)).encode()


@given(st.binary(max_size=200))
def test_whatever_comes(octets: bytes) -> None:
    for data in (octets, HEAD + octets):
        try:
            got = decode(data)
        except DecodeError:
            continue
        assert decode(got.encode()) == got


def test_damaged_messages() -> None:
    rng = random.Random(2)
    whole = message("04 03 8893a5", "28 04 626f6200", "6c 05 0180333030", "7e 0006 05 2000 414243")
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            decode(bytes(damaged[: rng.randint(0, len(damaged))]))
        except DecodeError:
            continue
