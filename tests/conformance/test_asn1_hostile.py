"""Damaged and hostile encodings: a DecodeError or a value, after work in proportion to their length."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

import pytest
from conformance.h323_capture import everything
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.asn1 import Type, Value
from firmware.asn1.bits import MAX_ELEMENTS, MAX_OCTETS
from firmware.errors import DecodeError
from firmware.h323.h225 import RAS_MESSAGE, USER_INFORMATION
from firmware.h323.h235_types import CLEAR_TOKEN
from firmware.h323.h245 import MESSAGE, OPEN_LOGICAL_CHANNEL

ROOTS = (RAS_MESSAGE, USER_INFORMATION, MESSAGE, OPEN_LOGICAL_CHANNEL, CLEAR_TOKEN)
CAPTURED = everything()
WORK_FOR_AN_OCTET = 3
"""Calls of Python functions; real messages take about one."""
LITTLE_WORK = 1000


def read(kind: Type, data: bytes) -> Value:
    try:
        return kind.decode(data)
    except DecodeError:
        return None


def calls(what: Callable[[], object]) -> int:
    """How many Python functions are called: work, measured without a clock."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        what()
    finally:
        sys.setprofile(None)
    return count


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Change, cut, repeat or insert something."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(5):
            case 0 if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            case 1:
                del changed[at : at + rng.randint(1, 8)]
            case 2:
                changed[at:at] = rng.randbytes(rng.randint(1, 8))
            case 3:
                changed[at:at] = changed[at : at + rng.randint(1, 60)]
            case _:
                changed[at : at + 2] = rng.choice((b"\xff\xff", b"\xc4\xc4", b"\x00\x00", b"\xbf\xff", b"\x80"))
    return bytes(changed)


@settings(max_examples=300)
@given(st.sampled_from(ROOTS), st.binary(max_size=300))
def test_any_octets(kind: Type, data: bytes) -> None:
    value = read(kind, data)
    if value is not None:
        assert kind.decode(kind.encode(value)) == value, "what was read can be written"


@pytest.mark.parametrize("seed", range(4))
def test_damaged_messages(seed: int) -> None:
    rng = random.Random(seed)
    read_well = 0
    for captured in CAPTURED:
        for _ in range(5):
            data = damaged(captured.data, rng)
            value = read(captured.type, data)
            if value is not None:
                read_well += 1
                assert captured.type.decode(captured.type.encode(value)) == value
    assert 0 < read_well < 5 * len(CAPTURED)


def test_every_message_cut_everywhere() -> None:
    for captured in {captured.data: captured for captured in CAPTURED}.values():
        for length in range(0, len(captured.data), max(1, len(captured.data) // 40)):
            with pytest.raises(DecodeError):
                captured.type.decode(captured.data[:length])


@pytest.mark.parametrize("kind", ROOTS, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "pattern", ["00", "ff", "c4", "c1", "bfff", "55", "aa", "80", "0100", "7f", "40", "ffff00", "c400", "20", "ffc1"]
)
def test_work_is_bounded(kind: Type, pattern: str) -> None:
    data = (bytes.fromhex(pattern) * MAX_OCTETS)[:MAX_OCTETS]
    read(kind, data[:100])
    assert calls(lambda: read(kind, data)) < LITTLE_WORK


def test_list_without_end() -> None:
    """As many tunnelled H.245 messages of no octets as are taken, and one more."""
    for count, taken in ((MAX_ELEMENTS, True), (MAX_ELEMENTS + 1, False)):
        pdu = {"h323-message-body": ("empty", None), "h245Tunnelling": True, "h245Control": [b""] * count}
        data = USER_INFORMATION.encode({"h323-uu-pdu": pdu})
        assert (read(USER_INFORMATION, data) is not None) == taken
        assert calls(lambda data=data: read(USER_INFORMATION, data)) < LITTLE_WORK + WORK_FOR_AN_OCTET * len(data)


def test_work_grows_with_the_length() -> None:
    rng = random.Random(1)
    for kind in ROOTS:
        for _ in range(30):
            data = rng.randbytes(4000)
            read(kind, data)
            assert calls(lambda kind=kind, data=data: read(kind, data)) < LITTLE_WORK + WORK_FOR_AN_OCTET * 4000


def test_nesting_costs_nothing() -> None:
    """H.225.0's generic parameters, each within the other many times over."""
    value: Value = [{"id": ("standard", 1)}]
    for _ in range(40):
        value = [{"id": ("standard", 1), "content": ("nested", [{"id": ("standard", 1), "parameters": value}])}]
    pdu = {
        "h323-message-body": ("empty", None),
        "h245Tunnelling": False,
        "genericData": [{"id": ("standard", 1), "parameters": value}],
    }
    data = USER_INFORMATION.encode({"h323-uu-pdu": pdu})
    with pytest.raises(DecodeError, match="within themselves"):
        USER_INFORMATION.decode(data)
    assert calls(lambda: read(USER_INFORMATION, data)) < LITTLE_WORK


def test_too_long_a_message() -> None:
    with pytest.raises(DecodeError, match="octets are more than"):
        MESSAGE.decode(bytes(MAX_OCTETS + 1))
