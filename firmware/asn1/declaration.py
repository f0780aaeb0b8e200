"""What every kind of type gives: a function that reads its values, and one that writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from .bits import Reader, Writer

Value: TypeAlias = Any
"""A value of a type; the package's docstring says what it is for each kind of type.  Any, because the schema, and not
Python's types, say what is inside."""

Read: TypeAlias = Callable[[Reader], Value]
Write: TypeAlias = Callable[[Writer, Value], None]


class Declaration(Protocol):
    """A type as declared.  Reading raises DecodeError or IndexError (rule 2 of `bits`), writing ValueError."""

    def reader(self) -> Read:
        """Give the function that reads a value."""

    def writer(self) -> Write:
        """Give the function that writes a value."""
