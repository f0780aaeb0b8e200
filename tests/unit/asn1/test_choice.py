"""CHOICE, its extensions, and those that we don't know."""

import pytest

from firmware.asn1 import Schema
from firmware.errors import DecodeError

MANY = ", ".join(f"x{index} octets" for index in range(80))


@pytest.mark.parametrize(
    ("text", "value", "encoded"),
    [
        ("<a>", ("a", None), "00"),
        ("<a, b, c>", ("c", None), "80"),
        ("<a bool, b int(0..7)>", ("b", 5), "d0"),
        ("<a, b, ...>", ("b", None), "40"),
        ("<a, b, ..., c bool, d>", ("c", True), "800180"),
        ("<a, b, ..., c bool, d>", ("d", None), "810100"),
        ("<a, ...>", ("+0", b"xy"), "80027879"),
        (f"<a, ..., {MANY}>", ("x79", b"z"), "c0014f02017a"),
        ("<a, ...>", ("+79", b"\x01z"), "c0014f02017a"),
    ],
)
def test_forms(text: str, value: tuple[str, object], encoded: str) -> None:
    kind = Schema(f"T = {text}")["T"]
    assert kind.encode(value).hex() == encoded
    assert kind.decode(bytes.fromhex(encoded)) == value


def test_what_stands_behind_an_unknown_alternative_is_read() -> None:
    new = Schema("T = {x <a, ..., b {c octets, d bool}>, y octets}")["T"]
    old = Schema("T = {x <a, ...>, y octets}")["T"]
    encoded = new.encode({"x": ("b", {"c": b"abc", "d": True}), "y": b"end"})
    value = old.decode(encoded)
    assert value == {"x": ("+0", b"\x03abc\x80"), "y": b"end"}
    assert old.encode(value) == encoded


@pytest.mark.parametrize("value", [("c", None), ("+0", b""), "a", ("a",), None, ("b", 1), ("a", 1), (1, 2)], ids=repr)
def test_no_value_of_the_type(value: object) -> None:
    with pytest.raises(ValueError, match=r"^T"):
        Schema("T = <a, b bool>")["T"].encode(value)


@pytest.mark.parametrize(
    ("text", "encoded", "said"),
    [
        ("<a, b, c>", "c0", "T: alternative 3 of 3"),
        ("<a, b octets>", "8005", "T.b: "),
        ("<a, ..., b octets>", "80020561", "T.b: "),
        ("<a, ..., b octets>", "80050161", "T.b: "),
        ("<a, ...>", "8005", "T: "),
        ("<a, ...>", "", "T: "),
    ],
)
def test_no_encoding_of_the_type(text: str, encoded: str, said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        Schema(f"T = {text}")["T"].decode(bytes.fromhex(encoded))
