"""SEQUENCE and SET (X.691 18, 20)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

from firmware.errors import DecodeError

from .bits import Reader, Writer, bit_field
from .declaration import Declaration, Read, Value, Write
from .extension import read_inside, write_inside
from .whole_number import fragments, read_length, read_octets

_MAX_PLANS: Final = 32
"""How many combinations of optional components a type remembers."""
_MAX_ADDITIONS: Final = 1024
"""Extension additions that a peer may announce."""


@dataclass(frozen=True)
class Component:
    """A component of a SEQUENCE or SET."""

    name: str
    declaration: Declaration
    optional: bool = False
    """OPTIONAL, or it has a DEFAULT."""
    default: Value = None
    """A value equal to it is not sent; when it was not sent, the key is absent."""


Addition: TypeAlias = "Component | tuple[Component, ...]"
"""An extension addition, or an extension addition group."""
_Function = TypeVar("_Function", Read, Write)


@dataclass(frozen=True)
class Sequence:
    """SEQUENCE, SET: dict; what is absent has no key, additions that we don't know are skipped.

    Components of a SET stand in the order of their tags (20.1), which is as written where tags are automatic.
    """

    components: tuple[Component, ...]
    additions: tuple[Addition, ...] | None = None
    """None: can't be extended."""

    def reader(self) -> Read:
        """Read what is there, then each of it (X.691 18)."""
        optional = sum(component.optional for component in self.components)
        extensible = self.additions is not None
        read_presence = bit_field(optional + extensible)
        read_additions = self._additions_reader()
        extended = 1 << optional
        plan = _planner(self.components, lambda declaration: declaration.reader())

        def read(reader: Reader) -> dict[str, Value]:
            presence = read_presence(reader)
            value = {}
            name = ""
            try:
                for name, read_component in plan(presence):
                    value[name] = read_component(reader)
            except (ValueError, IndexError) as error:
                error.add_note(name)
                raise
            if extensible and presence & extended:
                value.update(read_additions(reader))
            return value

        return read

    def _additions_reader(self) -> Read:
        additions = self.additions or ()
        readers: dict[int, Read] = {}

        def read_addition(reader: Reader, index: int, value: dict[str, Value]) -> None:
            addition = additions[index]
            if isinstance(addition, Component):
                read = readers.get(index) or readers.setdefault(index, addition.declaration.reader())
                try:
                    value[addition.name] = read_inside(reader, read)
                except (ValueError, IndexError) as error:
                    error.add_note(addition.name)
                    raise
            else:  # 18.9: a group goes as a SEQUENCE
                read = readers.get(index) or readers.setdefault(index, Sequence(addition).reader())
                value.update(read_inside(reader, read))

        def read(reader: Reader) -> dict[str, Value]:
            value: dict[str, Value] = {}
            count = _additions_count(reader)
            presence = reader.bits(count)
            for index in range(count):
                if not presence >> (count - 1 - index) & 1:
                    continue
                if index < len(additions):
                    read_addition(reader, index, value)
                else:
                    read_octets(reader)
            return value

        return read

    def writer(self) -> Write:
        """Write what is there, then each of it (X.691 18)."""
        write_root = _root_writer(self.components)
        additions = [_AdditionWriter(addition) for addition in self.additions or ()]
        added = frozenset(name for addition in additions for name in addition.names)
        names = added.union(component.name for component in self.components)
        extensible = self.additions is not None

        def write_additions(writer: Writer, present: list[bool], value: dict[str, Value]) -> None:
            _write_presence(writer, present)
            for addition, there in zip(additions, present, strict=True):
                if there:
                    addition.write(writer, value)

        def write(writer: Writer, value: Value) -> None:
            if not isinstance(value, dict):
                raise ValueError(f"{value!r} is no dict")
            if not value.keys() <= names:
                raise ValueError(f"no components: {', '.join(map(str, value.keys() - names))}")
            if added.isdisjoint(value):
                if extensible:
                    writer.bits(0, 1)
                write_root(writer, value)
                return
            present = [addition.is_present(value) for addition in additions]
            writer.bits(any(present), 1)
            write_root(writer, value)
            if any(present):
                write_additions(writer, present, value)

        return write


def _planner(
    components: tuple[Component, ...], make: Callable[[Declaration], _Function]
) -> Callable[[int], tuple[tuple[str, _Function], ...]]:
    """Give a function that tells by the preamble which components are there, and what reads or writes each.

    What a component needs is made when it first is there; most never are.
    """
    made: dict[str, tuple[str, _Function]] = {}
    plans: dict[int, tuple[tuple[str, _Function], ...]] = {}

    def plan(presence: int) -> tuple[tuple[str, _Function], ...]:
        found = plans.get(presence)
        if found is None:
            there = list(_present(components, presence))
            for component in there:
                if component.name not in made:
                    made[component.name] = (component.name, make(component.declaration))
            found = tuple(made[component.name] for component in there)
            if len(plans) < _MAX_PLANS:
                plans[presence] = found
        return found

    return plan


def _present(components: tuple[Component, ...], presence: int) -> Iterator[Component]:
    """Give the components that are there, by the bits that say so: the first stands for the first optional one."""
    left = sum(component.optional for component in components)
    for component in components:
        if component.optional:
            left -= 1
            if not presence >> left & 1:
                continue
        yield component


def _additions_count(reader: Reader) -> int:
    """X.691 10.9.3.4: a length that is small as a rule."""
    if not reader.bits(1):
        return reader.bits(6) + 1
    count, more = read_length(reader)
    if more or count > _MAX_ADDITIONS:
        raise DecodeError(f"more than {_MAX_ADDITIONS} extension additions")
    return count


def _write_presence(writer: Writer, present: list[bool]) -> None:
    """Say how many additions we know, and which of them are there (X.691 18.7, 18.8; 10.9.3.4)."""
    if len(present) <= 64:
        writer.bits(len(present) - 1, 7)
    else:
        writer.bits(1, 1)
        for _, _, length in fragments(len(present)):
            writer.octets(length)
    for there in present:
        writer.bits(there, 1)


def _root_writer(components: tuple[Component, ...]) -> Write:
    """Write the components of a root, or of a group, behind the bits that say which of them are there (18.2)."""
    optional = [(component.name, component.default) for component in components if component.optional]
    required = frozenset(component.name for component in components if not component.optional)
    plan = _planner(components, lambda declaration: declaration.writer())

    def write(writer: Writer, value: dict[str, Value]) -> None:
        presence = 0
        for name, default in optional:
            presence = presence << 1 | (name in value and (default is None or value[name] != default))  # 18.5
        if not required <= value.keys():
            raise ValueError(f"missing: {', '.join(required - value.keys())}")
        writer.bits(presence, len(optional))
        name = ""
        try:
            for name, write_component in plan(presence):
                write_component(writer, value[name])
        except ValueError as error:
            error.add_note(name)
            raise

    return write


class _AdditionWriter:
    """Writes an extension addition, or a group of them, as an open type (18.9)."""

    def __init__(self, addition: Addition) -> None:
        self._components = (addition,) if isinstance(addition, Component) else addition
        self.names = [component.name for component in self._components]
        if isinstance(addition, Component):
            self._write = _root_writer((replace(addition, optional=False),))
        else:
            self._write = _root_writer(addition)

    def is_present(self, value: dict[str, Value]) -> bool:
        """Whether anything of it is to be sent."""
        return any(
            component.name in value and (component.default is None or value[component.name] != component.default)
            for component in self._components
        )

    def write(self, writer: Writer, value: dict[str, Value]) -> None:
        """Write it."""
        write_inside(writer, self._write, value)
