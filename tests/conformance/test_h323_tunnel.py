"""Whole endpoints whose signalling goes inside of one connection to a gatekeeper (H.460.17): registration, calls both
ways, and what happens when it breaks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from conformance.pycrate_oracle import difference, oracle, require_pycrate
from gatekeeper import Gatekeeper as Zone
from h323_exchange import Exchange, Member
from parties import ALL, check_agreement, directions, ended
from ras_zone import alternate
from tunnel_gatekeeper import TunnelGatekeeper

from firmware.call.call import Call, EndReason, State
from firmware.call.registration import RegistrationState
from firmware.h323.h225 import RAS_MESSAGE, USER_INFORMATION
from firmware.h323.h225 import SCHEMA as H225
from firmware.h323.h235 import Method
from firmware.h323.h460_feature import find_feature
from firmware.h323.h460_ras import read_facility
from firmware.h323.h460_tunnel import KEEP_ALIVE
from firmware.h323.ras_registration import LONGEST_REFRESH_INSIDE
from firmware.signaling.h323_gatekeeper import Gatekeeper

HOST, OTHER = "192.0.2.100", "192.0.2.200"
NUMBERS = {"A": "101", "B": "102", "C": "103"}


class Tunnelled(Exchange):
    """Members A and B inside of tunnels, C by UDP."""

    def __init__(self, gatekeeper: TunnelGatekeeper, names: str, **settings: Any) -> None:
        super().__init__("", gatekeeper=HOST, **settings)
        self.gatekeeper = gatekeeper
        self.wire.attach(gatekeeper.address, gatekeeper, also=gatekeeper.also)
        way = self.settings.pop("gatekeeper_transport", "tcp")
        for n, name in enumerate(names, 1):
            self.settings |= {"number": NUMBERS[name], "gatekeeper_transport": "udp" if name == "C" else way}
            self.members[name] = self._member(name, (f"192.0.2.{n}", 1720))
        self.settle(15)

    @property
    def zone(self) -> Zone:
        return self.gatekeeper.zone

    def flow(self, name: str) -> Any:
        address = f"192.0.2.{'ABC'.index(name) + 1}"
        return next(flow for flow in self.gatekeeper.flows if flow.remote[0] == address)

    def state(self, name: str) -> RegistrationState:
        [registration] = self[name].h323.registrations
        return registration.state

    def dial(self, member: Member, address: str) -> Call:
        call = member.endpoint.dial(address)
        member._watch(call)
        return call

    def up(self, caller: str, called: str) -> tuple[Call, Call]:
        ours = self.dial(self[caller], f"h323:{NUMBERS[called]}")
        self.settle()
        theirs = self[called].call
        assert ours.state is theirs.state is State.ACTIVE
        return ours, theirs


Make = Callable[..., Tunnelled]


@pytest.fixture
def tunnelled(monkeypatch: pytest.MonkeyPatch) -> Make:
    def start(gatekeeper: Gatekeeper, transport: Any) -> None:
        gatekeeper._register(transport, (HOST, gatekeeper._named[1]))

    monkeypatch.setattr(Gatekeeper, "start", start)

    def make(names: str = "ABC", *, settings: dict[str, Any] | None = None, **how: Any) -> Tunnelled:
        return Tunnelled(TunnelGatekeeper(HOST, **how), names, **(settings or {}))

    return make


@pytest.mark.parametrize("way", ["tcp", "tls"])
def test_registration(tunnelled: Make, way: str) -> None:
    exchange = tunnelled("AB", settings={"gatekeeper_transport": way})
    assert exchange.state("A") is exchange.state("B") is RegistrationState.REGISTERED
    assert {flow.transport for flow in exchange.gatekeeper.flows} == {way}
    assert {flow.transport for _, flow, _ in exchange.wire.sent} == {way}
    # H.460.17: no discovery, where the gatekeeper is reached already
    assert exchange.zone.names()[:2] == ["registrationRequest", "registrationRequest"]
    assert find_feature(exchange.zone.last("registrationRequest"), 17) == []
    exchange.settle(300)
    assert exchange.state("A") is RegistrationState.REGISTERED
    assert exchange.zone.last("registrationRequest")["keepAlive"]


@pytest.mark.parametrize(("caller", "called"), ["AB", "BA", "AC", "CA"])
def test_a_call(tunnelled: Make, caller: str, called: str) -> None:
    exchange = tunnelled()
    ours, theirs = exchange.up(caller, called)
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)
    assert len(exchange.zone.calls) == exchange.gatekeeper.calls == 1
    theirs.hang_up()
    exchange.settle()
    assert ended(ours, EndReason.HUNG_UP)
    assert exchange.gatekeeper.calls == 0
    assert exchange.zone.calls == {}
    exchange.check_clean()


def test_several_calls_at_once(tunnelled: Make) -> None:
    exchange = tunnelled()
    pairs = [exchange.up("A", "B"), exchange.up("B", "A"), exchange.up("A", "C"), exchange.up("C", "A")]
    assert exchange.gatekeeper.calls == 4
    assert len([flow for flow in exchange.gatekeeper.flows if flow.remote[0] != "192.0.2.3"]) == 2
    for ours, theirs in pairs:
        check_agreement(ours, theirs)
    pairs[1][0].hang_up()
    exchange.settle()
    assert [ours.state for ours, _ in pairs] == [State.ACTIVE, State.ENDED, State.ACTIVE, State.ACTIVE]
    exchange.check_clean()


def test_who_called_is_called_back_by_the_gatekeeper(tunnelled: Make) -> None:
    exchange = tunnelled("AB")
    _, theirs = exchange.up("A", "B")
    assert theirs.remote == "h323:101"


def test_who_is_not_there_is_not_found(tunnelled: Make) -> None:
    exchange = tunnelled("A")
    ours = exchange.dial(exchange["A"], "h323:999")
    exchange.settle()
    assert ended(ours, EndReason.NOT_FOUND)


def test_the_gatekeeper_ends_a_call_and_asks_what_there_is(tunnelled: Make) -> None:
    exchange = tunnelled("AB")
    ours, theirs = exchange.up("A", "B")
    at_a, identifier = exchange.zone.named("101"), next(iter(exchange.zone.calls))
    away = {"replyAddress": ("ipAddress", {"ip": bytes([192, 0, 2, 100]), "port": 9}), "callReferenceValue": 0}
    exchange.zone.ask(at_a, "infoRequest", {**away, "callIdentifier": {"guid": bytes(16)}}, exchange.wire.now)
    exchange.settle()
    assert len(exchange.zone.last("infoRequestResponse")["perCallInfo"]) == 1, "it is answered where it was asked"
    exchange.zone.disengage(at_a, identifier, exchange.wire.now)
    exchange.settle()
    assert ours.state is theirs.state is State.ENDED
    exchange.check_clean()


@pytest.mark.parametrize("method", list(Method))
def test_passwords(tunnelled: Make, method: Method) -> None:
    settings = {"password": "secret", "authentication": (method.value,)}
    users = {"A": "secret", "B": "secret"}
    exchange = tunnelled("AB", settings=settings, users=users, method=method, epoch=time.time())
    assert exchange.state("A") is RegistrationState.REGISTERED
    exchange.up("A", "B")
    assert exchange.zone.faults == []
    exchange.check_clean()


def test_a_gatekeeper_that_wants_to_be_discovered_is(tunnelled: Make) -> None:
    exchange = tunnelled("A", refuse={"registrationRequest": [(("discoveryRequired", None), {})]})
    assert exchange.zone.names() == ["registrationRequest", "gatekeeperRequest", "registrationRequest"]
    assert exchange.state("A") is RegistrationState.REGISTERED
    assert {flow.transport for _, flow, _ in exchange.wire.sent} == {"tcp"}


# When it breaks


def test_a_connection_that_breaks_is_made_again_at_once(tunnelled: Make) -> None:
    exchange = tunnelled("AB")
    ours, theirs = exchange.up("A", "B")
    flow = exchange.flow("A")
    exchange.wire.cut(exchange.gatekeeper.address, flow)
    exchange.settle(0.5)
    assert ended(ours, EndReason.LOST)
    assert theirs.state is State.ENDED
    assert exchange.state("A") is RegistrationState.REGISTERED
    assert exchange.flow("A") != flow
    exchange.up("B", "A")
    exchange.check_clean()
    assert exchange.zone.faults == []


def test_a_call_that_is_asked_for_when_it_breaks_ends(tunnelled: Make) -> None:
    exchange = tunnelled("AB")
    exchange.zone.silent.add("admissionRequest")
    ours = exchange.dial(exchange["A"], "h323:102")
    exchange.settle(0.5)
    exchange.wire.cut(exchange.gatekeeper.address, exchange.flow("A"))
    exchange.settle()
    assert ours.state is State.ENDED
    assert exchange.state("A") is RegistrationState.REGISTERED
    exchange.check_clean()


def test_a_gatekeeper_that_is_away_is_tried_again_and_again(tunnelled: Make) -> None:
    exchange = tunnelled("A")
    gatekeeper = exchange.gatekeeper
    exchange.wire.cut(gatekeeper.address, exchange.flow("A"))
    core = exchange.wire.cores.pop(gatekeeper.address)
    exchange.settle(120)
    assert exchange.state("A") is RegistrationState.FAILED
    exchange.wire.cores[gatekeeper.address] = core
    exchange.settle(200)
    assert exchange.state("A") is RegistrationState.REGISTERED
    assert len(gatekeeper.flows) == 1


def test_a_gatekeeper_that_has_died_without_a_word_is_found_out(tunnelled: Make) -> None:
    exchange = tunnelled("AB", time_to_live=3_600)
    ours, _ = exchange.up("A", "B")
    flow, exchange.gatekeeper.deaf = exchange.flow("A"), True
    # A lightweight registration that is due, and the time that its repetitions would have.
    exchange.settle(LONGEST_REFRESH_INSIDE + 10)
    assert ended(ours, EndReason.LOST)
    assert exchange.state("A") is not RegistrationState.REGISTERED
    exchange.gatekeeper.deaf = False
    exchange.settle(30)
    assert exchange.state("A") is RegistrationState.REGISTERED
    assert exchange.flow("A") != flow
    exchange.check_clean()


def test_silence_to_one_call_costs_no_other(tunnelled: Make) -> None:
    exchange = tunnelled("AB")
    ours, _ = exchange.up("A", "B")
    exchange.zone.silent.add("admissionRequest")
    lost = exchange.dial(exchange["A"], "h323:102")
    exchange.settle(35)
    assert lost.state is State.ENDED
    assert ours.state is State.ACTIVE
    assert exchange.state("A") is RegistrationState.REGISTERED
    exchange.check_clean()


def test_an_alternate_is_reached_at_the_same_port(tunnelled: Make) -> None:
    exchange = tunnelled("AB", alternates=[alternate((OTHER, 1719))])
    other = TunnelGatekeeper(OTHER)
    exchange.wire.attach(other.address, other, also=other.also)
    ours, _ = exchange.up("A", "B")
    exchange.wire.cores.pop(exchange.gatekeeper.address)
    for name in "AB":
        exchange.wire.cut(exchange.gatekeeper.address, exchange.flow(name))
    exchange.settle(1)
    exchange.settle(10)
    assert ours.state is State.ENDED
    assert exchange.state("A") is RegistrationState.REGISTERED
    assert len(other.zone.endpoints) == 2
    new, at_b = exchange.up("A", "B")
    assert other.calls == 1
    # Whoever is in a call stays; afterwards we go home.
    exchange.wire.cores[exchange.gatekeeper.address] = exchange.gatekeeper
    exchange.settle(1_300)
    assert new.state is at_b.state is State.ACTIVE
    assert other.calls == 1
    new.hang_up()
    exchange.settle(1_300)
    assert other.zone.endpoints == {}
    assert len(exchange.zone.endpoints) == 2
    exchange.settle(2 * KEEP_ALIVE)
    assert other.flows == []
    exchange.check_clean()


def test_the_unit_says_goodbye(tunnelled: Make) -> None:
    exchange = tunnelled("A")
    exchange["A"].h323._say_goodbye()
    exchange.settle()
    assert exchange.zone.names()[-1] == "unregistrationRequest"
    assert exchange.zone.endpoints == {}


def test_pycrate_reads_the_same(tunnelled: Make) -> None:
    require_pycrate()
    exchange = tunnelled("AB")
    ours, _ = exchange.up("A", "B")
    ours.hang_up()
    exchange.settle(70)
    signalling, ras = oracle(H225, "H323-UserInformation"), oracle(H225, "RasMessage")
    read = set()
    for _, message in exchange.gatekeeper.messages:
        octets = message.user_information
        assert octets is not None
        value = USER_INFORMATION.decode(octets)
        signalling.from_aper(octets)
        assert difference(value, signalling.get_val(), signalling) == ""
        for inside in read_facility(message) if not message.call_reference else ():
            ras.from_aper(inside)
            name, body = RAS_MESSAGE.decode(inside)
            assert difference((name, body), ras.get_val(), ras) == ""
            read.add(name)
    assert read == {"registrationRequest", "admissionRequest", "disengageRequest"}
