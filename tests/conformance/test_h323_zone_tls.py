"""Calls in the zone of a gatekeeper go by TLS where both agree to it in RAS (H.460.22)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conformance.pycrate_oracle import difference, oracle, require_pycrate
from h323_exchange import Exchange
from parties import ALL, check_agreement, directions, ended
from tunnel_gatekeeper import TunnelGatekeeper

from firmware.call.call import Call, EndReason, State
from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h225 import SCHEMA as H225
from firmware.h323.h460_feature import find_feature, supported
from firmware.h323.h460_security import encode_tls, read_tls
from firmware.net.tls import Tls
from firmware.signaling.h323_gatekeeper import Gatekeeper

HOST = "192.0.2.100"
NUMBERS = {"A": "101", "B": "102"}
Make = Callable[..., tuple[Exchange, TunnelGatekeeper]]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make members that are registered by UDP; those in *secure* take TLS at port 1300."""

    def start(gatekeeper: Gatekeeper, transport: Any) -> None:
        gatekeeper._register(transport, (HOST, 1719))

    monkeypatch.setattr(Gatekeeper, "start", start)

    def make(
        secure: str = "AB", *, agrees: bool = True, fast_connect: bool = False, named: str = HOST, **how: Any
    ) -> tuple[Exchange, TunnelGatekeeper]:
        exchange = Exchange("", gatekeeper=named, fast_connect=fast_connect)
        gatekeeper = TunnelGatekeeper(HOST, **how)
        exchange.wire.attach(gatekeeper.address, gatekeeper, also=gatekeeper.also)
        if agrees:
            gatekeeper.secure()
        for n, (name, number) in enumerate(NUMBERS.items(), 1):
            exchange.settings |= {"number": number, "tls": name in secure}
            exchange.tls = None if name not in secure else Tls.__new__(Tls)
            exchange.members[name] = exchange._member(name, (f"192.0.2.{n}", 1720))
        exchange.settle()
        assert len(gatekeeper.zone.endpoints) == 2
        return exchange, gatekeeper

    return make


def dial(exchange: Exchange, caller: str, address: str) -> Call:
    call = exchange[caller].endpoint.dial(address)
    exchange[caller]._watch(call)
    exchange.settle()
    return call


def ways(exchange: Exchange) -> dict[str, set[str]]:
    """Give by what each member's calls went, RAS apart."""
    found: dict[str, set[str]] = {"A": set(), "B": set()}
    for _, flow, _ in exchange.wire.sent:
        for name, host in (("A", "192.0.2.1"), ("B", "192.0.2.2")):
            if flow.transport != "udp" and host in (flow.local[0], flow.remote[0]):
                found[name].add(flow.transport)
    return found


@pytest.mark.parametrize("fast_connect", [False, True])
@pytest.mark.parametrize(("caller", "called"), ["AB", "BA"])
@pytest.mark.parametrize("secure", ["AB", "A", "B", ""])
def test_who_takes_tls_is_called_and_calls_by_it(
    zone: Make, secure: str, caller: str, called: str, fast_connect: bool
) -> None:
    exchange, gatekeeper = zone(secure, fast_connect=fast_connect)
    ours = dial(exchange, caller, f"h323:{NUMBERS[called]}")
    theirs = exchange[called].call
    assert ours.state is theirs.state is State.ACTIVE
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)
    assert ways(exchange) == {name: {"tls" if name in secure else "tcp"} for name in "AB"}
    assert gatekeeper.calls == 1
    exchange.check_clean()


def test_what_is_said_of_it(zone: Make) -> None:
    exchange, gatekeeper = zone()
    dial(exchange, "A", "h323:102")
    said = {heard.name: heard.body for heard in reversed(gatekeeper.zone.heard) if heard.remote[0] == "192.0.2.1"}
    # Where we take it is the gatekeeper's business once, in the registration.
    assert read_tls(said["registrationRequest"], "") == ("192.0.2.1", 1300)
    for name in ("gatekeeperRequest", "admissionRequest"):
        assert read_tls(said[name], "") == ("", 1300)
    require_pycrate()
    declared = oracle(H225, "RasMessage")
    for name, body in said.items():
        declared.from_aper(RAS_MESSAGE.encode((name, body)))
        assert difference((name, body), declared.get_val(), declared) == ""


def test_a_gatekeeper_that_does_not_agree_is_called_as_ever(zone: Make) -> None:
    exchange, _ = zone(agrees=False)
    ours = dial(exchange, "A", "h323:102")
    assert ours.state is State.ACTIVE
    assert ways(exchange) == {"A": {"tcp"}, "B": {"tcp"}}


def test_who_takes_no_tls_does_not_speak_of_it(zone: Make) -> None:
    exchange, gatekeeper = zone("")
    dial(exchange, "A", "h323:102")
    assert not [heard for heard in gatekeeper.zone.heard if find_feature(heard.body, 22) is not None]


def test_what_was_agreed_on_is_kept_to(zone: Make) -> None:
    exchange, gatekeeper = zone()
    exchange.wire._also.pop((HOST, 1301))
    ours = dial(exchange, "A", "h323:102")
    assert ended(ours, EndReason.UNREACHABLE)
    assert not [flow for _, flow, _ in exchange.wire.sent if flow.transport == "tcp"], "it goes by TLS or not at all"
    assert gatekeeper.calls == 0
    exchange.check_clean()


@pytest.mark.parametrize(("named", "domain"), [(HOST, ""), ("gk.example.com", "gk.example.com"), ("auto", "")])
def test_whose_certificate_is_wanted(zone: Make, named: str, domain: str) -> None:
    exchange, _ = zone(named=named)
    dial(exchange, "A", "h323:102")
    called = {flow for _, flow, _ in exchange.wire.sent if flow.transport == "tls" and flow.local[0] == "192.0.2.1"}
    assert domain in {flow.domain for flow in called if flow.remote[0] == HOST}


def test_another_host_has_a_certificate_of_its_own(zone: Make) -> None:
    exchange, gatekeeper = zone(named="gk.example.com")
    gatekeeper.zone.confirm["admissionConfirm"] = dict(gatekeeper.zone.confirm["registrationConfirm"])
    gatekeeper.zone.confirm["admissionConfirm"]["featureSet"] = supported(encode_tls(("192.0.2.2", 1300)))
    ours = dial(exchange, "A", "h323:102")
    assert ours.state is State.ACTIVE
    [flow] = {
        flow for _, flow, _ in exchange.wire.sent if flow.transport == "tls" and flow.remote == ("192.0.2.2", 1300)
    }
    assert flow.domain == ""


def test_calls_that_are_granted_before_go_by_it_too(zone: Make) -> None:
    granted = {
        "makeCall": True,
        "useGKCallSignalAddressToMakeCall": True,
        "answerCall": True,
        "useGKCallSignalAddressToAnswer": True,
    }
    exchange, gatekeeper = zone(pre_granted=granted)
    dial(exchange, "A", "h323:102")
    assert "admissionRequest" not in gatekeeper.zone.names()
    called = [flow for _, flow, _ in exchange.wire.sent if flow.transport != "udp"]
    assert {(flow.transport, flow.remote) for flow in called if flow.local[0] == "192.0.2.1"} == {("tls", (HOST, 1301))}
