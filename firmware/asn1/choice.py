"""CHOICE (X.691 22)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware.errors import DecodeError

from .bits import Reader, Writer, bit_field
from .declaration import Declaration, Read, Value, Write
from .extension import read_inside, write_inside
from .scalar import Null, unknown_extension
from .whole_number import read_octets, read_small, write_octets, write_small

_NULL: Final = Null()


@dataclass(frozen=True)
class Choice:
    """CHOICE: ``(name, value)``; ``("+N", bytes)`` for the Nth extension, if we don't know it.

    Alternatives stand in the order of their tags (22.2), which is as written where tags are automatic.
    """

    alternatives: tuple[tuple[str, Declaration], ...]
    extensions: tuple[tuple[str, Declaration], ...] | None = None
    """None: can't be extended."""

    def reader(self) -> Read:
        """Read the index, then the value."""
        alternatives = self.alternatives
        readers: list[Read | None] = [None] * len(alternatives)
        constants = [(name, None) if declaration == _NULL else None for name, declaration in alternatives]
        count = len(alternatives)
        index_bits = (count - 1).bit_length()
        read_field = bit_field(index_bits + (self.extensions is not None))
        extended = 1 << index_bits  # 22.5: the extension bit stands before the index

        def read(reader: Reader) -> Value:
            index = read_field(reader)
            if index >= extended:
                reader.position -= index_bits
                return read_extension(reader)
            if index >= count:
                raise DecodeError(f"alternative {index} of {count}")
            if (constant := constants[index]) is not None:
                return constant
            name, declaration = alternatives[index]
            if (read_value := readers[index]) is None:
                read_value = readers[index] = declaration.reader()
            try:
                return name, read_value(reader)
            except (ValueError, IndexError) as error:
                error.add_note(name)
                raise

        read_extension = self._extension_reader()
        return read

    def _extension_reader(self) -> Read:
        extensions = self.extensions or ()
        readers: dict[int, Read] = {}

        def read(reader: Reader) -> Value:
            index = read_small(reader)  # 22.8
            if index >= len(extensions):
                return f"+{index}", read_octets(reader)
            name, declaration = extensions[index]
            read_value = readers.get(index) or readers.setdefault(index, declaration.reader())
            try:
                return name, read_inside(reader, read_value)
            except (ValueError, IndexError) as error:
                error.add_note(name)
                raise

        return read

    def writer(self) -> Write:
        """Write the index, then the value."""
        alternatives = {name: (index, declaration) for index, (name, declaration) in enumerate(self.alternatives)}
        writers: dict[str, tuple[int, Write]] = {}
        bits = (len(alternatives) - 1).bit_length() + (self.extensions is not None)
        write_extension = self._extension_writer()

        def write(writer: Writer, value: Value) -> None:
            if not (isinstance(value, tuple) and len(value) == 2):
                raise ValueError(f"{value!r} is no (name, value)")
            name, content = value
            found = writers.get(name)
            if found is None and name in alternatives:
                index, declaration = alternatives[name]
                found = writers[name] = index, declaration.writer()
            try:
                if found is not None:
                    index, write_value = found
                    writer.bits(index, bits)  # with the extension bit, which is 0, before it
                    write_value(writer, content)
                else:
                    write_extension(writer, name, content)
            except ValueError as error:
                error.add_note(str(name))
                raise

        return write

    def _extension_writer(self) -> Callable[[Writer, str, Value], None]:
        extensions = self.extensions or ()
        indices = {name: index for index, (name, _) in enumerate(extensions)}
        extensible = self.extensions is not None
        writers: dict[str, Write] = {}

        def write(writer: Writer, name: str, content: Value) -> None:
            known = indices.get(name)
            index = unknown_extension(name) if known is None and extensible else known
            if index is None:
                raise ValueError("no such alternative")
            writer.bits(1, 1)
            write_small(writer, index)
            if known is None:
                write_octets(writer, content)
                return
            if name not in writers:
                writers[name] = extensions[known][1].writer()
            write_inside(writer, writers[name], content)

        return write
