"""What travels between us and a TURN server by a channel: four octets, then the datagram (RFC 8656 12.4)."""

from __future__ import annotations

import ipaddress
import struct
import zlib
from typing import Final

from firmware.sansio import Address

FIRST: Final = 0x4000
COUNT: Final = 0x1000
"""RFC 8656 12: 0x4000 to 0x4FFF."""
_header = struct.Struct("!HH")


def encode(number: int, data: bytes) -> bytes:
    """Give the octets to send; over UDP they are not padded."""
    return _header.pack(number, len(data)) + data


def decode(data: bytes) -> tuple[int, bytes] | None:
    """Give the channel and the datagram; None: it is none."""
    if len(data) < _header.size:
        return None
    number, length = _header.unpack_from(data)
    # RFC 8656 12.6: octets behind the length said are padding.
    if not FIRST <= number < FIRST + COUNT or _header.size + length > len(data):
        return None
    return number, data[_header.size : _header.size + length]


def number_of(peer: Address) -> int:
    """Give the channel for a peer: the same for whoever goes on with the allocation, or the server would refuse it."""
    host = ipaddress.ip_address(peer[0]).packed
    return FIRST + zlib.crc32(host + peer[1].to_bytes(2, "big")) % COUNT
