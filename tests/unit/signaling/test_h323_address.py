"""What a person may write for an H.323 address."""

from __future__ import annotations

import pytest

from firmware.errors import CallError
from firmware.signaling.h323_address import H323Address, is_h323, parse_address

READ = {
    "h323:192.0.2.1": H323Address("", "192.0.2.1"),
    " H323:192.0.2.1 ": H323Address("", "192.0.2.1"),
    "192.0.2.1:1721": H323Address("", "192.0.2.1", 1721),
    "h323:room@host.example": H323Address("room", "host.example"),
    "h323:room%20one@host.example:99;x=y": H323Address("room one", "host.example", 99),
    "a@b.example@192.0.2.1": H323Address("a@b.example", "192.0.2.1"),
    "h323:[2001:db8::1]": H323Address("", "2001:db8::1"),
    "4711@[2001:db8::1]:1800": H323Address("4711", "2001:db8::1", 1800),
    "2001:db8::1": H323Address("", "2001:db8::1"),
    "192.0.2.1##4711": H323Address("4711", "192.0.2.1"),
    "h323s:192.0.2.1": H323Address("", "192.0.2.1", 1300, True),
    "H323S:4711@[2001:db8::1]:1720": H323Address("4711", "2001:db8::1", 1720, True),
    "h323s:room@host.example": H323Address("room", "host.example", 1300, True),
    "host.example.": H323Address("", "host.example."),
}

WRONG = (
    "", "h323:", "h323s:", "h323s:4711", "4711", "h323:4711", "room@", "h323:a b", "host:0", "host:65536",
    "host:99999999", "[::1", "-x.example", "a\n@host.example", "x" * 600, "ho..st", "999.1.1.1",
)  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_read(text: str) -> None:
    assert parse_address(text) == READ[text]


@pytest.mark.parametrize("address", READ.values(), ids=str)
def test_written_and_read_again(address: H323Address) -> None:
    assert is_h323(str(address))
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("text", WRONG)
def test_wrong(text: str) -> None:
    with pytest.raises(CallError, match=r"is no H\.323 address") as caught:
        parse_address(text)
    assert len(str(caught.value)) < 300


def test_other_schemes_are_others() -> None:
    assert not is_h323("sip:room@host.example")
    assert not is_h323("h323.example")


def test_with_a_gatekeeper_numbers_and_names_are_aliases() -> None:
    for text, name in (("4711", "4711"), ("h323:4711", "4711"), ("h323:Big%20room", "Big room"), ("Aalto", "Aalto")):
        address = parse_address(text, with_gatekeeper=True)
        assert address == H323Address(name, "")
        assert parse_address(str(address), with_gatekeeper=True) == address
    for text in ("192.0.2.1", "host.example", "4711@192.0.2.1", "2001:db8::1", "192.0.2.1##7"):
        assert parse_address(text, with_gatekeeper=True).host


def test_who_serves_a_domain_is_asked_for_the_whole_name() -> None:
    address = H323Address("Big room", "example.com")
    assert address.names == (("h323-ID", "Big room@example.com"), ("url-ID", "h323:Big%20room@example.com"))


@pytest.mark.parametrize(
    ("text", "domain"),
    [("example.com", True), ("a@192.0.2.1", False), ("example.com:1721", False), ("h323s:example.com", False)],
)
def test_a_domain_is_a_name_at_the_usual_port(text: str, domain: bool) -> None:
    assert parse_address(text).is_domain is domain
