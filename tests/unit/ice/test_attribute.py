"""Attributes: each to the octet, and refusal of what is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from firmware.errors import DecodeError
from firmware.ice import attribute
from firmware.ice.attribute import KNOWN, Attribute, ErrorCode, Field
from firmware.ice.message import Kind, Message

TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
MAPPED6 = "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"  # RFC 5769 2.3

VALUES: dict[str, tuple[Field, str]] = {
    "MAPPED-ADDRESS": (attribute.MAPPED_ADDRESS(("192.0.2.1", 32853)), "0001 8055 c0000201"),
    "XOR-MAPPED-ADDRESS": (attribute.XOR_MAPPED_ADDRESS(("192.0.2.1", 32853)), "0001 a147 e112a643"),
    "XOR of IPv6": (attribute.XOR_MAPPED_ADDRESS(("2001:db8:1234:5678:11:2233:4455:6677", 32853)), MAPPED6),
    "of a link": (attribute.MAPPED_ADDRESS(("fe80::1%eth0", 1)), "0002 0001 fe80" + "00" * 13 + "01"),
    "USERNAME": (attribute.USERNAME("a:ü"), "613ac3bc"),
    "ERROR-CODE": (attribute.ERROR_CODE(ErrorCode(438, "Stale")), "0000 04 26 5374616c65"),
    "UNKNOWN-ATTRIBUTES": (attribute.UNKNOWN_ATTRIBUTES((0x7F00, 2)), "7f00 0002"),
    "PASSWORD-ALGORITHMS": (attribute.PASSWORD_ALGORITHMS((2, 1)), "0002 0000 0001 0000"),
    "CHANNEL-NUMBER": (attribute.CHANNEL_NUMBER(0x4001), "4001 0000"),
    "LIFETIME": (attribute.LIFETIME(600), "00000258"),
    "REQUESTED-TRANSPORT": (attribute.REQUESTED_TRANSPORT(17), "11 000000"),
    "REQUESTED-ADDRESS-FAMILY": (attribute.REQUESTED_ADDRESS_FAMILY(2), "02 000000"),
    "PRIORITY": (attribute.PRIORITY(0x6E0001FF), "6e0001ff"),
    "USE-CANDIDATE": (attribute.USE_CANDIDATE(b""), ""),
    "ICE-CONTROLLED": (attribute.ICE_CONTROLLED(2**64 - 1), "ff" * 8),
}


@pytest.mark.parametrize(("given", "octets"), VALUES.values(), ids=VALUES)
def test_value_to_the_octet(given: Field, octets: str) -> None:
    number, data = given(TRANSACTION)
    assert data == bytes.fromhex(octets)
    KNOWN[number](data, TRANSACTION)


def test_values_are_read() -> None:
    assert attribute.ERROR_CODE.unpack(bytes.fromhex("ffff fc 01 ff"), b"") == ErrorCode(401, "\ufffd")
    assert attribute.UNKNOWN_ATTRIBUTES.unpack(b"\0\1" * 100, b"") == (1,) * attribute.MAX_UNKNOWN
    assert attribute.UNKNOWN_ATTRIBUTES.unpack(b"\0\1\0", b"") == (1,)
    # Parameters of an algorithm that we don't know are skipped by their length, and padded.
    assert attribute.PASSWORD_ALGORITHMS.unpack(bytes.fromhex("0009 0003 616263 00 0002 0000"), b"") == (9, 2)
    assert attribute.PASSWORD_ALGORITHMS.unpack(bytes.fromhex("0009 ffff 0002"), b"") == (9,)
    assert attribute.CHANNEL_NUMBER.unpack(bytes.fromhex("4001 1234"), b"") == 0x4001


WRONG: dict[str, tuple[int, bytes]] = {
    "an address of no family": (0x20, b"\0\3" + bytes(6)),
    "an address of IPv4 as long as one of IPv6": (0x20, b"\0\1" + bytes(18)),
    "an address of IPv6 as short as one of IPv4": (0x01, b"\0\2" + bytes(6)),
    "half an address": (0x20, b"\0\1\0"),
    "no address": (0x12, b""),
    "an address too long": (0x16, bytes(21)),
    "half an error code": (0x09, b"\0\0\4"),
    "an error of success": (0x09, b"\0\0\2\0"),
    "an error of more than 99": (0x09, b"\0\0\4\x64"),
    "a name that is not UTF-8": (0x06, b"\xff"),
    "a name too long": (0x06, b"a" * 514),
    "a nonce too long": (0x15, b"a" * 764),
    "a signature too short": (0x08, bytes(19)),
    "a signature of SHA-256 too long": (0x1C, bytes(33)),
    "a priority too long": (0x24, bytes(5)),
    "a nomination with a value": (0x25, b"x"),
    "a role of four octets": (0x8029, bytes(4)),
}


@pytest.mark.parametrize(("number", "data"), WRONG.values(), ids=WRONG)
def test_what_is_no_value_is_refused(number: int, data: bytes) -> None:
    with pytest.raises(DecodeError):
        KNOWN[number](data, TRANSACTION)


def test_names_and_numbers_are_the_registrys() -> None:
    """Comprehension-optional ones are above 0x8000 (RFC 8489 14)."""
    everything = [each for each in vars(attribute).values() if isinstance(each, Attribute)]
    assert {each.type for each in everything} == set(KNOWN)
    optional = {each.name for each in everything if each.type >= attribute.OPTIONAL}
    assert optional == {
        *("SOFTWARE", "ALTERNATE-SERVER", "FINGERPRINT", "PASSWORD-ALGORITHMS", "ICMP"),
        *("ICE-CONTROLLED", "ICE-CONTROLLING"),
    }


def test_what_a_message_does_not_have_is_none() -> None:
    nothing = Message.of(1, Kind.REQUEST, TRANSACTION)
    getters: list[Callable[[], object]] = [lambda: nothing.get(attribute.USERNAME), lambda: nothing.get(attribute.DATA)]
    assert [get() for get in getters] == [None, None]
    assert not nothing.has(attribute.USE_CANDIDATE)
