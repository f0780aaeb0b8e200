"""TLS of call signalling, agreed on in RAS (H.460.22)."""

from __future__ import annotations

import pytest

from firmware.asn1 import Value
from firmware.h323.h460_feature import encode_feature, supported
from firmware.h323.h460_security import TLS_PORT, encode_tls, read_tls

HOST, THERE = "192.0.2.9", ("192.0.2.7", 1301)


def offer(*parameters: tuple[int, Value]) -> dict[str, Value]:
    return {"featureSet": supported(encode_feature(22, parameters))}


def test_it_is_what_other_implementations_write() -> None:
    # As H323Plus and GnuGk do: a compound of priority (number8) and address (transport) in parameter 1.
    address = ("ipAddress", {"ip": bytes([192, 0, 2, 7]), "port": 1301})
    assert encode_tls(THERE) == {
        "id": ("standard", 22),
        "parameters": [
            {
                "id": ("standard", 1),
                "content": (
                    "compound",
                    [
                        {"id": ("standard", 1), "content": ("number8", 1)},
                        {"id": ("standard", 2), "content": ("transport", address)},
                    ],
                ),
            }
        ],
    }


def test_it_comes_back() -> None:
    assert read_tls({"featureSet": supported(encode_tls(THERE))}, HOST) == THERE
    assert read_tls({"featureSet": supported(encode_tls(("2001:db8::7", 1301)))}, HOST) == ("2001:db8::7", 1301)


@pytest.mark.parametrize(
    "parameters",
    [
        [(1, None)],
        [(1, ("bool", True))],
        [(1, ("compound", [{"id": ("standard", 1), "content": ("number8", 1)}]))],
        [(1, ("compound", [{"id": ("standard", 2), "content": ("bool", True)}]))],
        [(1, ("compound", [{"id": ("standard", 2)}]))],
        # Nobody can be called there, but that it wants TLS is heard: it must not end in a call in the clear.
        [(1, ("compound", [{"id": ("standard", 2), "content": ("transport", ("nsap", b"1"))}]))],
    ],
)
def test_without_a_usable_address_the_usual_port_is_meant(parameters: list[tuple[int, Value]]) -> None:
    assert read_tls(offer(*parameters), HOST) == (HOST, TLS_PORT)


@pytest.mark.parametrize("body", [{}, offer(), offer((2, ("compound", []))), {"featureSet": supported()}])
def test_other_security_is_none_that_we_know(body: dict[str, Value]) -> None:
    # parameter 2 is IPsec
    assert read_tls(body, HOST) is None
