"""BOOLEAN, NULL, INTEGER, ENUMERATED, OBJECT IDENTIFIER."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.asn1 import Schema
from firmware.asn1.scalar import MAX_IDENTIFIER_OCTETS, identifier, identifier_octets
from firmware.errors import DecodeError


@pytest.mark.parametrize(
    ("text", "value", "encoded"),
    [
        ("bool", True, "80"),
        ("bool", False, "00"),
        ("null", None, "00"),
        ("int", -2, "01fe"),
        ("int(1..)", 1, "0100"),
        ("int(0..7)", 7, "e0"),
        ("int(0..7, ...)", 7, "70"),
        ("int(0..7, ...)", 8, "800108"),
        ("int(0..7, ...)", -1, "8001ff"),
        ("enum(a, b, c)", "c", "80"),
        ("enum(a)", "a", "00"),
        ("enum(a, b, c, ...)", "b", "20"),
        ("enum(a, b, ..., c, d)", "d", "81"),
        ("enum(a, b, ..., c)", "+3", "83"),
        ("oid", "0.0.8.2250.0.7", "060008914a0007"),
        ("oid", "2.999", "028837"),
    ],
)
def test_forms(text: str, value: object, encoded: str) -> None:
    kind = Schema(f"T = {text}")["T"]
    assert kind.encode(value).hex() == encoded
    assert kind.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("bool", 1),
        ("null", 0),
        ("int", "1"),
        ("int(0..7)", 8),
        ("int(1..)", 0),
        ("enum(a, b)", "c"),
        ("enum(a, b)", "+0"),
        ("enum(a, ...)", "+x"),
        ("enum(a, ...)", None),
        ("oid", "1"),
        ("oid", "3.1"),
        ("oid", "1.40"),
        ("oid", "0.1.-1"),
        ("oid", "a.b"),
        ("oid", 5),
        ("oid", ["1.2"]),
        ("enum(a, ...)", ["a"]),
        ("<a, ...>", ("+0", None)),
    ],
)
def test_no_value_of_the_type(text: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"^T(\.\+0)?: "):
        Schema(f"T = {text}")["T"].encode(value)


@pytest.mark.parametrize(
    ("text", "encoded"), [("enum(a, b, c)", "c0"), ("oid", "00"), ("oid", "0288"), ("oid", "8081" + "01" * 129)]
)
def test_no_encoding_of_the_type(text: str, encoded: str) -> None:
    with pytest.raises(DecodeError, match=r"^T: "):
        Schema(f"T = {text}")["T"].decode(bytes.fromhex(encoded))


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 1 << 40), max_size=12))
def test_object_identifier(first: int, second: int, others: list[int]) -> None:
    value = ".".join(map(str, (first, second, *others)))
    assert identifier(identifier_octets(value)) == value


def test_longest_object_identifier() -> None:
    assert identifier(b"\x01" * MAX_IDENTIFIER_OCTETS).count(".") == MAX_IDENTIFIER_OCTETS
    with pytest.raises(DecodeError):
        identifier(b"\x01" * (MAX_IDENTIFIER_OCTETS + 1))
