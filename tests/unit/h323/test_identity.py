"""What stands in messages of who we are, and what is read of who they are."""

from __future__ import annotations

import pytest

from firmware.asn1 import Value
from firmware.h323 import h225
from firmware.h323.identity import Destination, Identity, Party, endpoint_type, product


def test_endpoint_type_is_a_terminal() -> None:
    value = endpoint_type(Identity((), product="Visavis", version="1.2"))
    schema = h225.SCHEMA["EndpointType"]
    assert schema.decode(schema.encode(value)) == value
    assert (value["terminal"], value["mc"]) == ({}, False)
    assert product(value) == "Visavis 1.2"


def test_long_names_fit() -> None:
    value = endpoint_type(Identity((), product="x" * 1000))
    h225.SCHEMA["EndpointType"].encode(value)


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ({"vendor": {"productId": b"H323Plus\0\0", "versionId": b"1.28"}}, "H323Plus 1.28"),
        ({"vendor": {"productId": b"a\x1b[2Jb\xff"}}, "a[2Jb\ufffd"),
        ({"vendor": {}}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_product_as_others_write_it(endpoint: Value, words: str) -> None:
    assert product(endpoint) == words


def test_values_may_be_shared() -> None:
    assert Party() == Party()
    assert Destination() == Destination()
    assert Identity(()).max_sessions > Identity(()).max_waiting_per_host
