"""What every kind of type gives: a function that reads its values, and one that writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from .bits import Reader, Writer

Value: TypeAlias = Any
"""A value of a type: dict for SEQUENCE and SET, ``(name, value)`` for CHOICE, list for SEQUENCE OF and SET OF, str for
ENUMERATED, OBJECT IDENTIFIER ("0.0.8.2250.0.7") and character strings, bytes for OCTET STRING and open types, ``(value,
number of bits)`` for BIT STRING, int, bool, None.  Any, because the schema and not Python's types say what is inside."""

Read: TypeAlias = Callable[[Reader], Value]
Write: TypeAlias = Callable[[Writer, Value], None]


class Declaration(Protocol):
    """A type as declared.  Reading raises DecodeError or IndexError (rule 2 of `bits`), writing ValueError."""

    def reader(self) -> Read:
        """Give the function that reads a value."""

    def writer(self) -> Write:
        """Give the function that writes a value."""
