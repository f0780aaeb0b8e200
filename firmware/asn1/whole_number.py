"""Whole numbers and lengths, from which everything else is made (X.691 10.3 to 10.9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from firmware.errors import DecodeError

from .bits import Reader, Writer
from .declaration import Read, Write

K64: Final = 65_536
FRAGMENT: Final = 16_384
"""X.691 10.9.3.8: from this length on, contents go in fragments of one to four times this."""

MAX_NUMBER_OCTETS: Final = 256
"""That a number without an upper bound may have; random values and keys stay far below."""


def constrained_reader(lower: int, upper: int) -> Read:
    """Read a number that both sides know to lie between two others (X.691 10.5)."""
    size = upper - lower + 1
    if size == 1:
        return lambda _: lower  # 10.5.4: no bits at all
    if size <= 255:
        return _bit_field_reader(lower, upper)
    if size <= K64:
        return _octets_reader(lower, upper)
    read_length = constrained_reader(1, _octets(size - 1))

    def read_indefinite(reader: Reader) -> int:  # 10.5.7.4
        number = lower + int.from_bytes(reader.octets(read_length(reader)), "big")
        if number > upper:
            raise _outside(number, lower, upper)
        return number

    return read_indefinite


def _bit_field_reader(lower: int, upper: int) -> Read:
    """X.691 10.5.7.1: in as few bits as can be, not aligned."""
    size = upper - lower + 1
    bits = (size - 1).bit_length()
    mask, shift, largest = (1 << bits) - 1, 16 - bits, size - 1

    def read(reader: Reader) -> int:
        position = reader.position
        reader.position = position + bits
        data, octet = reader.data, position >> 3
        number = (data[octet] << 8 | data[octet + 1]) >> (shift - (position & 7)) & mask
        if number > largest:
            raise _outside(lower + number, lower, upper)
        return lower + number

    return read


def _octets_reader(lower: int, upper: int) -> Read:
    """X.691 10.5.7.2, 10.5.7.3: in one octet, or in two, aligned."""
    if upper - lower == 255:

        def read_octet(reader: Reader) -> int:
            octet = reader.position + 7 >> 3
            reader.position = octet + 1 << 3
            return reader.data[octet] + lower

        return read_octet

    def read_octets(reader: Reader) -> int:
        octet = reader.position + 7 >> 3
        reader.position = octet + 2 << 3
        data = reader.data
        number = (data[octet] << 8 | data[octet + 1]) + lower
        if number > upper:
            raise _outside(number, lower, upper)
        return number

    return read_octets


def constrained_writer(lower: int, upper: int) -> Write:
    """Write a number that both sides know to lie between two others (X.691 10.5)."""
    size = upper - lower + 1
    bits = (size - 1).bit_length()
    write_octets_of = _offset_writer(size) if size > 255 else None

    def write(writer: Writer, number: int) -> None:
        if not (isinstance(number, int) and lower <= number <= upper):
            raise ValueError(f"{number!r} is not in {lower}..{upper}")
        if write_octets_of:
            write_octets_of(writer, number - lower)
        else:
            writer.bits(number - lower, bits)  # 10.5.7.1

    return write


def _offset_writer(size: int) -> Write:
    octets = _octets(size - 1)
    if size <= K64:  # 10.5.7.2, 10.5.7.3
        return lambda writer, offset: writer.octets(offset.to_bytes(octets, "big"))
    write_length = constrained_writer(1, octets)

    def write_indefinite(writer: Writer, offset: int) -> None:  # 10.5.7.4
        data = offset.to_bytes(_octets(offset), "big")
        write_length(writer, len(data))
        writer.octets(data)

    return write_indefinite


def read_semi_constrained(reader: Reader, lower: int) -> int:
    """Read a number of which only the lower bound is known (X.691 10.7)."""
    return lower + int.from_bytes(_number_octets(reader), "big")


def write_semi_constrained(writer: Writer, number: int, lower: int) -> None:
    """Write a number of which only the lower bound is known (X.691 10.7)."""
    if number < lower:
        raise ValueError(f"{number} is less than {lower}")
    write_octets(writer, (number - lower).to_bytes(_octets(number - lower), "big"))


def read_unconstrained(reader: Reader) -> int:
    """Read a number of which nothing is known (X.691 10.8)."""
    return int.from_bytes(_number_octets(reader), "big", signed=True)


def write_unconstrained(writer: Writer, number: int) -> None:
    """Write a number of which nothing is known (X.691 10.8)."""
    octets = ((number + (number < 0)).bit_length() >> 3) + 1
    write_octets(writer, number.to_bytes(octets, "big", signed=True))


def read_small(reader: Reader) -> int:
    """Read a number that is small as a rule: an index into extensions (X.691 10.6)."""
    return read_semi_constrained(reader, 0) if reader.bits(1) else reader.bits(6)


def write_small(writer: Writer, number: int) -> None:
    """Write a number that is small as a rule (X.691 10.6)."""
    if number < 64:
        writer.bits(number, 7)
    else:
        writer.bits(1, 1)
        write_semi_constrained(writer, number, 0)


def read_length(reader: Reader) -> tuple[int, bool]:
    """Read a length of which nothing is known, and whether another fragment follows (X.691 10.9.3.5 to 10.9.3.8)."""
    octet = reader.position + 7 >> 3
    first = reader.data[octet]
    if first < 0x80:
        reader.position = octet + 1 << 3
        return first, False
    if first < 0xC0:
        reader.position = octet + 2 << 3
        return (first & 0x3F) << 8 | reader.data[octet + 1], False
    reader.position = octet + 1 << 3
    if not 1 <= first & 0x3F <= 4:
        raise DecodeError(f"a fragment of {first & 0x3F} times 16384")
    return (first & 0x3F) * FRAGMENT, True


def read_octets(reader: Reader) -> bytes:
    """Read octets behind their unconstrained length, put together from fragments if there are any (X.691 10.9)."""
    octet = reader.position + 7 >> 3
    length = reader.data[octet]
    if length < 0x80:
        stop = octet + 1 + length
        if stop << 3 > reader.end:
            raise reader.short(stop << 3)
        reader.position = stop << 3
        return reader.data[octet + 1 : stop]
    length, more = read_length(reader)
    data = reader.octets(length)
    if more:
        parts = [data]
        while more:
            length, more = read_length(reader)
            parts.append(reader.octets(length))
        data = b"".join(parts)
    return data


def fragments(total: int) -> Iterator[tuple[int, int, bytes]]:
    """Give for contents of this length: where each fragment starts and stops, and the length written before it."""
    start = 0
    while total - start >= FRAGMENT:
        times = min((total - start) // FRAGMENT, 4)
        yield start, start + times * FRAGMENT, bytes((0xC0 | times,))
        start += times * FRAGMENT
    rest = total - start
    yield start, total, bytes((rest,)) if rest < 0x80 else (0x8000 | rest).to_bytes(2, "big")


def write_octets(writer: Writer, data: bytes) -> None:
    """Write octets behind their length (X.691 10.9)."""
    if len(data) < 0x80:
        writer.octets(bytes((len(data),)) + data)
        return
    for start, stop, length in fragments(len(data)):
        writer.octets(length + data[start:stop])


def _number_octets(reader: Reader) -> bytes:
    data = read_octets(reader)
    if not 0 < len(data) <= MAX_NUMBER_OCTETS:
        raise DecodeError(f"a number of {len(data)} octets")
    return data


def _octets(number: int) -> int:
    """How many octets an unsigned number takes; one at least."""
    return (number.bit_length() + 7 >> 3) or 1


def _outside(number: int, lower: int, upper: int) -> DecodeError:
    return DecodeError(f"{number} is not in {lower}..{upper}")
