"""Where the macroblocks of an H.261 group of blocks begin, and what a receiver must know to begin there.

Only lengths of codes matter here, so a block's coefficients are stepped over by their leading zeros (H.261 table 5).
This is for pictures of our own encoder; a group that makes no sense raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from firmware.errors import DecodeError

MACROBLOCKS: Final = 33
"""In a group (H.261 4.2.3)."""
GROUP_START: Final = 16
"""Bits of the group start code (H.261 4.2.2.1): 15 times 0, and 1."""


@dataclass(frozen=True, slots=True)
class Macroblock:
    """A macroblock that is not the first of its group."""

    position: int
    """Bit within the picture."""
    gob: int
    previous: int
    """Address of the macroblock before, 1 to 32."""
    quantizer: int
    """In effect before it."""
    horizontal: int
    """Motion vector of the macroblock before, in pixels; 0 where it had none."""
    vertical: int


# H.261 table 1: the address differences 1 to 33; stuffing is 34.  MVD has the same codes (table 3): 0, -1, 1, -2, 2 ...
_ADDRESSES: Final = (
    "1", "011", "010", "0011", "0010", "00011", "00010", "0000111", "0000110", "00001011", "00001010", "00001001",
    "00001000", "00000111", "00000110", "0000010111", "0000010110", "0000010101", "0000010100", "0000010011",
    "0000010010", "00000100011", "00000100010", "00000100001", "00000100000", "00000011111", "00000011110",
    "00000011101", "00000011100", "00000011011", "00000011010", "00000011001", "00000011000", "00000001111",
)  # fmt: skip
_STUFFING: Final = 34
_PATTERNS: Final = {
    "111": 60, "1101": 4, "1100": 8, "1011": 16, "1010": 32, "10011": 12, "10010": 48, "10001": 20, "10000": 40,
    "01111": 28, "01110": 44, "01101": 52, "01100": 56, "01011": 1, "01010": 61, "01001": 2, "01000": 62,
    "001111": 24, "001110": 36, "001101": 3, "001100": 63, "0010111": 5, "0010110": 9, "0010101": 17, "0010100": 33,
    "0010011": 6, "0010010": 10, "0010001": 18, "0010000": 34, "00011111": 7, "00011110": 11, "00011101": 19,
    "00011100": 35, "00011011": 13, "00011010": 49, "00011001": 21, "00011000": 41, "00010111": 14, "00010110": 50,
    "00010101": 22, "00010100": 42, "00010011": 15, "00010010": 51, "00010001": 23, "00010000": 43, "00001111": 25,
    "00001110": 37, "00001101": 26, "00001100": 38, "00001011": 29, "00001010": 45, "00001001": 53, "00001000": 57,
    "00000111": 30, "00000110": 46, "00000101": 54, "00000100": 58, "000000111": 31, "000000110": 47, "000000101": 55,
    "000000100": 59, "000000011": 27, "000000010": 39,
}  # fmt: skip
"""H.261 table 4: code -> the blocks that are coded, a bit each."""


@dataclass(frozen=True, slots=True)
class _Type:
    """A row of H.261 table 2."""

    quantizer: bool = False
    vector: bool = False
    pattern: bool = True
    intra: bool = False


_TYPES: Final = {
    "0001": _Type(intra=True, pattern=False),
    "0000001": _Type(quantizer=True, intra=True, pattern=False),
    "1": _Type(),
    "00001": _Type(quantizer=True),
    "000000001": _Type(vector=True, pattern=False),
    "00000001": _Type(vector=True),
    "0000000001": _Type(quantizer=True, vector=True),
    "001": _Type(vector=True, pattern=False),
    "01": _Type(vector=True),
    "000001": _Type(quantizer=True, vector=True),
}
_COEFFICIENTS: Final = {
    "11": 3, "011": 4, "010": 5, "0011": 6, "00101": 6, "00100": 9, "0001": 7, "00001": 8, "000001": 20, "0000001": 11,
    "00000001": 13, "000000001": 14,
}  # fmt: skip
"""H.261 table 5: how codes begin -> their bits, with the sign; 000001 is the escape."""
_END_OF_BLOCK: Final = 0
_COEFFICIENT_BITS: Final = 9

T = TypeVar("T")


class _Codes(Generic[T]):
    """A table of codes of different lengths."""

    def __init__(self, codes: Mapping[str, T]) -> None:
        self.bits = max(map(len, codes))
        self.table: list[tuple[int, T] | None] = [None] * (1 << self.bits)
        for code, meaning in codes.items():
            free = self.bits - len(code)
            first = int(code, 2) << free
            self.table[first : first + (1 << free)] = [(len(code), meaning)] * (1 << free)


_ADDRESS_CODES: Final = _Codes({code: number for number, code in enumerate(_ADDRESSES, 1)})
_TYPE_CODES: Final = _Codes(_TYPES)
_PATTERN_CODES: Final = _Codes({code: pattern.bit_count() for code, pattern in _PATTERNS.items()})


_COEFFICIENT_CODES: Final = _Codes({**_COEFFICIENTS, "10": _END_OF_BLOCK})


class _Reader:
    """Reads bits of a group; past its end there are zeros, which no code has."""

    def __init__(self, data: bytes, begin: int, end: int) -> None:
        self.at = begin
        self.end = end
        self._last = 8 * -(-end // 8)
        self._value = int.from_bytes(data[begin // 8 : self._last // 8], "big")

    def peek(self, bits: int) -> int:
        """Give the next bits."""
        behind = self._last - self.at - bits
        value = self._value >> behind if behind >= 0 else self._value << -behind
        return value & (1 << bits) - 1

    def take(self, bits: int) -> int:
        """Give the next bits, and step over them."""
        value = self.peek(bits)
        self.at += bits
        return value

    def code(self, codes: _Codes[T]) -> T:
        """Read a code.  DecodeError: there is none."""
        found = codes.table[self.peek(codes.bits)]
        if found is None:
            raise DecodeError(f"H.261: no code at bit {self.at}")
        self.at += found[0]
        return found[1]


def macroblocks(picture: bytes, begin: int, end: int) -> Iterator[Macroblock]:
    """Give the macroblocks of a group but its first; *begin* and *end* are its bits in the picture.

    DecodeError: that is no group of blocks.
    """
    reader = _Reader(picture, begin, end)
    if reader.take(GROUP_START) != 1:
        raise DecodeError("H.261: no group of blocks")
    gob, quantizer = reader.take(4), reader.take(5)
    while reader.take(1):  # H.261 4.2.2.4: GEI, and GSPARE (8) where it is 1
        reader.at += 8
    address, vector = 0, (0, 0)
    while True:
        position = reader.at
        difference = _address(reader)
        if not difference:
            return
        if address:
            yield Macroblock(position, gob, address, quantizer, *vector)
        address += difference
        if address > MACROBLOCKS:
            raise DecodeError(f"H.261: macroblock {address} in a group")
        kind = reader.code(_TYPE_CODES)
        if kind.quantizer:
            quantizer = reader.take(5)
        if kind.vector:
            # H.261 4.2.3.4: the vector before counts only right before, in the same row, and where there is one.
            before = vector if difference == 1 and address % 11 != 1 else (0, 0)
            vector = (_component(reader, before[0]), _component(reader, before[1]))
        else:
            vector = (0, 0)
        blocks = reader.code(_PATTERN_CODES) if kind.pattern else 6 * kind.intra
        for _ in range(blocks):
            _block(reader, intra=kind.intra)


def _address(reader: _Reader) -> int:
    """Read the address difference of the next macroblock; 0: the group has no more."""
    while reader.at < reader.end:
        left = reader.end - reader.at
        if left < 8 and not reader.peek(left):
            return 0  # what fills the last octet of a picture
        difference = reader.code(_ADDRESS_CODES)
        if difference != _STUFFING:
            return difference
    return 0


def _component(reader: _Reader, before: int) -> int:
    """Read a component of a motion vector (H.261 4.2.3.4): a code has two meanings, of which one is within 15."""
    number = reader.code(_ADDRESS_CODES)
    value = before + (number // 2 if number % 2 else -(number // 2))
    return value - 32 if value > 15 else value + 32 if value < -16 else value


def _block(reader: _Reader, *, intra: bool) -> None:
    """Step over the coefficients of a block."""
    if intra:
        reader.at += 8  # H.261 4.2.4.1: the first coefficient has 8 bits always
    elif reader.peek(1):
        reader.at += 2  # table 5: 1s, only where it is the first
    table = _COEFFICIENT_CODES.table
    while True:
        found = table[reader.peek(_COEFFICIENT_BITS)]
        if found is None or reader.at > reader.end:
            raise DecodeError(f"H.261: no coefficient at bit {reader.at}")
        if found[1] == _END_OF_BLOCK:
            reader.at += 2
            return
        reader.at += found[1]
