"""OCTET STRING, BIT STRING, open types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.asn1 import Schema
from firmware.errors import DecodeError


@pytest.mark.parametrize(
    ("text", "value", "encoded"),
    [
        ("{a bool, b octets(2)}", {"a": True, "b": b"ab"}, "b0b100"),  # 16.6: not aligned
        ("{a bool, b octets(4)}", {"a": True, "b": b"abcd"}, "8061626364"),
        ("{a bool, b octets(1..4), c bool}", {"a": True, "b": b"a", "c": True}, "806180"),
        ("{a bool, b octets(0..4), c bool}", {"a": True, "b": b"", "c": True}, "88"),  # 10.7.1
        ("{a bool, b octets}", {"a": True, "b": b""}, "8000"),
        ("{a bool, b octets(2, ...)}", {"a": False, "b": b"abc"}, "4003616263"),
        ("{a bool, b bits(16)}", {"a": True, "b": (0x8001, 16)}, "c00080"),  # 15.9: not aligned
        ("{a bool, b bits(32)}", {"a": True, "b": (1, 32)}, "8000000001"),
        ("{a bool, b bits(0..8), c bool}", {"a": True, "b": (5, 3), "c": True}, "98b0"),
        ("{a bool, b bits(0..8), c bool}", {"a": True, "b": (0, 0), "c": True}, "84"),
        ("bits", (1, 9), "090080"),
        ("open", b"\x05", "0105"),
    ],
)
def test_forms(text: str, value: object, encoded: str) -> None:
    kind = Schema(f"T = {text}")["T"]
    assert kind.encode(value).hex() == encoded
    assert kind.decode(bytes.fromhex(encoded)) == value


@given(st.integers(0, 40000), st.integers(0, 7), st.integers(0))
def test_long_bit_strings(count: int, before: int, bits: int) -> None:
    kind = Schema(f"T = {{a int(0..{(1 << before) - 1}), b bits, c octets}}")["T"]
    value = {"a": 0, "b": (bits & (1 << count) - 1, count), "c": b"end"}
    assert kind.decode(kind.encode(value)) == value


@pytest.mark.parametrize("length", [16383, 16384, 65536, 100_000])
def test_long_octet_strings(length: int) -> None:
    for text in ("octets", "octets(1..200000)", "open"):
        kind = Schema(f"T = {{a bool, b {text}, c bool}}")["T"]
        value = {"a": True, "b": bytes(range(256)) * (length // 256 + 1), "c": True}
        assert kind.decode(kind.encode(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("octets", "a"),
        ("octets(2)", b"a"),
        ("open", None),
        ("bits", b"a"),
        ("bits", (4, 2)),
        ("bits", (-1, 2)),
        ("bits", 5),
    ],
)
def test_no_value_of_the_type(text: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"^T: "):
        Schema(f"T = {text}")["T"].encode(value)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [("octets", "0561"), ("octets(5..70000)", "0461626364"), ("bits(5..70000)", "0430"), ("bits", "09ff")],
)
def test_no_encoding_of_the_type(text: str, encoded: str) -> None:
    with pytest.raises(DecodeError, match=r"^T: "):
        Schema(f"T = {text}")["T"].decode(bytes.fromhex(encoded))
