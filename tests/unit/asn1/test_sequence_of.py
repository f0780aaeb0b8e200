"""SEQUENCE OF and SET OF."""

import pytest

from firmware.asn1 import Schema
from firmware.asn1.bits import MAX_ELEMENTS
from firmware.errors import DecodeError


@pytest.mark.parametrize(
    ("text", "value", "encoded"),
    [
        ("[bool]", [True, False, True], "03a0"),
        ("[bool](3)", [True, False, True], "a0"),
        ("[int(0..255)](1..4)", [7, 8], "400708"),
        ("[bool](1..2, ...)", [True], "20"),
        ("[bool](1..2, ...)", [True, True, True], "8003e0"),
        ("[[octets]]", [[], [b"a"]], "0200010161"),
        ("[null]", [None, None], "02"),
    ],
)
def test_forms(text: str, value: list[object], encoded: str) -> None:
    kind = Schema(f"T = {text}")["T"]
    assert kind.encode(value).hex() == encoded
    assert kind.decode(bytes.fromhex(encoded)) == value


def test_long_list_goes_in_fragments() -> None:
    kind = Schema("T = {a [bool], b octets}")["T"]
    value = {"a": [index % 3 == 0 for index in range(MAX_ELEMENTS)], "b": b"end"}
    encoded = kind.encode(value)
    assert encoded[0] == 0xC1
    assert kind.decode(encoded) == value


@pytest.mark.parametrize("encoded", ["c4" * 50, "c1" * 50, "ffff"])
def test_elements_without_bits_are_counted(encoded: str) -> None:
    for text in ("[null]", "[{}](0..65535)", "[[null](2)]"):
        with pytest.raises(DecodeError, match=r"elements|fragment|octets"):
            Schema(f"T = {text}")["T"].decode(bytes.fromhex(encoded))


def test_elements_are_counted_over_all_lists() -> None:
    kind = Schema("T = [[null]]")["T"]
    kind.decode(b"\x03" + b"\xbf\xf0\x00\x00")
    with pytest.raises(DecodeError, match="elements"):
        kind.decode(b"\x03" + b"\xbf\xff" * 3)


def test_where_it_is_wrong() -> None:
    kind = Schema("T = [{a int(0..5)}]")["T"]
    with pytest.raises(DecodeError, match=r"^T\[1\]\.a: 7 is not in 0\.\.5 \(before octet 1\)"):
        kind.decode(b"\x02\x1c")
    with pytest.raises(ValueError, match=r"^T\[1\]\.a: 6 is not in 0\.\.5"):
        kind.encode([{"a": 1}, {"a": 6}])
    with pytest.raises(ValueError, match="is no list"):
        kind.encode({"a": 1})
    with pytest.raises(ValueError, match="a size of 3"):
        Schema("T = [null](1..2)")["T"].encode([None] * 3)
