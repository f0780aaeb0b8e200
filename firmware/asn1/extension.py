"""What stands behind an extension marker: open types, known or skipped (X.691 18.7 to 18.9, 22.8)."""

from __future__ import annotations

from firmware.errors import DecodeError

from .bits import Reader, Writer
from .declaration import Read, Value, Write
from .whole_number import read_length, read_octets, write_octets


def read_inside(reader: Reader, read: Read) -> Value:
    """Read a value out of an open type; what stands behind it there is skipped.

    An encoding that is a few bits too short is taken: there are senders that end a NULL or a BOOLEAN early.
    """
    start = reader.position
    length, more = read_length(reader)
    if more:
        reader.position = start
        return _read_apart(reader, read)
    stop = reader.position + (length << 3)
    if stop > reader.end:
        raise reader.short(stop)
    value = read(reader)
    if reader.position > stop:
        raise DecodeError(f"{length} octets are too few for what is inside")
    reader.position = stop
    return value


def _read_apart(reader: Reader, read: Read) -> Value:
    inner = Reader(read_octets(reader))
    inner.elements, inner.depth = reader.elements, reader.depth
    value = read(inner)
    if inner.position > inner.end:
        raise DecodeError("too few octets for what is inside")
    reader.elements = inner.elements
    return value


def write_inside(writer: Writer, write: Write, value: Value) -> None:
    """Write a value as an open type."""
    start = writer.begin()
    write(writer, value)
    write_octets(writer, writer.finish(start))
