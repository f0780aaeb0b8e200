"""Whose name a certificate has: the rules of RFC 5922 7."""

from __future__ import annotations

from typing import Any

import pytest

from firmware.net.far_certificate import MAX_NAMES, fits, names

SUBJECT = ((("organizationName", "Example"),), (("commonName", "cn.example.com"),))


def certificate(*alternatives: tuple[str, str]) -> dict[str, Any]:
    return {"subject": SUBJECT, **({"subjectAltName": alternatives} if alternatives else {})}


@pytest.mark.parametrize(
    ("alternatives", "expected"),
    [
        ((), ("cn.example.com",)),
        ((("DNS", "Example.COM."),), ("example.com",)),
        ((("email", "a@example.com"),), ()),
        ((("DNS", "dns.example.com"), ("URI", "sip:example.com")), ("example.com",)),
        ((("DNS", "dns.example.com"), ("URI", "sips:example.com")), ("dns.example.com",)),
        ((("DNS", "dns.example.com"), ("URI", "sip:somebody@example.com")), ("dns.example.com",)),
        ((("DNS", "dns.example.com"), ("URI", "https://example.com")), ("dns.example.com",)),
        ((("URI", "SIP:a.example.com;lr"), ("URI", "sip:b.example.com:5061")), ("a.example.com", "b.example.com")),
        ((("URI", "sip:[2001:DB8:0::1]:5061"),), ("2001:db8::1",)),
        ((("IP Address", "192.0.2.1"), ("IP Address", "2001:DB8:0:0:0:0:0:1")), ("192.0.2.1", "2001:db8::1")),
    ],
)
def test_names(alternatives: tuple[tuple[str, str], ...], expected: tuple[str, ...]) -> None:
    assert names(certificate(*alternatives)) == expected


def test_nothing_is_nobody() -> None:
    assert names({}) == ()


def test_names_are_bounded() -> None:
    assert len(names(certificate(*(("DNS", f"{n}.example.com") for n in range(1000))))) == MAX_NAMES


def test_a_name_fits_as_a_whole_and_in_any_case() -> None:
    shown = names(certificate(("DNS", "example.com"), ("DNS", "*.example.org"), ("IP Address", "2001:db8::1")))
    assert fits("EXAMPLE.com.", shown)
    assert fits("2001:0db8::1", shown)
    assert not fits("sub.example.com", shown)
    assert not fits("example.org", shown)
    assert not fits("a.example.org", shown), "RFC 5922 7.2: no wildcards"
