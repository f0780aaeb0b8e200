from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec.inspect as mi
import pytest
from msgspec import Meta, Struct

from firmware.config.allowed import describe, extra, is_valid, longest, tables_of

Even = Annotated[int, Meta(extra={"valid": lambda number: number % 2 == 0, "allowed": "an even number"})]


class Table(Struct):
    """Settings of which there are several."""


Tables = Annotated[tuple[Table, ...], Meta(max_length=4)]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (bool, "true or false"),
        (int, "a whole number"),
        (Annotated[int, Meta(ge=1)], "a whole number at least 1"),
        (Annotated[int, Meta(le=9, ge=1, multiple_of=2)], "a whole number from 1 to 9, a multiple of 2"),
        (Annotated[float, Meta(le=0.5)], "a number at most 0.5"),
        (Annotated[str, Meta(max_length=3)], "a text at most 3 characters long"),
        (Annotated[str, Meta(pattern="^a$")], "a text that matches ^a$"),
        (Literal["b", "a"], '"a" or "b"'),
        (Annotated[tuple[Even, ...], Meta(min_length=1)], "a list at least 1 long, each an even number"),
        (Even, "an even number"),
        (Tables, "tables at most 4 in number"),
        (dict[str, Any], "a section with settings of its own"),
    ],
)
def test_what_a_type_allows(kind: Any, words: str) -> None:
    assert describe(mi.type_info(kind)) == words


def test_what_a_value_must_pass_besides() -> None:
    assert is_valid(mi.type_info(Even), 2)
    assert not is_valid(mi.type_info(Even), 3)
    assert is_valid(mi.type_info(tuple[Even, ...]), (2, 4))
    assert not is_valid(mi.type_info(Annotated[tuple[Even, ...], Meta(max_length=9)]), (2, 3))
    assert is_valid(mi.type_info(int), 3)


def test_what_an_annotation_adds() -> None:
    assert extra(mi.type_info(Even))["allowed"] == "an even number"
    assert extra(mi.type_info(int)) == {}


def test_lists_of_tables() -> None:
    assert tables_of(mi.type_info(Tables)) is Table
    assert tables_of(mi.type_info(tuple[int, ...])) is None
    assert longest(mi.type_info(Tables)) == 4
    assert longest(mi.type_info(tuple[int, ...])) is None
    assert longest(mi.type_info(int)) is None
