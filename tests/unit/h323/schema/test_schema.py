"""The schemas: every type can be made, and what can stand within itself is marked so."""

import pytest

from firmware.asn1.choice import Choice
from firmware.asn1.declaration import Declaration
from firmware.asn1.schema import Type
from firmware.asn1.sequence import Component, Sequence
from firmware.asn1.sequence_of import SequenceOf
from firmware.h323.h225 import SCHEMA as H225
from firmware.h323.h235_types import SCHEMA as H235
from firmware.h323.h245 import SCHEMA as H245
from firmware.h323.h450_types import SCHEMA as H450
from firmware.h323.schema import load

TYPES = [schema[name] for schema in (H225, H235, H245, H450) for name in schema.names]


def contained(declaration: Declaration) -> set[Type]:
    """Types that a type names."""
    match declaration:
        case Type():
            return {declaration}
        case SequenceOf(element):
            return contained(element)
        case Choice(alternatives, extensions):
            parts = [part for _, part in (*alternatives, *(extensions or ()))]
        case Sequence(components, additions):
            groups = [(addition,) if isinstance(addition, Component) else addition for addition in additions or ()]
            parts = [component.declaration for group in (components, *groups) for component in group]
        case _:
            return set()
    return set().union(*map(contained, parts))


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_type_can_be_made(kind: Type) -> None:
    kind.reader()
    kind.writer()
    assert all(part.declaration() for part in contained(kind.declaration()))


def test_what_can_stand_within_itself_is_marked() -> None:
    unmarked = {kind: contained(kind.declaration()) for kind in TYPES if not kind.is_recursive}
    while ended := [kind for kind, parts in unmarked.items() if not parts & unmarked.keys()]:
        for kind in ended:
            del unmarked[kind]
    assert not unmarked, "types in a circle without a mark"


def test_unknown_schema() -> None:
    with pytest.raises(FileNotFoundError):
        load("h999")
