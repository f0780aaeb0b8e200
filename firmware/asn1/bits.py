"""The bits of one message, read and written one after the other (X.691 10.1 to 10.6).

Rule 1: a position is a number of bits from the message's first; what is aligned begins at a multiple of eight.
Rule 2: a small field may be read beyond the message's end, where there are a few zeros and then an IndexError, so that
the common case needs no test; whoever made the Reader compares ``position`` with ``end`` afterwards.
Rule 3: work is bounded: lists by MAX_ELEMENTS together, types within themselves by MAX_DEPTH, messages by MAX_OCTETS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from firmware.errors import DecodeError

MAX_ELEMENTS: Final = 16_384
"""Elements that all lists of a message may have together.  An element can take no bits at all, and a count is cheap to
send; the largest real list (a capability table) has 256."""
MAX_DEPTH: Final = 16
"""How often types may stand within themselves, as H.225.0's parameters and H.245's multiplex elements can."""
MAX_OCTETS: Final = 131_072
"""Of a message; twice what a TPKT or a datagram can carry."""
PADDING: Final = b"\0\0\0"
"""Behind every message, so that a small field can be cut out of three octets without a test."""
_FLUSH_AT: Final = 512
"""Bits that wait to be written as octets."""


class Reader:
    """Takes values from a message, bit by bit."""

    __slots__ = ("data", "depth", "elements", "end", "position")

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_OCTETS:
            raise DecodeError(f"{len(data)} octets are more than {MAX_OCTETS}")
        self.data = data + PADDING
        self.end = len(data) * 8
        """Bits in the message, the padding not counted."""
        self.position = 0
        self.elements = 0
        self.depth = 0

    def bits(self, count: int) -> int:
        """Give an unsigned field of any number of bits."""
        start = self.position
        self.position = stop = start + count
        if stop > self.end:
            raise self.short(stop)
        return int.from_bytes(self.data[start >> 3 : stop + 7 >> 3], "big") >> (-stop & 7) & (1 << count) - 1

    def octets(self, count: int) -> bytes:
        """Give so many octets, from the next boundary of octets on."""
        if not count:
            return b""  # X.691 10.7.1: a field of no octets is not aligned
        start = self.position + 7 >> 3
        stop = start + count
        if stop * 8 > self.end:
            raise self.short(stop * 8)
        self.position = stop * 8
        return self.data[start:stop]

    def count_elements(self, count: int) -> None:
        """Take note of a list's elements before they are read."""
        self.elements += count
        if self.elements > MAX_ELEMENTS:
            raise DecodeError(f"more than {MAX_ELEMENTS} elements in lists")

    def short(self, wanted: int) -> DecodeError:
        """Say that the message ends too early."""
        return DecodeError(f"{wanted + 7 >> 3} octets are wanted, {self.end >> 3} are there")


def bit_field(count: int) -> Callable[[Reader], int]:
    """Give a function that reads an unsigned field of always so many bits."""
    if not 0 < count <= 17:
        return (lambda reader: reader.bits(count)) if count else (lambda _: 0)
    mask, shift = (1 << count) - 1, 24 - count

    def read(reader: Reader) -> int:
        position = reader.position
        reader.position = position + count
        data, octet = reader.data, position >> 3
        return (data[octet] << 16 | data[octet + 1] << 8 | data[octet + 2]) >> (shift - (position & 7)) & mask

    return read


class Writer:
    """Puts values behind each other."""

    __slots__ = ("_bits", "_count", "_octets")

    def __init__(self) -> None:
        self._octets = bytearray()
        self._bits = 0
        self._count = 0

    def bits(self, value: int, count: int) -> None:
        """Append an unsigned field; the value fits."""
        self._bits = self._bits << count | value
        self._count += count
        if self._count > _FLUSH_AT:
            self._flush()

    def align(self) -> None:
        """Append zeros up to the next boundary of octets (X.691 10.6)."""
        if self._count:
            octets = self._count + 7 >> 3
            self._octets += (self._bits << (-self._count & 7)).to_bytes(octets, "big")
            self._bits = self._count = 0

    def octets(self, data: bytes) -> None:
        """Append octets at the next boundary of octets."""
        if data:
            if self._count:
                self.align()
            self._octets += data

    def begin(self) -> int:
        """Begin a complete encoding inside of this one; gives where, for `finish`."""
        self.align()
        return len(self._octets)

    def finish(self, start: int = 0) -> bytes:
        """Take out what was written from *start* on: a complete encoding (X.691 10.1.3), whole octets, one at least."""
        self.align()
        encoding = bytes(self._octets[start:])
        del self._octets[start:]
        return encoding or b"\0"

    def _flush(self) -> None:
        left = self._count & 7
        self._octets += (self._bits >> left).to_bytes(self._count >> 3, "big")
        self._bits &= (1 << left) - 1
        self._count = left
