from __future__ import annotations

import random

from sip_peer import OURS, flow, request, response

from firmware.sansio import Flow
from firmware.sip.identity import Identity
from firmware.sip.layers import Layers, WhenFinal, reason_phrase


def layers() -> Layers:
    return Layers(Identity("room", "The Room", product="Test/1"), random.Random(1))


def test_tokens_are_long_and_new() -> None:
    """RFC 3261 19.3: at least 32 random bits."""
    ours = layers()
    tokens = {ours.token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {20}


def test_a_request_gets_a_via_of_its_own() -> None:
    ours = layers()
    messages = [request("OPTIONS") for _ in range(2)]
    for message in messages:
        message.headers.remove("Via")
        ours.complete(message, flow())
    first, second = (message.via for message in messages)
    assert (first.transport, first.host, first.port) == ("UDP", *OURS)
    assert first.branch != second.branch
    assert (first.branch or "").startswith("z9hG4bK")
    assert first.wants_rport
    assert messages[0].headers.get("User-Agent") == "Test/1"
    message = request("OPTIONS", Via=None)
    ours.complete(message, Flow("tcp", ("fe80::1%eth0", 5060), ("fe80::2%eth0", 5060)))
    assert (message.via.transport, message.via.host, message.via.wants_rport) == ("TCP", "fe80::1", False)


def test_contact_says_the_transport_of_a_stream() -> None:
    ours = layers()
    for transport, expected in (("udp", "sip:room@10.0.0.1:5060"), ("tcp", "sip:room@10.0.0.1:5060;transport=tcp")):
        message = request("BYE")
        ours.add_contact(message, flow(transport))
        assert message.contact is not None
        assert str(message.contact.uri) == expected


def test_by_tls_we_may_be_called_on_our_connection() -> None:
    """RFC 5923 5."""
    message = request("OPTIONS", Via=None)
    layers().complete(message, flow("tls"))
    assert message.via.parameter("alias") == ""
    assert not message.via.wants_rport


def test_contact_of_sips() -> None:
    """RFC 5630 5.1.1: by TLS, without saying so."""
    message = request("BYE")
    layers().add_contact(message, flow("tls", ("10.0.0.1", 5061)), secure=True)
    assert message.contact is not None
    assert str(message.contact.uri) == "sips:room@10.0.0.1:5061"


def test_every_response_but_100_has_a_to_tag() -> None:
    """RFC 3261 8.2.6.2."""
    ours = layers()
    assert ours.respond(request("INVITE"), 100).to.tag is None
    assert ours.respond(request("INVITE"), 180).to.tag
    assert ours.respond(request("INVITE"), 180, to_tag="x").to.tag == "x"
    assert ours.respond(request("INVITE", to_tag="y"), 180, to_tag="x").to.tag == "y"
    assert ours.respond(request("INVITE"), 486, "Not Now").reason == "Not Now"
    assert ours.respond(request("INVITE"), 486).reason == "Busy Here"
    assert ours.respond(request("INVITE"), 486).headers.get("Server") == "Test/1"


def test_only_the_final_response_counts() -> None:
    ours = layers()
    heard: list[tuple[int, str, bool]] = []

    def user() -> WhenFinal:
        return WhenFinal(lambda status, reason, now, response: heard.append((status, reason, response is not None)))

    transaction = ours.send(request("OPTIONS", Via=None), flow(), user(), 0.0).transaction
    transaction.receive(response(transaction.request, 100), 0.0)
    assert not heard
    transaction.receive(response(transaction.request, 404), 0.0)
    assert heard == [(404, "Not Found", True)]
    ours.send(request("OPTIONS", Via=None), flow(), user(), 0.0).transaction.transport_failed(0.0)
    assert heard[1] == (503, reason_phrase(503), False)
    ours.send(request("OPTIONS", Via=None), flow(), WhenFinal(), 0.0).transaction.transport_failed(0.0)
