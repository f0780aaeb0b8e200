"""SIZE constraints, and the length that is sent where the size is not fixed (X.691 10.9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware.errors import DecodeError

from .bits import Reader, Writer
from .whole_number import K64, constrained_reader, constrained_writer, fragments, read_length


@dataclass(frozen=True)
class Size:
    """How many octets, bits, characters or elements there can be."""

    lower: int = 0
    upper: int | None = None
    extensible: bool = False

    @property
    def fixed(self) -> int | None:
        """The only size, where there is one and no length is sent."""
        return self.lower if self.lower == self.upper and self.lower < K64 and not self.extensible else None

    @property
    def bounded(self) -> bool:
        """Whether a length goes as a constrained whole number (10.9.4.1); else it is followed by fragments, perhaps."""
        return self.upper is not None and self.upper < K64

    def check(self, length: int) -> None:
        """ValueError: this is no size for a value to send."""
        if length < self.lower or not (self.extensible or self.upper is None or length <= self.upper):
            raise ValueError(f"a size of {length}, not {self}")

    def __str__(self) -> str:
        return f"{self.lower}..{'' if self.upper is None else self.upper}"


ANY_SIZE: Final = Size()


def part_reader(size: Size) -> Callable[[Reader], tuple[int, bool]]:
    """Give a function that reads the length of what follows, and whether another length and more of it follow that."""
    if size.fixed is not None:
        part = (size.fixed, False)
        return lambda _: part
    if size.bounded and not size.extensible:
        assert size.upper is not None
        read = constrained_reader(size.lower, size.upper)
        return lambda reader: (read(reader), False)
    if not size.extensible:
        return read_length
    inside = part_reader(Size(size.lower, size.upper))
    return lambda reader: read_length(reader) if reader.bits(1) else inside(reader)  # 15.6, 16.3, 19.4, 27.5.3


def check_read(size: Size, length: int) -> None:
    """DecodeError: all parts together have no size that is allowed.  Needed only where `part_reader` can't see it."""
    if length < size.lower or not (size.extensible or size.upper is None or length <= size.upper):
        raise DecodeError(f"a size of {length}, not {size}")


def parts_writer(size: Size) -> Callable[[Writer, int], list[tuple[int, int, bytes]]]:
    """Give a function that checks a length, and writes it where it goes in one.

    It gives start and stop of each part of the contents, and the octets to write before it.
    """
    write_length = constrained_writer(size.lower, size.upper) if size.bounded and size.upper is not None else None

    def write(writer: Writer, length: int) -> list[tuple[int, int, bytes]]:
        size.check(length)
        outside = size.upper is not None and length > size.upper
        if size.extensible:
            writer.bits(outside, 1)
        if write_length and not outside:
            write_length(writer, length)  # writes nothing where there is one size only: 10.5.4
            return [(0, length, b"")]
        return list(fragments(length))

    return write
