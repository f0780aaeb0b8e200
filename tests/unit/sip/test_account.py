from __future__ import annotations

import random

import pytest
from sip_peer import flow, request

from firmware.sansio import Flow
from firmware.sip.account import Account, AccountSettings
from firmware.sip.header import NameAddr
from firmware.sip.uri import Uri

ADDRESS = Uri.parse("sip:alice@example.com")


def account(**settings: object) -> Account:
    return Account(AccountSettings(**{"address": ADDRESS} | settings), random.Random(1))  # type: ignore[arg-type]


def routes(ours: Account) -> list[str]:
    message = request("OPTIONS")
    ours.route(message)
    return message.headers.all("Route")


def test_the_registrar_is_the_domain_unless_something_else_is_said() -> None:
    """RFC 3261 10.2: no user and no @ in the Request-URI."""
    assert str(account().registrar) == "sip:example.com"
    assert str(account(address=Uri.parse("sip:a@example.com:5070;transport=tcp")).registrar) == "sip:example.com:5070"
    assert str(account(registrar=Uri.parse("sip:x@10.0.0.9:5061")).registrar) == "sip:10.0.0.9:5061"
    assert str(account().server) == "sip:example.com"
    assert str(account(proxy=Uri.parse("sip:10.0.0.8")).server) == "sip:10.0.0.8"


def test_an_account_of_sips_is_reached_by_sips() -> None:
    ours = Account(AccountSettings(Uri.parse("sips:alice@example.com")), random.Random(1))
    assert str(ours.contact(flow("tls"), dialog=False)) == f"sips:alice@10.0.0.1:5060;line={ours.line}"


def test_the_contact_tells_accounts_apart() -> None:
    first, second = account(), Account(AccountSettings(ADDRESS), random.Random(2))
    assert str(first.contact(flow(), dialog=True)) == f"sip:alice@10.0.0.1:5060;line={first.line}"
    tcp = first.contact(Flow("tcp", ("fe80::1%eth0", 5060), ("fe80::2%eth0", 5060)), dialog=True)
    assert str(tcp) == f"sip:alice@[fe80::1]:5060;transport=tcp;line={first.line}"
    assert first.line != second.line


def test_outbound_is_said_in_dialogs_only() -> None:
    """RFC 5626 4.3, 5.4."""
    ours = account()
    ours.outbound = True
    assert ours.contact(flow(), dialog=True).parameter("ob") == ""
    assert ours.contact(flow(), dialog=False).parameter("ob") is None


def test_the_route_is_that_of_the_proxy_and_of_the_registrar() -> None:
    """RFC 3608."""
    proxy = Uri.parse("sip:edge.example.com;transport=tcp")
    service = (NameAddr.parse("<sip:a.example.com;lr>"), NameAddr.parse("<sip:b.example.com;lr>"))
    assert routes(account()) == []
    ours = account(proxy=proxy)
    assert routes(ours) == ["<sip:edge.example.com;transport=tcp;lr>"]
    ours.service_route = service
    assert routes(ours) == ["<sip:edge.example.com;transport=tcp;lr>", *map(str, service)]
    ours.service_route = (NameAddr.parse("<sip:EDGE.example.com;lr>"), *service)
    assert routes(ours) == ["<sip:EDGE.example.com;lr>", *map(str, service)]
    ours = account()
    ours.service_route = service
    assert routes(ours) == [str(hop) for hop in service]


@pytest.mark.parametrize(
    ("uri", "to", "expected"),
    [
        ("sip:alice@10.0.0.1;line={}", "<sip:whoever@elsewhere>", True),
        ("sip:alice@10.0.0.1;line=0", "<sip:alice@example.com>", False),
        ("sip:alice@10.0.0.1", "<sip:alice@EXAMPLE.com>;tag=1", True),
        ("sip:alice@10.0.0.1", "<sip:bob@example.com>", False),
        ("sip:alice@10.0.0.1", "<sip:alice@10.0.0.1>", False),
        ("sip:10.0.0.1", "<tel:+123>", False),
    ],
)
def test_whose_a_request_is(uri: str, to: str, expected: bool) -> None:
    ours = account()
    ours.hosts = {"10.0.0.2"}
    came = request("INVITE", uri=uri.format(ours.line), To=to)
    assert ours.owns(came, flow()) is expected
    by_stranger = expected and "line" in uri
    assert ours.owns(came, flow(remote=("10.6.6.6", 5060))) is by_stranger


def test_by_sips_every_hop_is_one_of_sips() -> None:
    """RFC 5630 5.1.1."""
    ours = account(proxy=Uri.parse("sip:proxy.example.com;transport=tcp"))
    ours.service_route = (NameAddr.parse("<sip:service.example.com;lr>"),)
    message = request("INVITE", uri="sips:bob@example.com")
    ours.route(message)
    assert message.headers.all("Route") == ["<sips:proxy.example.com;lr>", "<sips:service.example.com;lr>"]
