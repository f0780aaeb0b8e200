from __future__ import annotations

import pytest

from firmware.h323.ras_alias import (
    MAX_ALIASES,
    encode_alias,
    encode_aliases,
    encode_usable,
    guess,
    host_port,
    read_aliases,
    read_host_port,
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("3000", "dialledDigits"),
        ("*77#1,2", "dialledDigits"),
        ("Court 3", "h323-ID"),
        ("Saal Würzburg", "h323-ID"),
        ("h323:room@example.org", "url-ID"),
        ("https://example.org/room", "url-ID"),
        ("room@example.org", "email-ID"),
        ("192.0.2.1:1720", "transportID"),
        ("[2001:db8::1]:1720", "transportID"),
        ("192.0.2.1", "h323-ID"),
        ("192.0.2.1:0", "h323-ID"),
    ],
)
def test_what_people_write(text: str, kind: str) -> None:
    assert guess(text) == (kind, text)
    assert encode_alias(guess(text))[0] == kind


@pytest.mark.parametrize(
    "alias",
    [
        ("dialledDigits", "30a"),
        ("dialledDigits", ""),
        ("dialledDigits", "1" * 129),
        ("h323-ID", ""),
        ("h323-ID", "x" * 257),
        ("h323-ID", "room \U0001f600"),
        ("h323-ID", "\ud800"),
        ("h323-ID", "room\0"),
        ("url-ID", "h323:würzburg"),
        ("email-ID", "x" * 513),
        ("transportID", "192.0.2.1"),
        ("transportID", "example.org:1720"),
        ("transportID", "2001:db8::1:1720"),
        ("transportID", "[192.0.2.1]:1720"),
        ("partyNumber", "3000"),
    ],
)
def test_what_can_t_be_an_alias(alias: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        encode_alias(alias)


def test_all_kinds_come_back() -> None:
    aliases = (
        ("h323-ID", "Raum ÄÖ"),
        ("dialledDigits", "3000#"),
        ("url-ID", "h323:room@example.org"),
        ("email-ID", "room@example.org"),
        ("transportID", "192.0.2.1:1720"),
        ("transportID", "[2001:db8::1]:1720"),
    )
    assert read_aliases(encode_aliases(aliases)) == aliases


def test_what_a_far_end_names_wrongly_is_left_out() -> None:
    assert encode_usable([("h323-ID", "\ud800"), ("h323-ID", "room"), ("mobileUIM", "x")]) == [("h323-ID", "room")]


def test_reading_passes_over_what_it_does_not_know() -> None:
    values = [
        ("mobileUIM", ("gsmUIM", {})),
        ("+3", b"\0"),
        ("transportID", ("netBios", bytes(16))),
        ("h323-ID", "room\0"),
        ("h323-ID", "room"),
        ("partyNumber", ("e164Number", {"publicTypeOfNumber": ("unknown", None), "publicNumberDigits": "49931"})),
    ]
    assert read_aliases(values) == (("h323-ID", "room"), ("dialledDigits", "49931"))


def test_what_is_read_can_be_written() -> None:
    values = [("h323-ID", "\ud800"), ("h323-ID", "\0"), ("url-ID", "a\0b"), ("h323-ID", "room")]
    assert encode_aliases(read_aliases(values)) == [("h323-ID", "room")]


def test_reading_has_a_bound() -> None:
    assert len(read_aliases([("dialledDigits", str(n)) for n in range(1000)])) == MAX_ALIASES


@pytest.mark.parametrize("address", [("192.0.2.1", 1), ("2001:db8::1", 65535)])
def test_an_address_is_read_as_it_is_written(address: tuple[str, int]) -> None:
    assert read_host_port(host_port(address)) == address


@pytest.mark.parametrize(
    "text", ["", ":", "1720", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:17x", "[::1:1720", "a:1"]
)
def test_what_is_no_address(text: str) -> None:
    assert read_host_port(text) is None
