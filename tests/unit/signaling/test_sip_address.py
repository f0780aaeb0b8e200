"""What people write for addresses."""

import pytest

from firmware.errors import CallError
from firmware.signaling.sip_address import is_sip, parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:room@host.example", "sip:room@host.example"),
        ("SIP:room@host.example:5070;transport=tcp", "sip:room@host.example:5070;transport=tcp"),
        ("  <sip:room@192.0.2.1>  ", "sip:room@192.0.2.1"),
        ("room@host.example", "sip:room@host.example"),
        ("host.example", "sip:host.example"),
        ("192.0.2.1", "sip:192.0.2.1"),
        ("192.0.2.1:5070", "sip:192.0.2.1:5070"),
        ("100@192.0.2.1", "sip:100@192.0.2.1"),
        ("[2001:db8::1]:5070", "sip:[2001:db8::1]:5070"),
        ("2001:db8::1", "sip:[2001:db8::1]"),
        ("room@2001:db8::1", "sip:room@[2001:db8::1]"),
        ("room@[::1];transport=TCP", "sip:room@[::1];transport=TCP"),
        ("localhost:5080", "sip:localhost:5080"),
        ("sips:room@host", "sips:room@host"),
        ("sips:room@host;transport=tcp", "sips:room@host;transport=tcp"),
        ("room@host;transport=tls", "sip:room@host;transport=tls"),
    ],
)
def test_forms_of_an_address(text: str, expected: str) -> None:
    assert str(parse_address(text)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no SIP address"),
        ("sip:", "no SIP address"),
        ("a b@host", "^'a b@host' is no SIP address; one is like sip:room@example.com$"),
        ("room@", "no SIP address"),
        ("room@host:99999", "no SIP address"),
        ("room@host:0", "no SIP address"),
        ("sips:room@host;transport=udp", "udp"),
        ("sip:room@host;transport=sctp", "sctp"),
        ("1234", "number@host"),
        ("5@127.1", "number@host"),
        ("1.2.3.4.5", "number@host"),
        ("x" * 5_000, "no SIP address"),
    ],
)
def test_what_is_none_is_said_in_words(text: str, words: str) -> None:
    with pytest.raises(CallError, match=words):
        parse_address(text)


def test_what_is_beyond_doubt() -> None:
    assert [is_sip(text) for text in ("sip:a@b", " SIPS:a@b", "h323:a@b", "a@b", "sip")] == [True, True] + [False] * 3
