"""Restricted character strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.asn1 import Schema
from firmware.asn1.character import ALPHABETS
from firmware.errors import DecodeError


@pytest.mark.parametrize(
    ("text", "value", "encoded"),
    [
        ("ia5", "a", "0161"),
        ("ia5(1..128)", "ab", "026162"),  # the length in seven bits, then aligned
        ('ia5(1..128, "0123456789#*,")', "12#", "044500"),
        ('ia5(1, "0123456789#*ABCD!")', "*", "2a"),  # 17 characters: 5, so 8 bits, so the code itself; not aligned
        ('{a bool, b ia5(1, "0123456789#*ABCD!")}', {"a": True, "b": "*"}, "9500"),
        ("numeric(1..16)", "19", "102a"),
        ("{a bool, b numeric(3)}", {"a": True, "b": "123"}, "91a0"),  # 27.5.6: 12 bits, not aligned
        ("{a bool, b numeric(0..3), c bool}", {"a": True, "b": "12", "c": True}, "c470"),
        (
            "{a bool, b numeric(0..40), c bool}",
            {"a": True, "b": "", "c": True},
            "81",
        ),  # 10.9.3.3: nothing is not aligned
        ("bmp(1..256)", "aж", "0100610436"),
        ("bmp", "😀", "02d83dde00"),
        ("universal", "😀", "010001f600"),
        ("utf8", "жa", "03d0b661"),
        ("general", "é", "01e9"),
        ("printable(1..4)", "A", "0041"),
        ('visible(1..3, "ab")', "bab", "a8"),
    ],
)
def test_forms(text: str, value: object, encoded: str) -> None:
    kind = Schema(f"T = {text}")["T"]
    assert kind.encode(value).hex() == encoded
    assert kind.decode(bytes.fromhex(encoded)) == value


alphabets = st.sampled_from([None, "ab", "abcd", "0123456789#*,", "0123456789#*ABCD!", "ABCDEFGHIJKLMNOP"])
sizes = st.sampled_from(["", "1", "3", "0..2", "0..40", "1..128", "2, ...", "0..70000"])


@given(st.sampled_from(sorted(ALPHABETS)), alphabets, sizes, st.data(), st.integers(0, 7))
def test_strings_come_back(kind: str, alphabet: str | None, size: str, data: st.DataObject, before: int) -> None:
    characters = alphabet if alphabet and set(alphabet) <= set(ALPHABETS[kind]) else ALPHABETS[kind]
    constraint = ", ".join(filter(None, (size, f'"{characters}"' if characters != ALPHABETS[kind] else "")))
    lower, upper = {"1": (1, 1), "3": (3, 3), "0..2": (0, 2), "1..128": (1, 128), "2, ...": (2, 50)}.get(size, (0, 40))
    text = data.draw(st.text(st.sampled_from(characters), min_size=lower, max_size=upper))
    suffix = f"({constraint})" if constraint else ""
    declared = Schema(f"T = {{a int(0..{(1 << before) - 1}), b {kind}{suffix}, c bool}}")["T"]
    value = {"a": 0, "b": text, "c": True}
    assert declared.decode(declared.encode(value)) == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_wide_strings_come_back(text: str) -> None:
    for kind in ("bmp", "universal", "utf8"):
        declared = Schema(f"T = {kind}")["T"]
        assert declared.decode(declared.encode(text)) == text


def test_long_string_goes_in_fragments() -> None:
    for kind in ("ia5", "numeric", "bmp"):
        declared = Schema(f"T = {kind}")["T"]
        text = "0123456789" * 4000
        assert declared.decode(declared.encode(text)) == text


def test_alphabet_of_one_character() -> None:
    with pytest.raises(ValueError, match="two characters"):
        Schema('T = ia5("a")')["T"].encode("aaa")


def test_lone_surrogate_is_replaced() -> None:
    assert Schema("T = bmp")["T"].decode(bytes.fromhex("02d83d0041")) == "\ufffdA"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ia5", "é"),
        ("ia5", 5),
        ('ia5("01")', "2"),
        ("numeric", "a"),
        ("printable", "!"),
        ("ia5(1..2)", ""),
        ("utf8", b"a"),
    ],
)
def test_no_value_of_the_type(text: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"^T: "):
        Schema(f"T = {text}")["T"].encode(value)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("numeric", "01f0"),
        ("printable", "0121"),
        ("bmp", "030041"),
        ("ia5(5..70000)", "0141"),
    ],
)
def test_no_encoding_of_the_type(text: str, encoded: str) -> None:
    with pytest.raises(DecodeError, match=r"^T: "):
        Schema(f"T = {text}")["T"].decode(bytes.fromhex(encoded))


@pytest.mark.parametrize(
    ("notation", "octets", "value"),
    [
        ("ia5", "0361e962", "a?b"),
        ("ia5(1..8)", "4061e962", "a?b"),
        ("utf8", "0361e962", "a\ufffdb"),
        ("bmp", "02d8000041", "\ufffdA"),
    ],
)
def test_one_character_that_is_none_costs_no_more(notation: str, octets: str, value: str) -> None:
    text = Schema(f"T = {notation}")["T"]
    assert text.decode(bytes.fromhex(octets)) == value
    assert text.decode(text.encode(value)) == value
