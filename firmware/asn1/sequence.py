"""SEQUENCE and SET (X.691 18, 20)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

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
        plans = _ReadPlans(self.components)

        def read(reader: Reader) -> dict[str, Value]:
            presence = read_presence(reader)
            value = {}
            name = ""
            try:
                for name, read_component in plans[presence]:
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
            left = reader.bits(count)
            while left:
                index = count - left.bit_length()
                left ^= 1 << count - 1 - index
                if index < len(additions):
                    read_addition(reader, index, value)
                else:
                    read_octets(reader)
            return value

        return read

    def writer(self) -> Write:
        """Write what is there, then each of it (X.691 18)."""
        plans = _WritePlans(self.components, self.additions)
        defaults = {c.name: c.default for c in plans.components if c.default is not None}
        extensions = len(self.additions or ())

        def write(writer: Writer, value: Value) -> None:
            if not isinstance(value, dict):
                raise ValueError(f"{value!r} is no dict")
            if defaults and not defaults.keys().isdisjoint(value):  # 18.5
                value = {name: part for name, part in value.items() if name not in defaults or part != defaults[name]}
            root, presence, additions = plans[tuple(value)]
            root.write(writer, value)
            if additions:
                _write_presence(writer, extensions, presence)
                for addition in additions:
                    write_inside(writer, addition.write, value)

        return write


class _ReadPlans(dict[int, tuple[tuple[str, Read], ...]]):
    """By the preamble: which components are there, and what reads each.

    What a component needs is made when it first is there; most never are.
    """

    def __init__(self, components: tuple[Component, ...]) -> None:
        self._components = components
        self._readers: dict[str, Read] = {}

    def __missing__(self, presence: int) -> tuple[tuple[str, Read], ...]:
        there = list(_present(self._components, presence))
        for component in there:
            if component.name not in self._readers:
                self._readers[component.name] = component.declaration.reader()
        plan = tuple((component.name, self._readers[component.name]) for component in there)
        if len(self) < _MAX_PLANS:
            self[presence] = plan
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


def _write_presence(writer: Writer, count: int, presence: int) -> None:
    """Say how many additions we know, and which of them are there (X.691 18.7, 18.8; 10.9.3.4)."""
    if count <= 64:
        writer.bits(count - 1 << count | presence, count + 7)
        return
    writer.bits(1, 1)
    for _, _, length in fragments(count):
        writer.octets(length)
    writer.bits(presence, count)


@dataclass(frozen=True, slots=True)
class _Part:
    """A root, an extension addition or a group of them, as values that have the same components are written."""

    preamble: int
    """Which of the optional components are there (18.2), behind the extension bit where there is one."""
    bits: int
    components: tuple[tuple[str, Write], ...]

    def write(self, writer: Writer, value: dict[str, Value]) -> None:
        """Write what of a value belongs to this part."""
        writer.bits(self.preamble, self.bits)
        name = ""
        try:
            for name, write_component in self.components:
                write_component(writer, value[name])
        except ValueError as error:
            error.add_note(name)
            raise


_WritePlan: TypeAlias = tuple[_Part, int, tuple[_Part, ...]]
"""The root; which additions are there, a bit for each; those."""


class _WritePlans(dict[tuple[str, ...], _WritePlan]):
    """By which components a value without DEFAULTs has: how it is written.

    ValueError when looked up: components are missing, or there are others.
    """

    def __init__(self, components: tuple[Component, ...], additions: tuple[Addition, ...] | None) -> None:
        self._root = components
        self._extensible = additions is not None
        # 18.9: one addition alone has no preamble, a group goes as a SEQUENCE
        self._additions = [(replace(a, optional=False),) if isinstance(a, Component) else a for a in additions or ()]
        self.components: Final = (*components, *(c for addition in self._additions for c in addition))
        """All that there can be."""
        self._writers: dict[str, Write] = {}

    def __missing__(self, names: tuple[str, ...]) -> _WritePlan:
        plan = self._make(frozenset(names))
        if len(self) < _MAX_PLANS:
            self[names] = plan
        return plan

    def _make(self, names: frozenset[str]) -> _WritePlan:
        others = names - {component.name for component in self.components}
        if others:
            raise ValueError(f"no components: {', '.join(map(str, others))}")
        presence = 0
        additions = []
        for addition in self._additions:
            there = any(component.name in names for component in addition)
            presence = presence << 1 | there
            if there:
                additions.append(self._part(addition, names))
        root = self._part(self._root, names)
        if self._extensible:
            root = replace(root, preamble=bool(additions) << root.bits | root.preamble, bits=root.bits + 1)
        return root, presence, tuple(additions)

    def _part(self, components: tuple[Component, ...], names: frozenset[str]) -> _Part:
        missing = [c.name for c in components if not (c.optional or c.name in names)]
        if missing:
            raise ValueError(f"missing: {', '.join(missing)}")
        preamble = bits = 0
        for component in components:
            if component.optional:
                preamble, bits = preamble << 1 | (component.name in names), bits + 1
        return _Part(preamble, bits, tuple((c.name, self._writer(c)) for c in components if c.name in names))

    def _writer(self, component: Component) -> Write:
        """Give what writes a component, made when it first is there."""
        if component.name not in self._writers:
            self._writers[component.name] = component.declaration.writer()
        return self._writers[component.name]
