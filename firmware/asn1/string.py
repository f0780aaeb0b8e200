"""OCTET STRING, BIT STRING and open types (X.691 16, 15, 10.2)."""

from __future__ import annotations

from dataclasses import dataclass

from .bits import Reader, Writer
from .declaration import Read, Value, Write
from .size import ANY_SIZE, Size, check_read, part_reader, parts_writer
from .whole_number import read_octets, write_octets


@dataclass(frozen=True)
class OctetString:
    """OCTET STRING: bytes."""

    size: Size = ANY_SIZE

    def reader(self) -> Read:
        """Read by size (X.691 16)."""
        size, fixed = self.size, self.size.fixed
        if fixed is not None and fixed <= 2:  # 16.6: not aligned
            return lambda reader: reader.bits(fixed * 8).to_bytes(fixed, "big")
        if fixed is not None:
            return lambda reader: reader.octets(fixed)
        if size == ANY_SIZE:
            return read_octets
        read_part = part_reader(size)

        def read(reader: Reader) -> bytes:
            length, more = read_part(reader)
            data = reader.octets(length)
            while more:
                length, more = read_part(reader)
                data += reader.octets(length)
            check_read(size, len(data))
            return data

        return read

    def writer(self) -> Write:
        """Write by size (X.691 16)."""
        write_parts = parts_writer(self.size)
        fixed = self.size.fixed
        short = fixed is not None and fixed <= 2

        def write(writer: Writer, value: Value) -> None:
            if not isinstance(value, bytes):
                raise ValueError(f"{value!r} is no bytes")
            if len(value) == fixed and not short:
                writer.octets(value)
                return
            for start, stop, length in write_parts(writer, len(value)):
                writer.octets(length)
                if short:
                    writer.bits(int.from_bytes(value, "big"), len(value) * 8)
                else:
                    writer.octets(value[start:stop])

        return write


@dataclass(frozen=True)
class BitString:
    """BIT STRING: ``(value, number of bits)``, the first bit the value's highest."""

    size: Size = ANY_SIZE

    def reader(self) -> Read:
        """Read by size (X.691 15)."""
        size, fixed = self.size, self.size.fixed
        if fixed is not None and fixed <= 16:  # 15.9: not aligned
            return lambda reader: (reader.bits(fixed), fixed)
        read_part = part_reader(size)

        def read(reader: Reader) -> tuple[int, int]:
            length, more = read_part(reader)
            number, total = _aligned_bits(reader, length), length
            while more:
                length, more = read_part(reader)
                number, total = number << length | _aligned_bits(reader, length), total + length
            check_read(size, total)
            return number, total

        return read

    def writer(self) -> Write:
        """Write by size (X.691 15)."""
        write_parts = parts_writer(self.size)
        short = self.size.fixed is not None and self.size.fixed <= 16

        def write(writer: Writer, value: Value) -> None:
            number, total = _bit_string(value)
            for start, stop, length in write_parts(writer, total):
                writer.octets(length)
                if stop > start and not short:
                    writer.align()
                writer.bits(number >> (total - stop) & (1 << stop - start) - 1, stop - start)

        return write


def _aligned_bits(reader: Reader, count: int) -> int:
    if not count:
        return 0
    reader.position = reader.position + 7 & ~7
    return reader.bits(count)


def _bit_string(value: Value) -> tuple[int, int]:
    match value:
        case (int(number), int(total)) if number >= 0 and number.bit_length() <= total:
            return number, total
    raise ValueError(f"{value!r} is no (value, number of bits)")


@dataclass(frozen=True)
class OpenType:
    """An open type: the complete encoding of whatever is inside, as bytes (X.691 10.2)."""

    def reader(self) -> Read:
        """Read octets behind their length."""
        return read_octets

    def writer(self) -> Write:
        """Write octets behind their length."""

        def write(writer: Writer, value: Value) -> None:
            if not isinstance(value, bytes):
                raise ValueError(f"{value!r} is no bytes")
            write_octets(writer, value)

        return write
