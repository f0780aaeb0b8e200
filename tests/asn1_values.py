"""Makes random values of any type that `firmware.asn1` knows."""

from __future__ import annotations

import random

from firmware.asn1.character import ALPHABETS, CharacterString, OctetText
from firmware.asn1.choice import Choice
from firmware.asn1.declaration import Declaration, Value
from firmware.asn1.scalar import Boolean, Enumerated, Integer, Null, ObjectIdentifier
from firmware.asn1.schema import Type
from firmware.asn1.sequence import Component, Sequence
from firmware.asn1.sequence_of import SequenceOf
from firmware.asn1.size import Size
from firmware.asn1.string import BitString, OctetString, OpenType

LONGEST = 6
"""Beyond the smallest size, as a rule."""
ENOUGH = 150
"""Values inside a value; from then on, what can be absent is."""
DEEPEST = 12
WIDE_ALPHABET = "aZ09 äßЖ界\x00\x7f￠"
IDENTIFIERS = ("0.0.8.2250.0.7", "1.2.840.113549.1.9.16", "2.999.3", "0.39", "2.47.16383.2097151", "1.0.0")


def random_value(declaration: Declaration, rng: random.Random) -> Value:
    """Give a value of a type."""
    return _Maker(rng).value(declaration, 0)


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._made = 0

    def value(self, declaration: Declaration, depth: int) -> Value:
        self._made += 1
        match declaration:
            case Type():
                return self.value(declaration.declaration(), depth)
            case SequenceOf(element, size):
                count = size.lower if self._enough(depth) else random_size(size, self._rng)
                return [self.value(element, depth + 1) for _ in range(count)]
            case Choice(alternatives, extensions):
                every = (*alternatives, *(extensions or ()))
                name, chosen = shallowest(every) if self._enough(depth) else self._rng.choice(every)
                return name, self.value(chosen, depth + 1)
            case Sequence():
                return self._sequence(declaration, depth)
        return random_scalar(declaration, self._rng)

    def _enough(self, depth: int) -> bool:
        return depth > DEEPEST or self._made > ENOUGH

    def _sequence(self, declaration: Sequence, depth: int) -> dict[str, Value]:
        value = {}
        chance = self._rng.random()
        extended = self._rng.random() < 0.5
        for component in declaration.components:
            if not component.optional or (self._rng.random() < chance and not self._enough(depth)):
                value[component.name] = self.value(component.declaration, depth + 1)
        for addition in (declaration.additions or ()) if extended else ():
            group = isinstance(addition, tuple)
            if self._rng.random() < chance and not self._enough(depth):
                for component in addition if isinstance(addition, tuple) else (addition,):
                    if not (group and component.optional and self._rng.random() < chance):
                        value[component.name] = self.value(component.declaration, depth + 1)
        return {name: item for name, item in value.items() if not is_default(declaration, name, item)}


def random_scalar(declaration: Declaration, rng: random.Random) -> Value:
    """Give a value of a type that contains no others."""
    match declaration:
        case Boolean():
            return rng.random() < 0.5
        case Null():
            return None
        case Integer(lower, upper, extensible):
            return random_integer(lower, upper, extensible, rng)
        case Enumerated(names, extensions):
            return rng.choice((*names, *(extensions or ())))
        case ObjectIdentifier():
            return rng.choice(IDENTIFIERS)
        case OctetString(size):
            return random_octets(random_size(size, rng), rng)
        case OpenType():
            return random_octets(rng.randint(1, 9), rng)
        case BitString(size):
            count = random_size(size, rng)
            return rng.getrandbits(count) if count else 0, count
        case CharacterString(kind, size, alphabet):
            characters = alphabet or ALPHABETS.get(kind) or WIDE_ALPHABET
            return "".join(rng.choice(characters) for _ in range(random_size(size, rng)))
        case OctetText():
            return "".join(rng.choice("azAZ09 ") for _ in range(rng.choice((0, 1, 5, 200))))
    raise AssertionError(declaration)


def random_octets(count: int, rng: random.Random) -> bytes:
    return rng.getrandbits(8 * count).to_bytes(count, "big") if count else b""


def shallowest(alternatives: tuple[tuple[str, Declaration], ...]) -> tuple[str, Declaration]:
    """Give an alternative that ends soon."""
    return min(alternatives, key=lambda alternative: isinstance(alternative[1], Type | Sequence | Choice | SequenceOf))


def is_default(declaration: Sequence, name: str, value: Value) -> bool:
    """Whether a value is a component's default, which is not sent and therefore not read back."""
    every: list[Component] = list(declaration.components)
    for addition in declaration.additions or ():
        every += addition if isinstance(addition, tuple) else (addition,)
    return any(
        component.name == name and component.default is not None and component.default == value for component in every
    )


def random_size(size: Size, rng: random.Random) -> int:
    if size.upper is None:
        return rng.choice((size.lower, size.lower + rng.randint(0, LONGEST), size.lower + rng.randint(0, 300)))
    return min(size.upper, rng.choice((size.lower, size.lower + rng.randint(0, LONGEST))))


def random_integer(lower: int | None, upper: int | None, extensible: bool, rng: random.Random) -> int:
    if lower is None or (extensible and rng.random() < 0.3):
        return rng.randint(-(1 << rng.randint(0, 80)), 1 << rng.randint(0, 80))
    if upper is None:
        return lower + rng.getrandbits(rng.randint(1, 70))
    return rng.choice((lower, upper, rng.randint(lower, upper), min(upper, lower + rng.randint(0, 300))))
