"""SEQUENCE OF and SET OF (X.691 19, 21)."""

from __future__ import annotations

from dataclasses import dataclass

from .bits import Reader, Writer
from .declaration import Declaration, Read, Value, Write
from .size import ANY_SIZE, Size, check_read, part_reader, parts_writer


@dataclass(frozen=True)
class SequenceOf:
    """SEQUENCE OF, SET OF: list."""

    element: Declaration
    size: Size = ANY_SIZE

    def reader(self) -> Read:
        """Read how many, then each (X.691 19)."""
        read_part, size = part_reader(self.size), self.size
        read_element: Read | None = None

        def read(reader: Reader) -> list[Value]:
            nonlocal read_element
            read_element = read_element or self.element.reader()
            values: list[Value] = []
            more = True
            while more:
                count, more = read_part(reader)
                reader.count_elements(count)
                try:
                    for _ in range(count):
                        values.append(read_element(reader))  # noqa: PERF401  how many there are says where
                except (ValueError, IndexError) as error:
                    error.add_note(f"[{len(values)}]")
                    raise
            check_read(size, len(values))
            return values

        return read

    def writer(self) -> Write:
        """Write how many, then each (X.691 19)."""
        write_parts = parts_writer(self.size)
        write_element: Write | None = None

        def write(writer: Writer, value: Value) -> None:
            nonlocal write_element
            write_element = write_element or self.element.writer()
            if not isinstance(value, list | tuple):
                raise ValueError(f"{value!r} is no list")
            for start, stop, length in write_parts(writer, len(value)):
                writer.octets(length)
                for index in range(start, stop):
                    try:
                        write_element(writer, value[index])
                    except ValueError as error:
                        error.add_note(f"[{index}]")
                        raise

        return write
