"""The Replaces header field (RFC 3891 6.1)."""

from __future__ import annotations

import pytest

from firmware.errors import DecodeError
from firmware.sip.replaces import Replaces


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff",
            Replaces("98732@sip.example.com", "ff87ff", "r33th4x0r"),
        ),
        ("12adf2f34456gs5;to-tag=12345;from-tag=54321", Replaces("12adf2f34456gs5", "12345", "54321")),
        ("87134@171.161.34.23;to-tag=24796;from-tag=0", Replaces("87134@171.161.34.23", "24796", "0")),
        ("a ; To-Tag=1 ; FROM-TAG=2;early-only", Replaces("a", "1", "2", early_only=True)),
        ('a;to-tag=1;from-tag=2;other="x;y"', Replaces("a", "1", "2")),
    ],
)
def test_reading(text: str, value: Replaces) -> None:
    """The examples of RFC 3891 6.1, and freer writing."""
    assert Replaces.parse(text) == value
    assert Replaces.parse(str(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a;to-tag=1",
        "a;from-tag=1",
        "a;to-tag=1;from-tag=2;to-tag=3",
        "a;to-tag=;from-tag=2",
        ";to-tag=1;from-tag=2",
        "a b;to-tag=1;from-tag=2",
        "a;to-tag=1;from-tag=2,b;to-tag=1;from-tag=2",
        "a;to-tag=1;;from-tag=2",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(DecodeError):
        Replaces.parse(text)
