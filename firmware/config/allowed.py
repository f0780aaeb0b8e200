"""What the type of a setting allows, for people and for values.

An annotation's ``extra`` may add ``valid``, a function that a value must pass besides; ``allowed``, better words; and
``secret``: a wrong value is not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec.inspect as mi
from msgspec import Struct

from firmware.config.toml import toml_value


def extra(form: mi.Type) -> Mapping[str, Any]:
    """What an annotation adds to a type."""
    return form.extra or {} if isinstance(form, mi.Metadata) else {}


def is_valid(form: mi.Type, value: Any) -> bool:
    """Whether a value of the right type also passes the ``valid`` functions of its annotations."""
    valid = extra(form).get("valid")
    if isinstance(form, mi.Metadata):
        return (valid is None or valid(value)) and is_valid(form.type, value)
    return not isinstance(form, mi.VarTupleType) or all(is_valid(form.item_type, item) for item in value)


def tables_of(form: mi.Type) -> type[Struct] | None:
    """The settings of one table, where a setting is a list of tables; None for any other."""
    match form:
        case mi.Metadata():
            return tables_of(form.type)
        case mi.VarTupleType(item_type=mi.StructType(cls=kind)):
            return kind
        case _:
            return None


def longest(form: mi.Type) -> int | None:
    """How many items a list may have; None: any number."""
    if isinstance(form, mi.Metadata):
        return longest(form.type)
    return form.max_length if isinstance(form, mi.VarTupleType) else None


def describe(form: mi.Type) -> str:
    """What a setting of this type may be, to follow the words "must be"."""
    match form:
        case mi.Metadata():
            return str(extra(form).get("allowed") or describe(form.type))
        case mi.BoolType():
            return "true or false"
        case mi.LiteralType(values=values):
            return " or ".join(toml_value(value) for value in values)
        case mi.IntType():
            even = f", a multiple of {form.multiple_of}" if form.multiple_of else ""
            return f"a whole number{_range(form.ge, form.le)}{even}"
        case mi.FloatType():
            return f"a number{_range(form.ge, form.le)}"
        case mi.StrType(pattern=pattern):
            only = f" that matches {pattern}" if pattern else ""
            return f"a text{_range(form.min_length, form.max_length, ' characters long')}{only}"
        case mi.VarTupleType(item_type=mi.StructType()):
            return f"tables{_range(form.min_length, form.max_length, ' in number')}"
        case mi.VarTupleType():
            return f"a list{_range(form.min_length, form.max_length, ' long')}, each {describe(form.item_type)}"
        case _:
            return "a section with settings of its own"


def _range(least: float | None, most: float | None, unit: str = "") -> str:
    if least is None and most is None:
        return ""
    if least is None or most is None:
        return f" at least {least}{unit}" if most is None else f" at most {most}{unit}"
    return f" from {least} to {most}{unit}"
