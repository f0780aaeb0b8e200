"""Schemas: types by name, limits, and where something is wrong."""

import pytest

from firmware.asn1 import Schema
from firmware.asn1.bits import MAX_DEPTH, MAX_OCTETS
from firmware.errors import DecodeError

BASE = Schema("Number = int(0..255)\nBroken = {a What}\nWorse = {a %}\n")
SCHEMA = Schema(
    "Pair = {a base.Number, b? Pair2}\nPair2 = {x bool}\nTree = recursive {branches [Tree](0..3)}\n", base=BASE
)


def test_types_of_other_schemas() -> None:
    assert SCHEMA["Pair"].encode({"a": 7, "b": {"x": True}}).hex() == "800780"
    assert SCHEMA["base.Number"] is BASE["Number"]
    assert SCHEMA["Pair"] is SCHEMA["Pair"]
    assert list(SCHEMA.names) == ["Pair", "Pair2", "Tree"]


def test_unknown_type() -> None:
    for name in ("What", "base.What", "what.Number"):
        with pytest.raises(KeyError):
            SCHEMA[name]


def test_nothing_is_made_before_it_is_used() -> None:
    for name in ("Broken", "Worse"):
        kind = BASE[name]
        with pytest.raises(ValueError, match=f"^{name}: "):
            kind.declaration()


def test_values_behind_each_other() -> None:
    kind = SCHEMA["Pair"]
    encoded = kind.encode({"a": 7}) + kind.encode({"a": 8, "b": {"x": False}})
    assert kind.decode_all(encoded) == [{"a": 7}, {"a": 8, "b": {"x": False}}]
    assert kind.decode(encoded) == {"a": 7}
    assert kind.decode_all(b"") == []
    with pytest.raises(DecodeError, match=r"^Pair.a: ends too early|wanted"):
        kind.decode_all(encoded + b"\0")


def test_values_without_bits_come_to_an_end() -> None:
    assert Schema("T = null")["T"].decode_all(bytes(100)) == [None] * 100
    with pytest.raises(DecodeError, match="elements"):
        Schema("T = null")["T"].decode_all(bytes(MAX_OCTETS))


def nested(depth: int) -> object:
    value: dict[str, object] = {"branches": []}
    for _ in range(depth - 1):
        value = {"branches": [value]}
    return value


def test_depth() -> None:
    kind = SCHEMA["Tree"]
    assert kind.decode(kind.encode(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(DecodeError, match="within themselves"):
        kind.decode(kind.encode(nested(MAX_DEPTH + 1)))
    with pytest.raises(DecodeError, match="within themselves"):
        kind.decode(b"\x55" * MAX_OCTETS)
    assert kind.decode(b"\x0e" * 2 + bytes(20)), "depth counts what is open, not what was"


@pytest.mark.parametrize("length", range(9))
def test_message_that_was_cut_off(length: int) -> None:
    kind = Schema("T = {a octets, b {c int(0..65535), d [bool](4..300)}}")["T"]
    encoded = kind.encode({"a": b"abc", "b": {"c": 1, "d": [True] * 8}})
    assert len(encoded) == 9
    with pytest.raises(DecodeError, match=r"^T.*: .*(octets are wanted|ends too early).*before octet \d"):
        kind.decode(encoded[:length])
