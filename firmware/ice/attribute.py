"""The attributes of STUN messages (RFC 8489 14, RFC 8445 16.1, RFC 8656 18): what each holds, to the octet.

Rule 1: an `Attribute` called with a value gives what a message is made of; asked of a message, it gives the value.
Rule 2: what we act on is in `KNOWN` and is checked when a message is read; anything else is its number and no more.
Rule 3: numbers below 0x8000 must be understood by whoever reads them (RFC 8489 14: comprehension-required).
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from firmware.errors import DecodeError
from firmware.sansio import Address

MAGIC_COOKIE: Final = 0x2112A442
"""RFC 8489 5."""
OPTIONAL: Final = 0x8000
"""From here on a reader may ignore what it does not know (RFC 8489 14)."""
MAX_TEXT: Final = 763
"""Octets of a text of 127 characters (RFC 8489 14.8 to 14.14); USERNAME has fewer."""
MAX_UNKNOWN: Final = 32
"""Numbers of one UNKNOWN-ATTRIBUTES that are read."""

_FAMILIES: Final = {1: 4, 2: 16}
"""Octets of an address by family: IPv4, IPv6 (RFC 8489 14.1)."""
_address = struct.Struct("!xBH")
_error = struct.Struct("!HBB")
_cookie = MAGIC_COOKIE.to_bytes(4, "big")

Value = TypeVar("Value")
Field = Callable[[bytes], tuple[int, bytes]]
"""An attribute with its value: given the transaction it gives type and octets."""


@dataclass(frozen=True, slots=True)
class Attribute(Generic[Value]):
    """One type of attribute.  *pack* and *unpack* also get the transaction, which XORed addresses depend on."""

    type: int
    name: str
    pack: Callable[[Value, bytes], bytes]
    unpack: Callable[[bytes, bytes], Value]
    """DecodeError: these octets are no such value."""

    def __call__(self, value: Value) -> Field:
        """Give this attribute with a value, to be put into a message."""
        return lambda transaction: (self.type, self.pack(value, transaction))


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """Why a request was refused (RFC 8489 14.8)."""

    code: int
    """300 to 699."""
    reason: str = ""
    """For people; from a stranger."""


def _pack_address(address: Address, _transaction: bytes = b"") -> bytes:
    host = ipaddress.ip_address(address[0].partition("%")[0]).packed
    return _address.pack(1 if len(host) == 4 else 2, address[1]) + host


def _unpack_address(data: bytes, _transaction: bytes = b"") -> Address:
    if len(data) < 4 or len(data) - 4 != _FAMILIES.get(data[1]):
        raise DecodeError(f"STUN: {len(data)} octets are no address")
    return str(ipaddress.ip_address(data[4:])), _address.unpack_from(data)[1]


def _xored(data: bytes, transaction: bytes) -> bytes:
    """RFC 8489 14.2: the port with the cookie's first half, the host with cookie and transaction."""
    mask = (_cookie[:2] + _cookie + transaction)[: len(data) - 2]
    return data[:2] + (int.from_bytes(data[2:], "big") ^ int.from_bytes(mask, "big")).to_bytes(len(mask), "big")


def _pack_xor_address(address: Address, transaction: bytes) -> bytes:
    return _xored(_pack_address(address), transaction)


def _unpack_xor_address(data: bytes, transaction: bytes) -> Address:
    if not 4 <= len(data) <= 20:
        raise DecodeError(f"STUN: {len(data)} octets are no address")
    return _unpack_address(_xored(data, transaction))


def _pack_error(error: ErrorCode, _transaction: bytes) -> bytes:
    return _error.pack(0, error.code // 100, error.code % 100) + error.reason.encode()[:MAX_TEXT]


def _unpack_error(data: bytes, _transaction: bytes) -> ErrorCode:
    if len(data) < 4:
        raise DecodeError("STUN: ends within an error code")
    _, hundreds, rest = _error.unpack_from(data)
    hundreds &= 7
    if not 3 <= hundreds <= 6 or rest > 99:
        raise DecodeError(f"STUN: {hundreds}, {rest} is no error code")
    return ErrorCode(hundreds * 100 + rest, data[4 : 4 + MAX_TEXT].decode(errors="replace"))


def _pack_types(types: tuple[int, ...], _transaction: bytes) -> bytes:
    return struct.pack(f"!{len(types)}H", *types)


def _unpack_types(data: bytes, _transaction: bytes) -> tuple[int, ...]:
    count = min(len(data) // 2, MAX_UNKNOWN)
    return struct.unpack_from(f"!{count}H", data)


def _pack_algorithms(algorithms: tuple[int, ...], _transaction: bytes) -> bytes:
    return b"".join(struct.pack("!HH", each, 0) for each in algorithms)


def _unpack_algorithms(data: bytes, _transaction: bytes) -> tuple[int, ...]:
    # RFC 8489 14.11: number, length of parameters, parameters, padded to 32 bits each; MD5 and SHA-256 have none.
    found: list[int] = []
    start = 0
    while start + 4 <= len(data) and len(found) < MAX_UNKNOWN:
        number, length = struct.unpack_from("!HH", data, start)
        found.append(number)
        start += 4 + length + -length % 4
    return tuple(found)


def _number(attribute_type: int, name: str, size: int, shift: int = 0) -> Attribute[int]:
    """Make an attribute that is a number; the low *shift* bits of its octets are reserved (RFFU)."""

    def pack(value: int, _transaction: bytes) -> bytes:
        return (value << shift).to_bytes(size, "big")

    def unpack(data: bytes, _transaction: bytes) -> int:
        if len(data) != size:
            raise DecodeError(f"STUN: {name} of {len(data)} octets")
        return int.from_bytes(data, "big") >> shift

    return Attribute(attribute_type, name, pack, unpack)


def _octets(attribute_type: int, name: str, least: int = 0, most: int = 0xFFFF) -> Attribute[bytes]:
    def pack(value: bytes, _transaction: bytes) -> bytes:
        return value

    def unpack(data: bytes, _transaction: bytes) -> bytes:
        if not least <= len(data) <= most:
            raise DecodeError(f"STUN: {name} of {len(data)} octets")
        return data

    return Attribute(attribute_type, name, pack, unpack)


def _text(attribute_type: int, name: str, most: int = MAX_TEXT) -> Attribute[str]:
    def pack(value: str, _transaction: bytes) -> bytes:
        return value.encode()

    def unpack(data: bytes, _transaction: bytes) -> str:
        if len(data) > most:
            raise DecodeError(f"STUN: {name} of {len(data)} octets")
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise DecodeError(f"STUN: {name} is not UTF-8") from None

    return Attribute(attribute_type, name, pack, unpack)


def _plain_address(attribute_type: int, name: str) -> Attribute[Address]:
    return Attribute(attribute_type, name, _pack_address, _unpack_address)


def _xor_address(attribute_type: int, name: str) -> Attribute[Address]:
    return Attribute(attribute_type, name, _pack_xor_address, _unpack_xor_address)


MD5: Final = 1
SHA256: Final = 2
"""Password algorithms (RFC 8489 18.5)."""

# RFC 8489 18.3
MAPPED_ADDRESS: Final = _plain_address(0x0001, "MAPPED-ADDRESS")
USERNAME: Final = _text(0x0006, "USERNAME", 513)
MESSAGE_INTEGRITY: Final = _octets(0x0008, "MESSAGE-INTEGRITY", 20, 20)
ERROR_CODE: Final = Attribute(0x0009, "ERROR-CODE", _pack_error, _unpack_error)
UNKNOWN_ATTRIBUTES: Final[Attribute[tuple[int, ...]]] = Attribute(
    0x000A, "UNKNOWN-ATTRIBUTES", _pack_types, _unpack_types
)
REALM: Final = _text(0x0014, "REALM")
NONCE: Final = _octets(0x0015, "NONCE", 0, MAX_TEXT)
MESSAGE_INTEGRITY_SHA256: Final = _octets(0x001C, "MESSAGE-INTEGRITY-SHA256", 16, 32)
PASSWORD_ALGORITHM: Final[Attribute[tuple[int, ...]]] = Attribute(
    0x001D, "PASSWORD-ALGORITHM", _pack_algorithms, _unpack_algorithms
)
USERHASH: Final = _octets(0x001E, "USERHASH", 32, 32)
XOR_MAPPED_ADDRESS: Final = _xor_address(0x0020, "XOR-MAPPED-ADDRESS")
PASSWORD_ALGORITHMS: Final[Attribute[tuple[int, ...]]] = Attribute(
    0x8002, "PASSWORD-ALGORITHMS", _pack_algorithms, _unpack_algorithms
)
SOFTWARE: Final = _text(0x8022, "SOFTWARE")
ALTERNATE_SERVER: Final = _plain_address(0x8023, "ALTERNATE-SERVER")
FINGERPRINT: Final = _number(0x8028, "FINGERPRINT", 4)
# RFC 8656 18
CHANNEL_NUMBER: Final = _number(0x000C, "CHANNEL-NUMBER", 4, 16)
LIFETIME: Final = _number(0x000D, "LIFETIME", 4)
XOR_PEER_ADDRESS: Final = _xor_address(0x0012, "XOR-PEER-ADDRESS")
DATA: Final = _octets(0x0013, "DATA")
XOR_RELAYED_ADDRESS: Final = _xor_address(0x0016, "XOR-RELAYED-ADDRESS")
REQUESTED_ADDRESS_FAMILY: Final = _number(0x0017, "REQUESTED-ADDRESS-FAMILY", 4, 24)
REQUESTED_TRANSPORT: Final = _number(0x0019, "REQUESTED-TRANSPORT", 4, 24)
ICMP: Final = _octets(0x8004, "ICMP", 8, 8)
# RFC 8445 16.1
PRIORITY: Final = _number(0x0024, "PRIORITY", 4)
USE_CANDIDATE: Final = _octets(0x0025, "USE-CANDIDATE", 0, 0)
ICE_CONTROLLED: Final = _number(0x8029, "ICE-CONTROLLED", 8)
ICE_CONTROLLING: Final = _number(0x802A, "ICE-CONTROLLING", 8)

_ALL: Final[tuple[Attribute[Address] | Attribute[bytes] | Attribute[int] | Attribute[str], ...]] = (
    *(MAPPED_ADDRESS, USERNAME, MESSAGE_INTEGRITY, REALM, NONCE, MESSAGE_INTEGRITY_SHA256, USERHASH),
    *(XOR_MAPPED_ADDRESS, SOFTWARE, ALTERNATE_SERVER, FINGERPRINT, CHANNEL_NUMBER, LIFETIME, XOR_PEER_ADDRESS, DATA),
    *(XOR_RELAYED_ADDRESS, REQUESTED_ADDRESS_FAMILY, REQUESTED_TRANSPORT, ICMP),
    *(PRIORITY, USE_CANDIDATE, ICE_CONTROLLED, ICE_CONTROLLING),
)
KNOWN: Final[dict[int, Callable[[bytes, bytes], object]]] = {
    **{each.type: each.unpack for each in _ALL},
    ERROR_CODE.type: ERROR_CODE.unpack,
    **{each.type: each.unpack for each in (UNKNOWN_ATTRIBUTES, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS)},
}
"""How the octets of each type that we know are read."""
