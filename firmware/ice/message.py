"""STUN messages (RFC 8489 5, 6): the header, the attributes behind it, and whether they prove right.

Rule 1: `Message.decode` gives a whole message or refuses it: header, lengths, each attribute we know, FINGERPRINT.
Rule 2: of several attributes of one type the first counts (RFC 8489 14); behind MESSAGE-INTEGRITY only what secures the
message counts (RFC 8489 14.5).
Rule 3: whether a message is from who it says is asked of it, with the key: `Message.proves`.
"""

from __future__ import annotations

import hmac
import struct
import zlib
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from firmware.errors import DecodeError
from firmware.ice.attribute import (
    FINGERPRINT,
    KNOWN,
    MAGIC_COOKIE,
    MESSAGE_INTEGRITY,
    MESSAGE_INTEGRITY_SHA256,
    OPTIONAL,
    Attribute,
    Field,
    Value,
)

HEADER_SIZE: Final = 20
MAX_SIZE: Final = 4096
"""Octets of a message that is read; one that carries a datagram of the far end is the longest of honest ones."""
MAX_ATTRIBUTES: Final = 64
_FINGERPRINT_XOR: Final = 0x5354554E
"""RFC 8489 14.7: "STUN"."""

# RFC 8489 18.2, RFC 8656 17
BINDING, ALLOCATE, REFRESH, SEND, DATA, CREATE_PERMISSION, CHANNEL_BIND = 1, 3, 4, 6, 7, 8, 9

_header = struct.Struct("!HHI12s")
_attribute = struct.Struct("!HH")


class Kind(Enum):
    """The class of a message (RFC 8489 5)."""

    REQUEST = 0
    INDICATION = 1
    SUCCESS = 2
    ERROR = 3


_KINDS: Final = tuple(Kind)
_SIGNATURES: Final = {MESSAGE_INTEGRITY.type: "sha1", MESSAGE_INTEGRITY_SHA256.type: "sha256"}


@dataclass(frozen=True, slots=True)
class Message:
    """One STUN message."""

    method: int
    kind: Kind
    transaction: bytes
    """12 octets."""
    attributes: dict[int, bytes]
    """Octets by type, in order."""
    data: bytes = field(default=b"", repr=False)
    """As it came; b"": it did not."""
    signatures: tuple[tuple[int, int], ...] = ()
    """Type and place of what proves who sent it."""

    @classmethod
    def of(cls, method: int, kind: Kind, transaction: bytes, *fields: Field) -> Message:
        """Make a message of ours."""
        return cls(method, kind, transaction, dict(one(transaction) for one in fields))

    @classmethod
    def decode(cls, data: bytes) -> Message:
        """Read one datagram.  DecodeError: it is no STUN message."""
        method, kind, transaction = _decode_header(data)
        attributes: dict[int, bytes] = {}
        signatures: list[tuple[int, int]] = []
        start, end, count = HEADER_SIZE, len(data), 0
        while start < end:
            count += 1
            if start + 4 > end or count > MAX_ATTRIBUTES:
                raise DecodeError(f"STUN: no attribute, or one too many, at octet {start}")
            number, length = _attribute.unpack_from(data, start)
            value = data[start + 4 : start + 4 + length]
            behind = start + 4 + length + -length % 4
            if behind > end:
                raise DecodeError(f"STUN: ends within the attribute at octet {start}")
            unpack = KNOWN.get(number)
            if number == FINGERPRINT.type:
                if behind != end or value != _fingerprint(data[:start], len(data)):
                    raise DecodeError("STUN: the fingerprint is wrong, or not the end")
            elif not signatures or signatures[-1][0] < number == MESSAGE_INTEGRITY_SHA256.type:
                if unpack is not None:
                    unpack(value, transaction)
                if number in _SIGNATURES:
                    signatures.append((number, start))
                attributes.setdefault(number, value)
            start = behind
        return cls(method, kind, transaction, attributes, data, tuple(signatures))

    def encode(self, key: bytes = b"", *, sha256: bool = False, fingerprint: bool = True) -> bytes:
        """Give the octets to send; with a *key*, signed by it."""
        body = b"".join(
            _attribute.pack(number, len(value)) + value + bytes(-len(value) % 4)
            for number, value in self.attributes.items()
        )
        number = (self.method & 0xF80) << 2 | (self.method & 0x70) << 1 | self.method & 0xF
        number |= (self.kind.value & 2) << 7 | (self.kind.value & 1) << 4
        octets = _header.pack(number, len(body), MAGIC_COOKIE, self.transaction) + body
        if key:
            signature = MESSAGE_INTEGRITY_SHA256 if sha256 else MESSAGE_INTEGRITY
            size = 32 if sha256 else 20
            value = hmac.digest(key, _of_length(octets, len(octets) + 4 + size), _SIGNATURES[signature.type])
            octets += _attribute.pack(signature.type, size) + value
        if fingerprint:
            octets += _attribute.pack(FINGERPRINT.type, 4) + _fingerprint(octets, len(octets) + 8)
        return _of_length(octets, len(octets))

    def get(self, attribute: Attribute[Value]) -> Value | None:
        """Give the value of an attribute; None: there is none."""
        data = self.attributes.get(attribute.type)
        return None if data is None else attribute.unpack(data, self.transaction)

    def has(self, attribute: Attribute[Value]) -> bool:
        """Tell whether there is one."""
        return attribute.type in self.attributes

    def proves(self, key: bytes, *, sha256: bool = False) -> bool:
        """Whether a message that came was signed with this key."""
        wanted = MESSAGE_INTEGRITY_SHA256.type if sha256 else MESSAGE_INTEGRITY.type
        start = next((start for number, start in self.signatures if number == wanted), None)
        if start is None:
            return False
        value = self.attributes[wanted]
        # RFC 8489 14.5: reckoned as if the message ended with this attribute.
        signed = _of_length(self.data[:start], start + 4 + len(value))
        # RFC 8489 14.6: a SHA-256 may be cut short, to no less than 16 octets.
        return hmac.compare_digest(hmac.digest(key, signed, _SIGNATURES[wanted])[: len(value)], value)

    @property
    def unknown(self) -> tuple[int, ...]:
        """The types that a reader must understand and we don't (RFC 8489 6.3)."""
        return tuple(number for number in self.attributes if number < OPTIONAL and number not in KNOWN)


def _decode_header(data: bytes) -> tuple[int, Kind, bytes]:
    if not HEADER_SIZE <= len(data) <= MAX_SIZE:
        raise DecodeError(f"STUN: {len(data)} octets")
    number, length, cookie, transaction = _header.unpack_from(data)
    if number & 0xC000 or cookie != MAGIC_COOKIE:
        raise DecodeError("STUN: no header")
    if length % 4 or HEADER_SIZE + length != len(data):
        raise DecodeError(f"STUN: {length} octets said, {len(data) - HEADER_SIZE} there")
    # RFC 8489 5, figure 3: the bits of class and method are mixed.
    method = (number & 0x3E00) >> 2 | (number & 0xE0) >> 1 | number & 0xF
    return method, _KINDS[(number & 0x100) >> 7 | (number & 0x10) >> 4], transaction


def _of_length(octets: bytes, whole: int) -> bytes:
    """Give the octets with the header's length as it is when *whole* octets are there."""
    return octets[:2] + (whole - HEADER_SIZE).to_bytes(2, "big") + octets[4:]


def _fingerprint(octets: bytes, whole: int) -> bytes:
    return (zlib.crc32(_of_length(octets, whole)) ^ _FINGERPRINT_XOR).to_bytes(4, "big")
