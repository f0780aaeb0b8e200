"""Contents of information elements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.h323 import information_element as ie
from firmware.h323.q931 import LENGTHS, Element


@pytest.mark.parametrize(("bitrate", "octets"), [(384_000, "889886a5"), (1, "889881a5"), (100_000_000, "8898ffa5")])
def test_bearer_capability_counts_channels_of_64_kbit(bitrate: int, octets: str) -> None:
    assert ie.bearer_capability(bitrate).hex() == octets


@pytest.mark.parametrize("value", [1, 16, 17, 102, 127])
def test_cause(value: int) -> None:
    assert ie.decode_cause(ie.encode_cause(value)) == value


@pytest.mark.parametrize(
    ("octets", "value"),
    [("8090", 16), ("008091", 17), ("8190ffff", 16), ("80", None), ("00", None), ("0080", None), ("", None)],
)
def test_cause_as_others_write_it(octets: str, value: int | None) -> None:
    assert ie.decode_cause(bytes.fromhex(octets)) == value


def test_cause_of_another_coding_standard_is_none() -> None:
    assert ie.decode_cause(bytes.fromhex("e090")) is None
    assert ie.decode_cause(None) is None


@pytest.mark.parametrize(
    ("contents", "text"),
    [
        (b"bob\0", "bob"),
        (b"bob\0rubbish", "bob"),
        ("Bürö".encode(), "Bürö"),
        (b"B\xfcro", "Büro"),
        (b"a\x1b[31m\r\nb", "a[31mb"),
        ("\u202egpj.exe".encode(), "gpj.exe"),
        (b"  ", ""),
        (None, ""),
    ],
)
def test_display(contents: bytes | None, text: str) -> None:
    assert ie.decode_display(contents) == text


def test_display_is_cut_between_characters() -> None:
    octets = ie.encode_display("ä" * 100)
    assert len(octets) == ie.MAX_DISPLAY
    assert ie.decode_display(octets) == "ä" * 41
    assert len(ie.encode_display("a" + "ä" * 100)) == ie.MAX_DISPLAY - 1


def test_numbers() -> None:
    assert ie.encode_called_number("3000").hex() == "8133303030"
    assert ie.decode_number(ie.encode_called_number("*30#")) == "*30#"
    assert ie.decode_number(ie.encode_calling_number("3000")) == "3000"


@pytest.mark.parametrize(
    ("octets", "number"),
    [
        ("8133303030", "3000"),
        ("813330303000", "3000"),
        ("00803330", "30"),
        ("00a03330", ""),
        ("01", ""),
        ("81", ""),
        ("", ""),
        ("8141424300", ""),
        ("0101013330", ""),
        ("81" + "31" * 200, ""),
    ],
    ids=[
        "as we do",
        "NUL",
        "octet 3a",
        "restricted",
        "no end",
        "no digits",
        "nothing",
        "letters",
        "no end of octet 3",
        "endless",
    ],
)
def test_numbers_as_others_write_them(octets: str, number: str) -> None:
    assert ie.decode_number(bytes.fromhex(octets)) == number


def test_keypad() -> None:
    assert ie.decode_keypad(ie.encode_keypad("12#")) == "12#"
    assert ie.decode_keypad(b"abc") == ""
    assert ie.decode_keypad(None) == ""


def test_call_state() -> None:
    assert ie.decode_call_state(ie.encode_call_state(10)) == 10
    assert ie.decode_call_state(b"\x4a") is None
    assert ie.decode_call_state(None) is None


@given(st.binary(max_size=300))
def test_nothing_raises(contents: bytes) -> None:
    ie.decode_cause(contents)
    ie.decode_display(contents)
    ie.decode_number(contents)
    ie.decode_keypad(contents)
    ie.decode_call_state(contents)


def test_what_we_write_fits() -> None:
    for element, contents in (
        (Element.BEARER_CAPABILITY, ie.bearer_capability(2_000_000)),
        (Element.CAUSE, ie.encode_cause(16)),
        (Element.CALL_STATE, ie.encode_call_state(10)),
        (Element.CALLED_PARTY_NUMBER, ie.encode_called_number("1" * ie.MAX_DIGITS)),
    ):
        least, most = LENGTHS[element]
        assert least <= len(contents) <= most
