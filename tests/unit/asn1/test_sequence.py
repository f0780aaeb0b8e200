"""SEQUENCE and SET: optional components, defaults, extension additions, groups."""

import pytest

from firmware.asn1 import Schema
from firmware.errors import DecodeError

OLD = Schema("T = {a bool, b? int(0..255), ...}")["T"]
NEW = Schema("T = {a bool, b? int(0..255), ..., c octets, d? bool, [[e int(0..3), f? <x, y>]], g?}")["T"]


@pytest.mark.parametrize(
    ("text", "value", "encoded"),
    [
        ("{}", {}, "00"),
        ("{a bool, b bool}", {"a": True, "b": False}, "80"),
        ("{a? bool, b? int(0..7)}", {"b": 5}, "68"),
        ("{a? bool, b? int(0..7)}", {}, "00"),
        ("{a? null}", {"a": None}, "80"),
        ("{a int(0..7) = 3, b bool = true}", {"a": 3, "b": True}, "00"),  # 18.5: a default is not sent
        ("{a int(0..7) = 3, b bool = true}", {"a": 4, "b": False}, "e0"),
        ('{a ia5 = "x", b enum(p, q) = q}', {"a": "x", "b": "p"}, "40"),
        ("{a bool, ...}", {"a": True}, "40"),
        ("{a bool, ..., b bool}", {"a": True, "b": True}, "c0400180"),  # 18.8: one less in six bits, then the bits
        ("{a bool, ..., b? bool, c?}", {"a": True, "c": None}, "c0a00100"),
        ("{a bool, ..., [[b bool, c? int(0..7)]], d?}", {"a": True, "b": True, "c": 2}, "c0c001d0"),
        ("{a bool, ..., b bool, ..., c bool}", {"a": True, "c": True}, "60"),
    ],
)
def test_forms(text: str, value: dict[str, object], encoded: str) -> None:
    kind = Schema(f"T = {text}")["T"]
    assert kind.encode(value).hex() == encoded
    sent = {
        name: item
        for name, item in value.items()
        if (name, item) not in {("a", 3), ("b", True), ("a", "x")} or "=" not in text
    }
    assert kind.decode(bytes.fromhex(encoded)) == sent


def test_default_that_was_sent_is_taken() -> None:
    assert Schema("T = {a int(0..7) = 3}")["T"].decode(b"\xb0") == {"a": 3}


@pytest.mark.parametrize(
    "value",
    [
        {"a": True, "c": b"xyz"},
        {"a": True, "b": 7, "c": b"", "d": False},
        {"a": False, "c": bytes(20_000), "e": 2},
        {"a": False, "c": b"1", "e": 2, "f": ("y", None), "g": None},
        {"a": True, "b": 1, "g": None},
    ],
)
def test_additions_are_skipped_by_who_does_not_know_them(value: dict[str, object]) -> None:
    encoded = NEW.encode(value)
    assert NEW.decode(encoded) == value
    assert OLD.decode(encoded) == {name: item for name, item in value.items() if name in "ab"}
    behind = Schema("T = [O]  O = {a bool, b? int(0..255), ...}".replace("  ", "\n"))["T"]
    assert behind.decode(b"\1" + encoded) == [OLD.decode(encoded)]


def test_what_stands_behind_skipped_additions_is_read() -> None:
    new = Schema("T = {x {a bool, ..., b octets, c? bool}, y octets}")["T"]
    old = Schema("T = {x {a bool, ...}, y octets}")["T"]
    value = {"x": {"a": True, "b": b"abc", "c": False}, "y": b"end"}
    assert old.decode(new.encode(value)) == {"x": {"a": True}, "y": b"end"}


def test_more_than_64_additions() -> None:
    new = Schema("T = {a bool, ..., " + ", ".join(f"x{index}? bool" for index in range(100)) + "}")["T"]
    value = {"a": True, "x0": True, "x70": False, "x99": True}
    assert new.decode(new.encode(value)) == value
    assert Schema("T = {a bool, ...}")["T"].decode(new.encode(value)) == {"a": True}


def test_many_optional_components() -> None:
    kind = Schema("T = {" + ", ".join(f"x{index}? int(0..3)" for index in range(70)) + "}")["T"]
    for step in (1, 3, 69):
        value = {f"x{index}": index & 3 for index in range(0, 70, step)}
        assert kind.decode(kind.encode(value)) == value


def test_combinations_without_number_are_read_but_not_remembered() -> None:
    kind = Schema("T = {" + ", ".join(f"x{index}? bool" for index in range(10)) + "}")["T"]
    for presence in range(1024):
        value = {f"x{index}": True for index in range(10) if presence >> index & 1}
        assert kind.decode(kind.encode(value)) == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "missing: a"),
        ({"a": True, "z": 1}, "no components: z"),
        ({"a": 1}, "T.a: 1 is no bool"),
        ({"a": True, "c": b"", "e": 9}, "T.e: 9 is not in 0..3"),
        ({"a": True, "f": ("x", None)}, "missing: e"),
        ([], "is no dict"),
    ],
)
def test_no_value_of_the_type(value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        NEW.encode(value)


@pytest.mark.parametrize(
    ("encoded", "said"),
    [
        ("a0", "T: 2 octets are wanted"),
        ("60", "T: 2 octets"),
        ("8440", "T: "),
        ("9fe0", "T"),
        ("a0200561", "T.c: "),
        ("c0ffff", "T: "),
        ("b08401", "T: more than 1024 extension additions"),
    ],
)
def test_no_encoding_of_the_type(encoded: str, said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        NEW.decode(bytes.fromhex(encoded))
