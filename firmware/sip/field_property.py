"""Properties that read a header field when they are asked for.

The owner keeps what was read until its header fields change.  What is wrong with the field raises
RemoteProtocolError, status 400, at each access.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar, overload

from firmware.errors import RemoteProtocolError
from firmware.sip.field import Headers
from firmware.sip.header import parse_token

MAX_VALUES = 128
"""Values of one list: 70 hops (RFC 3261 8.1.1.6) give as many of Via, Route and Record-Route."""

T = TypeVar("T")


class Keeper(Protocol):
    """What has header fields, and keeps what was read from them."""

    def read_once(self, key: str, read: Callable[[Headers], T]) -> T:
        """Give what *read* makes of the header fields: kept under *key* until they change."""


class FieldProperty(Generic[T]):
    """A property of a message that is read from its header fields when asked for, and then kept."""

    def __init__(self, read: Callable[[Headers], T]) -> None:
        self._read = read

    def __set_name__(self, owner: type[Keeper], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, message: None, owner: type[Keeper]) -> FieldProperty[T]: ...
    @overload
    def __get__(self, message: Keeper, owner: type[Keeper]) -> T: ...
    def __get__(self, message: Keeper | None, owner: type[Keeper]) -> FieldProperty[T] | T:
        if message is None:
            return self
        return message.read_once(self._name, self._read)


def _one(name: str, headers: Headers) -> str | None:
    values = headers.lines(name)
    if len(values) > 1:
        # RFC 3261 7.3.1: only a field whose grammar is a list may stand more than once.
        raise RemoteProtocolError(f"{len(values)} header fields {name}")
    return values[0] if values else None


def required_of(name: str, parse_value: Callable[[str], T]) -> FieldProperty[T]:
    """Make a property of a field that stands once, and must."""

    def read(headers: Headers) -> T:
        value = _one(name, headers)
        if value is None:
            raise RemoteProtocolError(f"no header field {name}")
        return parse_value(value)

    return FieldProperty(read)


def optional_of(name: str, parse_value: Callable[[str], T]) -> FieldProperty[T | None]:
    """Make a property of a field that stands at most once: None when it is missing."""

    def read(headers: Headers) -> T | None:
        value = _one(name, headers)
        return None if value is None else parse_value(value)

    return FieldProperty(read)


def values_of(name: str, headers: Headers) -> list[str]:
    """Give the values of a list field; RemoteProtocolError when they are more than MAX_VALUES."""
    values = headers.all(name)
    if len(values) > MAX_VALUES:
        raise RemoteProtocolError(f"{len(values)} values of {name}")
    return values


def list_of(name: str, parse_value: Callable[[str], T]) -> FieldProperty[tuple[T, ...]]:
    """Make a property of a list field: all its values, none when it is missing."""
    return FieldProperty(lambda headers: tuple(parse_value(value) for value in values_of(name, headers)))


def tokens_of(name: str) -> FieldProperty[tuple[str, ...]]:
    """Make a property of a list of tokens."""
    # RFC 3261 25.1 knows no empty value, but "INVITE, ACK," does no harm: peers write it.
    return FieldProperty(lambda headers: tuple(parse_token(value) for value in values_of(name, headers) if value))
