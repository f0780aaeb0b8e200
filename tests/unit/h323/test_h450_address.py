"""Whom a supplementary service speaks of."""

import pytest

from firmware.asn1 import Value
from firmware.h323.h450_address import decode_endpoint, encode_endpoint, encode_reached
from firmware.h323.h450_types import OPERATIONS
from firmware.sansio import Flow

HERE = ("192.0.2.7", 1720)


@pytest.mark.parametrize(
    ("aliases", "address"),
    [
        ((("h323-ID", "bob"),), None),
        ((), HERE),
        ((("dialledDigits", "4711"), ("h323-ID", "bob")), HERE),
        ((("url-ID", "h323:bob@example.com"),), ("2001:db8::1", 1721)),
    ],
)
def test_comes_back(aliases: tuple[tuple[str, str], ...], address: tuple[str, int] | None) -> None:
    value = {"callIdentity": "", "reroutingNumber": encode_endpoint(aliases, address)}
    argument = OPERATIONS["callTransferInitiate"].argument
    decoded: dict[str, Value] = argument.decode(argument.encode(value))
    assert decode_endpoint(decoded["reroutingNumber"]) == (aliases, address)


@pytest.mark.parametrize(
    ("flow", "found"),
    [
        (Flow("tcp", HERE, ("192.0.2.8", 1720)), ((("h323-ID", "bob"),), HERE)),
        (
            Flow("tls", ("192.0.2.7", 1300), ("192.0.2.8", 1300)),
            ((("h323-ID", "bob"), ("url-ID", "h323s:192.0.2.7:1300")), None),
        ),
        (
            Flow("tls", ("2001:db8::7", 1300), ("2001:db8::8", 1300)),
            ((("h323-ID", "bob"), ("url-ID", "h323s:[2001:db8::7]:1300")), None),
        ),
    ],
    ids=["in the clear", "by TLS", "by TLS and IPv6"],
)
def test_where_we_are_reached(flow: Flow, found: object) -> None:
    assert decode_endpoint(encode_reached((("h323-ID", "bob"),), flow)) == found


def test_somebody_must_be_named() -> None:
    with pytest.raises(ValueError, match="nobody"):
        encode_endpoint((), None)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"destinationAddress": []},
        {"destinationAddress": [("transportID", ("ipAddress", {"ip": bytes(4), "port": 1720}))]},
        {"destinationAddress": [("mobileUIM", ("ansi-41-uim", {}))] * 3},
    ],
)
def test_nobody_who_can_be_called(value: Value) -> None:
    assert decode_endpoint(value) == ((), None)
