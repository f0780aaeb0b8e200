"""Decodes with pycrate, and compares what it gives with a value of ours.

pycrate 0.8.1 is trusted where it decodes, with three exceptions: a type that stands within itself (the inner value
overwrites the outer), an open type of more than 16K (it loses a bit behind the fragments), and a string of bounded size
that has no characters (it aligns nothing, against X.691 10.9.3.3).  asn1tools does the first and the last as we do.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest
from conformance.pycrate_schema import MODULES

from firmware.asn1 import Value
from firmware.asn1.choice import Choice
from firmware.asn1.declaration import Declaration
from firmware.asn1.schema import Schema, Type
from firmware.asn1.sequence import Component, Sequence
from firmware.asn1.sequence_of import SequenceOf
from firmware.h323.h225 import SCHEMA as H225
from firmware.h323.h235_types import SCHEMA as H235
from firmware.h323.h245 import SCHEMA as H245

SCHEMAS = {"h235": H235, "h225": H225, "h245": H245}
LONGEST = 16_000
"""Octets of an encoding in which there are no fragments."""


def require_pycrate() -> None:
    """Skip where pycrate is not installed; CI has it, so there it is an error."""
    if not os.environ.get("CI"):
        pytest.importorskip("pycrate_asn1dir")


def oracle(schema: Schema, name: str) -> Any:
    """Give pycrate's object for a type."""
    module, group = MODULES[next(key for key, value in SCHEMAS.items() if value is schema)]
    found = getattr(importlib.import_module(f"pycrate_asn1dir.{module}"), group)
    return getattr(found, name.replace("-", "_"))


def difference(ours: Value, theirs: Any, declared: Any, path: str = "") -> str:
    """Say where pycrate's value differs from ours; "" nowhere.  What a newer version added it may not know."""
    match declared.TYPE:
        case "SEQUENCE" | "SET":
            known = {name: value for name, value in ours.items() if name in declared._cont}
            there = {name: value for name, value in theirs.items() if not name.startswith("_ext_")}
            if known.keys() != there.keys():
                return f"{path}: {sorted(known.keys() ^ there.keys())}"
            parts = ((known[name], there[name], declared._cont[name], f"{path}.{name}") for name in known)
            return next(filter(None, (difference(*part) for part in parts)), "")
        case "CHOICE":
            name, value = ours
            if theirs[0].startswith("_ext_") and name not in declared._cont:
                return ""
            if name != theirs[0]:
                return f"{path}: {name}, not {theirs[0]}"
            return difference(value, theirs[1], declared._cont[name], f"{path}.{name}")
        case "SEQUENCE OF" | "SET OF":
            if len(ours) != len(theirs):
                return f"{path}: {len(ours)} elements, not {len(theirs)}"
            elements = enumerate(zip(ours, theirs, strict=True))
            found = (difference(one, other, declared._cont, f"{path}[{index}]") for index, (one, other) in elements)
            return next(filter(None, found), "")
    return "" if ours == scalar(declared.TYPE, theirs) else f"{path}: {ours!r}, not {theirs!r}"


def scalar(kind: str, value: Any) -> Value:
    """Put pycrate's form of a value into ours."""
    if kind == "NULL":
        return None
    if kind == "OBJECT IDENTIFIER":
        return ".".join(map(str, value))
    if kind == "OPEN_TYPE" and isinstance(value, tuple):
        return value[1]
    return value.decode("latin-1") if kind == "GeneralString" and isinstance(value, bytes) else value


def pycrate_fails(declaration: Declaration, value: Value, above: frozenset[Type] = frozenset()) -> bool:
    """Whether a value has something that pycrate doesn't read well: a type within itself, or a string of nothing."""
    match declaration:
        case Type():
            inside = above | {declaration}
            return declaration in above or pycrate_fails(declaration.declaration(), value, inside)
        case Sequence(components, additions):
            groups = [(addition,) if isinstance(addition, Component) else addition for addition in additions or ()]
            return any(
                component.name in value and pycrate_fails(component.declaration, value[component.name], above)
                for group in (components, *groups)
                for component in group
            )
        case Choice(alternatives, extensions):
            chosen = dict((*alternatives, *(extensions or ())))[value[0]]
            return pycrate_fails(chosen, value[1], above)
        case SequenceOf(element):
            return any(pycrate_fails(element, item, above) for item in value)
    return value == ""
