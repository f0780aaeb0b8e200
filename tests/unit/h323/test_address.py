"""Transport and alias addresses."""

from __future__ import annotations

import pytest

from firmware.asn1 import Value
from firmware.h323 import address as a


@pytest.mark.parametrize("address", [("192.0.2.1", 1720), ("2001:db8::1", 1720), ("127.0.0.1", 65535)])
def test_transport(address: tuple[str, int]) -> None:
    assert a.decode_transport(a.encode_transport(address)) == address


def test_transport_on_the_wire() -> None:
    assert a.encode_transport(("192.0.2.1", 1720)) == ("ipAddress", {"ip": bytes((192, 0, 2, 1)), "port": 1720})
    assert a.encode_transport(("::1", 1))[0] == "ip6Address"


@pytest.mark.parametrize(
    "value",
    [
        None,
        ("ipxAddress", {"node": bytes(6), "netnum": bytes(4), "port": bytes(2)}),
        ("ipAddress", {"ip": bytes(4), "port": 1720}),
        ("ipAddress", {"ip": bytes((192, 0, 2, 1)), "port": 0}),
        ("ipAddress", {"ip": bytes((224, 0, 1, 41)), "port": 1718}),
        ("ip6Address", {"ip": bytes(16), "port": 1720}),
        ("ipAddress", {"ip": bytes((255, 255, 255, 255)), "port": 1720}),
        ("ip6Address", {"ip": bytes(10) + b"\xff\xff" + bytes((224, 0, 1, 41)), "port": 1720}),
        ("ip6Address", {"ip": bytes(10) + b"\xff\xff" + bytes(4), "port": 1720}),
        ("ipAddress", {"ip": b"", "port": 1720}),
        ("+3", b"rubbish"),
        [],
    ],
)
def test_where_nothing_can_be_sent(value: Value) -> None:
    assert a.decode_transport(value) is None


def test_ipv4_in_ipv6_is_ipv4() -> None:
    mapped = bytes(10) + b"\xff\xff" + bytes((192, 0, 2, 1))
    assert a.decode_transport(("ip6Address", {"ip": mapped, "port": 5})) == ("192.0.2.1", 5)


def test_order_is_by_octets_then_port() -> None:
    ascending = [("9.0.0.1", 9), ("10.0.0.1", 1), ("10.0.0.1", 300), ("10.0.0.2", 2), ("192.0.2.1", 1)]
    assert sorted(ascending, key=a.order) == ascending


def test_aliases() -> None:
    values = [
        ("h323-ID", "room"),
        ("dialledDigits", "300"),
        ("transportID", a.encode_transport(("192.0.2.1", 1))),
        ("partyNumber", ("e164Number", {"publicTypeOfNumber": ("unknown", None), "publicNumberDigits": "49"})),
        ("+9", b"x"),
    ]
    assert a.decode_aliases(values) == (("h323-ID", "room"), ("dialledDigits", "300"), ("dialledDigits", "49"))
    assert a.decode_aliases(None) == ()
    assert len(a.decode_aliases([("h323-ID", "x")] * 100)) == a.MAX_ALIASES


@pytest.mark.parametrize(
    ("text", "kind"),
    [("300", "dialledDigits"), ("*1#", "dialledDigits"), ("room", "h323-ID"), ("h323:x@y", "url-ID"), ("", "h323-ID")],
)
def test_what_somebody_means(text: str, kind: str) -> None:
    assert a.alias(text) == (kind, text)


def test_what_tells_most() -> None:
    aliases = (("dialledDigits", "1"), ("dialledDigits", "2"), ("h323-ID", "room"), ("h323-ID", "second"))
    assert a.name(aliases) == "room"
    assert a.number(aliases) == "1"
    assert a.name(aliases[:2]) == "1"
    assert (a.name(()), a.number(())) == ("", "")
