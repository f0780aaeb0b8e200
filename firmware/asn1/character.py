"""Restricted character strings (X.691 27).

Those of which every character takes the same number of bits (IA5String, BMPString ...) go by their size and by the
alphabet that is permitted; the others (UTF8String, GeneralString ...) go as octets, whatever their constraints say.

Rule: octets that no character stands for cost that character, not the whole message, where any character is permitted;
there are senders that put a name in Latin-1 wherever a name goes.  What is read can always be written again.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final, Protocol

from firmware.errors import DecodeError

from .bits import Reader, Writer
from .declaration import Read, Value, Write
from .size import ANY_SIZE, Size, check_read, part_reader, parts_writer
from .whole_number import read_octets, write_octets

ALPHABETS: Final = {
    "numeric": " 0123456789",
    "printable": " '()+,-./0123456789:=?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "visible": "".join(map(chr, range(0x20, 0x7F))),
    "ia5": "".join(map(chr, range(0x80))),
}
"""Characters of the types with a small alphabet, in the order of their codes (X.680 41)."""
WIDE: Final = {"bmp": (16, "utf-16-be"), "universal": (32, "utf-32-be")}
"""Bits and codec of the types with a large one.  A peer's surrogate pair in a BMPString makes one character of ours."""
OCTET_CODECS: Final = {"utf8": "utf-8", "general": "latin-1", "teletex": "latin-1", "graphic": "latin-1"}
"""Types that go as octets, and how we read those.  What escape sequences (ISO 2022) would select is not followed."""
_NOT_PERMITTED: Final = "\uffff"
_UNREADABLE: Final = ord("?")
"""What stands for an octet that is no character of IA5String, as U+FFFD does in the larger alphabets."""
_SHOWN: Final = 40
"""Characters of a string that an error shows."""


@dataclass(frozen=True)
class CharacterString:
    """A character string with as many bits for each character: str."""

    kind: str
    """A key of ALPHABETS or WIDE."""
    size: Size = ANY_SIZE
    alphabet: str | None = None
    """Characters that are permitted, if not all of the type."""

    def reader(self) -> Read:
        """Read by size and alphabet (X.691 27.5)."""
        coding = self._coding()
        size, fixed, aligned, bits = self.size, self.size.fixed, self._aligned(coding.bits), coding.bits
        if fixed is not None and not aligned:
            padding = -fixed * bits & 7
            octets = fixed * bits + padding >> 3
            return lambda reader: coding.text((reader.bits(fixed * bits) << padding).to_bytes(octets, "big"), fixed)
        read_part = part_reader(size)

        def read_text(reader: Reader, length: int) -> str:
            if length and aligned:
                reader.position = reader.position + 7 & ~7
            start, padding = reader.position, -length * bits & 7
            if start & 7:
                return coding.text(
                    (reader.bits(length * bits) << padding).to_bytes(length * bits + 7 >> 3, "big"), length
                )
            text = coding.text(reader.octets(length * bits + 7 >> 3), length)
            reader.position = start + length * bits
            return text

        def read(reader: Reader) -> str:
            length, more = read_part(reader)
            text, total = read_text(reader, length), length
            while more:
                length, more = read_part(reader)
                text, total = text + read_text(reader, length), total + length
            check_read(size, total)
            return text

        return read

    def writer(self) -> Write:
        """Write by size and alphabet (X.691 27.5)."""
        coding = self._coding()
        write_parts, aligned, bits = parts_writer(self.size), self._aligned(coding.bits), coding.bits

        def write(writer: Writer, value: Value) -> None:
            if not isinstance(value, str):
                raise ValueError(f"{value!r} is no str")
            number, total = coding.number(value)
            for start, stop, length in write_parts(writer, total):
                writer.octets(length)
                if aligned and stop > start:
                    writer.align()
                count = (stop - start) * bits
                writer.bits(number >> (total - stop) * bits & (1 << count) - 1, count)

        return write

    def _coding(self) -> _Coding:
        if self.kind in WIDE:
            bits, codec = WIDE[self.kind]
            return _Codes(bits, codec, frozenset(self.alphabet) if self.alphabet else None)
        alphabet = "".join(sorted(set(self.alphabet or ALPHABETS[self.kind])))
        needed = (len(alphabet) - 1).bit_length()
        if not needed:
            raise ValueError("an alphabet has two characters at least")  # or a length would be all that is sent
        bits = 1 << (needed - 1).bit_length()  # 27.5.2: a power of two, as aligned
        if ord(alphabet[-1]) >> bits:  # 27.5.4: the code itself, where it has no more bits than an index
            return _Indices(bits, alphabet)
        return _Codes(bits, "ascii", None if self.kind == "ia5" and not self.alphabet else frozenset(alphabet))

    def _aligned(self, bits: int) -> bool:
        """X.691 27.5.6, 27.5.7: short strings are not aligned."""
        if self.size.upper is None:
            return True
        longest = self.size.upper * bits
        return longest > 16 if self.size.fixed is not None else longest >= 16


class _Coding(Protocol):
    """How the characters of a type are bits."""

    @property
    def bits(self) -> int:
        """Of one character."""

    def text(self, data: bytes, length: int) -> str:
        """Read so many characters from the first bits of these octets."""

    def number(self, text: str) -> tuple[int, int]:
        """Give the bits of all characters as one number, and how many characters there are."""


@dataclass(frozen=True)
class _Codes:
    """Every character goes as its code, in 8, 16 or 32 bits."""

    bits: int
    codec: str
    permitted: frozenset[str] | None

    def text(self, data: bytes, length: int) -> str:
        del length
        if self.bits == 8 and not data.isascii():
            data = bytes(octet if octet < 0x80 else _UNREADABLE for octet in data)
        text = data.decode(self.codec, "replace")
        if self.permitted and not self.permitted.issuperset(text):
            raise DecodeError(f"{text[:_SHOWN]!r} has a character that is not permitted")
        return text

    def number(self, text: str) -> tuple[int, int]:
        if self.permitted and not self.permitted.issuperset(text):
            raise ValueError(f"{text!r} has a character that is not permitted")
        data = text.encode(self.codec)
        return int.from_bytes(data, "big"), len(data) * 8 // self.bits


class _Indices:
    """Every character goes as its place in the alphabet, in at most 4 bits."""

    def __init__(self, bits: int, alphabet: str) -> None:
        self.bits = bits
        self._indices = {character: format(index, f"0{bits}b") for index, character in enumerate(alphabet)}
        every = alphabet.ljust(1 << bits, _NOT_PERMITTED)
        self._of_octet = ["".join(characters) for characters in itertools.product(every, repeat=8 // bits)]

    def text(self, data: bytes, length: int) -> str:
        text = "".join(map(self._of_octet.__getitem__, data))[:length]
        if _NOT_PERMITTED in text:
            raise DecodeError(f"{text[:_SHOWN]!r} has a character that is not permitted")
        return text

    def number(self, text: str) -> tuple[int, int]:
        try:
            return int("".join(map(self._indices.__getitem__, text)) or "0", 2), len(text)
        except KeyError as error:
            raise ValueError(f"{text!r} has a character that is not permitted") from error


@dataclass(frozen=True)
class OctetText:
    """A character string that goes as octets: str (X.691 27.6)."""

    kind: str
    """A key of OCTET_CODECS."""

    def reader(self) -> Read:
        """Read octets behind their length."""
        codec = OCTET_CODECS[self.kind]
        return lambda reader: read_octets(reader).decode(codec, "replace")

    def writer(self) -> Write:
        """Write octets behind their length."""
        codec = OCTET_CODECS[self.kind]

        def write(writer: Writer, value: Value) -> None:
            if not isinstance(value, str):
                raise ValueError(f"{value!r} is no str")
            write_octets(writer, value.encode(codec))

        return write
