"""BOOLEAN, NULL, INTEGER, ENUMERATED and OBJECT IDENTIFIER (X.691 11, 17, 12, 13, 23)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from firmware.errors import DecodeError

from .bits import Reader, Writer
from .declaration import Read, Value, Write
from .whole_number import (
    constrained_reader,
    constrained_writer,
    read_octets,
    read_semi_constrained,
    read_small,
    read_unconstrained,
    write_octets,
    write_semi_constrained,
    write_small,
    write_unconstrained,
)

MAX_IDENTIFIER_OCTETS: Final = 128
"""Of an OBJECT IDENTIFIER; those of H.323 have about ten."""


@dataclass(frozen=True)
class Boolean:
    """BOOLEAN: bool."""

    def reader(self) -> Read:
        """One bit (X.691 11)."""

        def read(reader: Reader) -> bool:
            position = reader.position
            reader.position = position + 1
            return reader.data[position >> 3] >> (~position & 7) & 1 == 1

        return read

    def writer(self) -> Write:
        """One bit (X.691 11)."""

        def write(writer: Writer, value: Value) -> None:
            if value is not True and value is not False:
                raise ValueError(f"{value!r} is no bool")
            writer.bits(value, 1)

        return write


@dataclass(frozen=True)
class Null:
    """NULL: None, in no bits at all (X.691 17)."""

    def reader(self) -> Read:
        """Nothing to read."""
        return lambda _: None

    def writer(self) -> Write:
        """Nothing to write."""

        def write(_: Writer, value: Value) -> None:
            if value is not None:
                raise ValueError(f"{value!r} is not None")

        return write


@dataclass(frozen=True)
class Integer:
    """INTEGER: int; without an upper or both bounds, and with a constraint that can be extended."""

    lower: int | None = None
    upper: int | None = None
    extensible: bool = False

    def reader(self) -> Read:
        """Read by what is known of the number (X.691 12)."""
        lower, upper = self.lower, self.upper
        if lower is None:
            return read_unconstrained
        if upper is None:
            return lambda reader: read_semi_constrained(reader, lower)
        read_root = constrained_reader(lower, upper)
        if not self.extensible:
            return read_root
        return lambda reader: read_unconstrained(reader) if reader.bits(1) else read_root(reader)  # 12.1

    def writer(self) -> Write:
        """Write by what is known of the number (X.691 12)."""
        lower, upper = self.lower, self.upper
        if lower is None:
            return _write_integer
        if upper is None:
            return lambda writer, value: write_semi_constrained(writer, _integer(value), lower)
        write_root = constrained_writer(lower, upper)
        if not self.extensible:
            return write_root

        def write(writer: Writer, value: Value) -> None:  # 12.1
            outside = not lower <= _integer(value) <= upper
            writer.bits(outside, 1)
            (write_unconstrained if outside else write_root)(writer, value)

        return write


def _write_integer(writer: Writer, value: Value) -> None:
    write_unconstrained(writer, _integer(value))


def _integer(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise ValueError(f"{value!r} is no int")


@dataclass(frozen=True)
class Enumerated:
    """ENUMERATED: the name as str; "+N" for the Nth extension, if we don't know it.

    Names stand in the order of their numbers.
    """

    names: tuple[str, ...]
    extensions: tuple[str, ...] | None = None
    """None: can't be extended."""

    def reader(self) -> Read:
        """Read the index (X.691 13)."""
        names, extensions = self.names, self.extensions
        read_index = constrained_reader(0, len(names) - 1)
        if extensions is None:
            return lambda reader: names[read_index(reader)]

        def read(reader: Reader) -> str:
            if not reader.bits(1):
                return names[read_index(reader)]
            index = read_small(reader)  # 13.3
            return extensions[index] if index < len(extensions) else f"+{index}"

        return read

    def writer(self) -> Write:
        """Write the index (X.691 13)."""
        indices = {name: index for index, name in enumerate(self.names)}
        extensions = {name: index for index, name in enumerate(self.extensions or ())}
        write_index = constrained_writer(0, len(indices) - 1)
        extensible = self.extensions is not None

        def write(writer: Writer, value: Value) -> None:
            index = indices.get(value)
            if index is not None:
                if extensible:
                    writer.bits(0, 1)
                write_index(writer, index)
            elif extensible and (number := extensions.get(value, unknown_extension(value))) is not None:
                writer.bits(1, 1)
                write_small(writer, number)
            else:
                raise ValueError(f"{value!r} is none of {', '.join(indices | extensions)}")

        return write


def unknown_extension(name: Value) -> int | None:
    """Give the number in the name of an extension that we didn't know when it came: 3 for "+3"."""
    return int(name) if isinstance(name, str) and name.startswith("+") and name[1:].isdigit() else None


@dataclass(frozen=True)
class ObjectIdentifier:
    """OBJECT IDENTIFIER: str, such as "0.0.8.2250.0.7"."""

    def reader(self) -> Read:
        """The contents octets of BER behind their length (X.691 23)."""
        known: dict[bytes, str] = {}

        def read(reader: Reader) -> str:
            data = read_octets(reader)
            value = known.get(data)
            if value is None:
                value = identifier(data)
                if len(known) < _KNOWN_IDENTIFIERS:
                    known[data] = value
            return value

        return read

    def writer(self) -> Write:
        """The contents octets of BER behind their length (X.691 23)."""
        known: dict[str, bytes] = {}

        def write(writer: Writer, value: Value) -> None:
            data = known.get(value) or identifier_octets(value)
            if len(known) < _KNOWN_IDENTIFIERS:
                known[value] = data
            write_octets(writer, data)

        return write


_KNOWN_IDENTIFIERS: Final = 16
"""How many object identifiers a type remembers, as there are few and each comes in every message."""


def identifier(data: bytes) -> str:
    """Read the contents octets of an OBJECT IDENTIFIER (X.690 8.19)."""
    if not 0 < len(data) <= MAX_IDENTIFIER_OCTETS or data[-1] & 0x80:
        raise DecodeError(f"an object identifier of the octets {data[:MAX_IDENTIFIER_OCTETS].hex()}")
    arcs = []
    arc = 0
    for octet in data:
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)  # X.690 8.19.4
    return ".".join(map(str, (first, arcs[0] - first * 40, *arcs[1:])))


def identifier_octets(value: str) -> bytes:
    """Write the contents octets of an OBJECT IDENTIFIER (X.690 8.19)."""
    try:
        first, second, *others = map(int, value.split("."))
    except (AttributeError, ValueError):
        raise ValueError(f"{value!r} is no object identifier") from None
    if not 0 <= first <= 2 or min(second, 0, *others) < 0 or (first < 2 and second >= 40):
        raise ValueError(f"{value!r} is no object identifier")
    data = bytearray()
    for arc in (first * 40 + second, *others):
        shifts = range((max(arc.bit_length() - 1, 0) // 7) * 7, 0, -7)
        data += bytes(0x80 | arc >> shift & 0x7F for shift in shifts)
        data.append(arc & 0x7F)
    return bytes(data)
