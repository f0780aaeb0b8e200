"""The RTP data packet (RFC 3550 5.1).

Rule 1: a packet that came is whole or refused: every length inside it is checked before it is used.
Rule 2: header extensions are skipped, padding is taken off; neither is ever sent.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from firmware.errors import DecodeError, LocalProtocolError

HEADER_SIZE: Final = 12
"""Octets, without contributing sources (RFC 3550 5.1)."""
MAX_CONTRIBUTORS: Final = 15
"""RFC 3550 5.1: CC has four bits."""

_header = struct.Struct("!BBHII")
_extension = struct.Struct("!HH")
_VERSION_2: Final = 0x80


@dataclass(slots=True)
class Packet:
    """One RTP packet."""

    payload_type: int
    marker: bool
    sequence: int
    """As on the wire, 16 bits."""
    timestamp: int
    """As on the wire, 32 bits; in units of the payload's clock rate."""
    ssrc: int
    payload: bytes
    contributors: tuple[int, ...] = ()
    """CSRC list: who is heard in a mixer's packet."""
    index: int = 0
    """The extended sequence number (RFC 3550 A.1), which doesn't wrap; set by the Session that received the packet."""
    stream: int = 0
    """Grows whenever sequence numbers and timestamps begin anew: another source took over, or the source started again.
    Buffers and decoders start afresh when it changes.  Set by the Session."""

    def encode(self) -> bytes:
        """Give the bytes to send.  LocalProtocolError: more contributors than fit."""
        if len(self.contributors) > MAX_CONTRIBUTORS:
            raise LocalProtocolError(f"an RTP packet has at most {MAX_CONTRIBUTORS} contributing sources")
        header = _header.pack(
            _VERSION_2 | len(self.contributors),
            self.marker << 7 | self.payload_type,
            self.sequence,
            self.timestamp,
            self.ssrc,
        )
        if self.contributors:
            header += struct.pack(f"!{len(self.contributors)}I", *self.contributors)
        return header + self.payload

    @classmethod
    def decode(cls, data: bytes) -> Packet:
        """Read one datagram.  DecodeError: it is not an RTP packet."""
        if len(data) < HEADER_SIZE:
            raise DecodeError(f"RTP: {len(data)} octets are less than a header")
        first, second, sequence, timestamp, ssrc = _header.unpack_from(data)
        if first == _VERSION_2:
            return cls(second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, data[HEADER_SIZE:])
        if first >> 6 != 2:
            raise DecodeError(f"RTP: version {first >> 6} is not 2")
        contributors, start, end = _bounds(data, first)
        return cls(second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, data[start:end], contributors)


def _bounds(data: bytes, first: int) -> tuple[tuple[int, ...], int, int]:
    """Give the contributing sources, and where the payload starts and ends."""
    count = first & 0x0F
    start, end = HEADER_SIZE + 4 * count, len(data)
    if start > end:
        raise DecodeError(f"RTP: ends within {count} contributing sources")
    contributors = struct.unpack_from(f"!{count}I", data, HEADER_SIZE)
    if first & 0x10:  # RFC 3550 5.3.1: the length counts 32-bit words after its own
        if start + 4 > end:
            raise DecodeError("RTP: ends within a header extension")
        start += 4 + 4 * _extension.unpack_from(data, start)[1]
        if start > end:
            raise DecodeError("RTP: ends within a header extension")
    if first & 0x20:  # RFC 3550 5.1: the last octet counts the padding, itself included
        padding = data[-1]
        if not 0 < padding <= end - start:
            raise DecodeError(f"RTP: {padding} octets of padding, {end - start} there")
        end -= padding
    return contributors, start, end


def is_control(data: bytes) -> bool:
    """Tell RTCP from RTP on a port that carries both (RFC 5761 4: packet types 192 to 223 are RTCP's)."""
    return len(data) > 1 and 192 <= data[1] <= 223
