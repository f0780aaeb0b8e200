"""A set of types declared in the notation, each made ready when it is first used."""

from __future__ import annotations

from collections.abc import Iterable

from firmware.errors import DecodeError

from .bits import MAX_DEPTH, Reader, Writer
from .declaration import Declaration, Read, Value, Write
from .notation import Parser, definitions


class Schema:
    """Types by name.  ``Schema(text, h235=other)``: `text` can refer to types of the other schema as ``h235.Name``."""

    def __init__(self, text: str, **imports: Schema) -> None:
        self._texts = definitions(text)
        self._imports = imports
        self._types: dict[str, Type] = {}

    @property
    def names(self) -> Iterable[str]:
        """Of all types, as declared."""
        return self._texts.keys()

    def __getitem__(self, name: str) -> Type:
        """Give a type by its name.  KeyError: there is none."""
        if name not in self._types:
            module, _, local = name.rpartition(".")
            self._types[name] = self._imports[module][local] if module else Type(name, self._texts[name], self)
        return self._types[name]


class Type:
    """A named type: encodes and decodes values.  It is itself the declaration that others refer to."""

    def __init__(self, name: str, text: str, schema: Schema) -> None:
        self.name = name
        self._text = text
        self._schema = schema
        self._declared: tuple[Declaration, bool] | None = None
        self._read: Read | None = None
        self._write: Write | None = None

    def encode(self, value: Value) -> bytes:
        """Give the complete encoding.  ValueError: not a value of this type; says which part of it."""
        writer = Writer()
        try:
            self.writer()(writer, value)
        except (ValueError, TypeError) as error:
            raise ValueError(_located(self.name, error)) from error
        return writer.finish()

    def decode(self, data: bytes) -> Value:
        """Read a value; what stands behind it is ignored.  DecodeError: there is none; says where."""
        reader = Reader(data)
        return self._decode(reader)

    def decode_all(self, data: bytes) -> list[Value]:
        """Read complete encodings that stand one behind the other.  DecodeError: one of them is none; says where."""
        reader = Reader(data)
        values = []
        while reader.position < reader.end:
            start = reader.position
            reader.count_elements(1)
            values.append(self._decode(reader))
            reader.position = max(reader.position + 7 & ~7, start + 8)  # X.691 10.1.3
        return values

    def _decode(self, reader: Reader) -> Value:
        try:
            value = self.reader()(reader)
            if reader.position > reader.end:
                raise reader.short(reader.position)
        except (ValueError, IndexError) as error:
            octet = min(reader.position, reader.end) >> 3
            raise DecodeError(f"{_located(self.name, error)} (before octet {octet})") from error
        return value

    def declaration(self) -> Declaration:
        """Give what is declared."""
        return self._parsed()[0]

    @property
    def is_recursive(self) -> bool:
        """Whether it is declared to stand within itself, so that its depth is limited."""
        return self._parsed()[1]

    def reader(self) -> Read:
        """Give the function that reads a value out of a message."""
        if self._read is None:
            declaration, recursive = self._parsed()
            self._read = _bounded(declaration.reader()) if recursive else declaration.reader()
        return self._read

    def writer(self) -> Write:
        """Give the function that writes a value into a message."""
        if self._write is None:
            self._write = self._parsed()[0].writer()
        return self._write

    def _parsed(self) -> tuple[Declaration, bool]:
        if self._declared is None:
            try:
                self._declared = Parser(self._text, self._schema.__getitem__).definition()
            except (KeyError, ValueError) as error:
                raise ValueError(f"{self.name}: {error}") from error
        return self._declared


def _bounded(read: Read) -> Read:
    """Count how often a type stands within itself."""

    def read_bounded(reader: Reader) -> Value:
        reader.depth += 1
        if reader.depth > MAX_DEPTH:
            raise DecodeError(f"more than {MAX_DEPTH} types within themselves")
        value = read(reader)
        reader.depth -= 1
        return value

    return read_bounded


def _located(name: str, error: Exception) -> str:
    """Say what is wrong, behind the path to where it is; the path was collected from inside to outside."""
    path = "".join(part if part.startswith("[") else f".{part}" for part in reversed(getattr(error, "__notes__", ())))
    return f"{name}{path}: {'ends too early' if isinstance(error, IndexError) else error}"
