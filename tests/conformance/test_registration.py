"""Registration on the virtual clock, against a registrar that checks digests by itself (RFC 3261 10, RFC 5626)."""

from __future__ import annotations

import itertools

import pytest
from registrar import Registrar
from registration_zone import INSTANCE, Zone
from sip_peer import OURS, THEIRS, flow

from firmware.sansio import Address, Flow
from firmware.sip.account import AccountSettings
from firmware.sip.registration import Registration, State
from firmware.sip.uri import Uri

SECOND: Address = ("10.0.0.3", 5060)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("qop", ["auth", "auth-int", ""])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
def test_a_password_is_shown_and_taken(transport: str, qop: str, algorithm: str) -> None:
    zone = Zone(transport=transport, qop=qop, algorithms=(algorithm,)).run(1)
    assert zone.state is State.REGISTERED
    assert zone.registration.until == pytest.approx(3600, abs=1)
    assert zone.account.flow == flow(transport)
    first, second = zone.heard
    assert not first.credentials
    assert second.credentials["algorithm"] == algorithm
    [contact] = zone.registrar.bound()
    assert f";line={zone.account.line}" in contact


def test_what_a_register_says() -> None:
    zone = Zone(transport="tcp", users={}).run(1)
    request = zone.heard[0].request
    assert str(request.uri) == "sip:example.com"
    assert str(request.to) == "<sip:alice@example.com>"
    assert request.from_.tag
    assert request.expires == 3600
    assert request.supported == ("path", "outbound")
    contact = request.contact
    assert contact.parameter("reg-id") == "1"
    assert contact.parameter("+sip.instance") == f"<{INSTANCE}>"
    assert contact.uri.parameter("transport") == "tcp"
    assert "INVITE" in request.allow
    assert zone.wanted == ["sip:example.com"]


def test_it_is_renewed_before_it_ends_with_the_nonce_that_is_known() -> None:
    zone = Zone().run(10 * 3600)
    assert zone.state is State.REGISTERED
    renewed = zone.heard[2:]
    assert [round(heard.at / 3000, 2) for heard in renewed] == [float(n + 1) for n in range(len(renewed))]
    assert len(renewed) == 11
    assert [int(heard.credentials["nc"], 16) for heard in renewed[:3]] == [2, 3, 4]
    assert {state for _, state in zone.reports} == {State.REGISTERED}


def test_the_registrar_says_for_how_long() -> None:
    """RFC 3261 10.2.4."""
    zone = Zone(longest=120, users={}).run(1000)
    assert [round(time) for time in zone.registrar.times()[:4]] == [0, 60, 120, 180]
    assert zone.registrar.bound()


def test_a_registrar_that_says_nothing_gives_what_was_asked() -> None:
    zone = Zone(echo_expires=False, users={}, settings={"expires": 1800}).run(1)
    assert zone.registration.until == pytest.approx(1800, abs=1)
    zone = Zone(echo_expires=False, users={}, fields={"Expires": "600"}).run(1)
    assert zone.registration.until == pytest.approx(600, abs=1)


def test_a_registrar_that_grants_seconds_does_not_make_a_flood() -> None:
    zone = Zone(longest=1, users={}).run(60)
    assert len(zone.heard) <= 13
    zone = Zone(users={}, echo_expires=False, fields={"Expires": "0"}).run(60)
    assert (zone.state, len(zone.heard)) == (State.FAILED, 1)


def test_423_is_obeyed_and_remembered() -> None:
    """RFC 3261 10.2.8."""
    zone = Zone(users={}, min_expires=7200, longest=7200).run(7000)
    assert [heard.expires for heard in zone.heard] == [3600, 7200, 7200]
    assert zone.state is State.REGISTERED


def test_a_registrar_that_always_wants_more_is_given_up() -> None:
    refuse = [(423, {"Min-Expires": str(3601 + number)}) for number in range(100)]
    zone = Zone(users={}, refuse=refuse).run(20)
    assert (zone.state, zone.registration.status, len(zone.heard)) == (State.FAILED, 423, 5)


@pytest.mark.parametrize("least", ["100000", "3600", "10", "x", ""])
def test_a_423_that_makes_no_sense_is_a_failure(least: str) -> None:
    zone = Zone(users={}, refuse=[(423, {"Min-Expires": least} if least else {})] * 9).run(60)
    assert zone.state is State.FAILED
    assert zone.registration.status == 423
    assert len(zone.heard) == 1


def test_a_stale_nonce_is_replaced() -> None:
    """RFC 7616 3.3."""
    zone = Zone(nonce_life=100).run(3500)
    assert [bool(heard.credentials) for heard in zone.heard] == [False, True, True, True]
    assert zone.heard[2].credentials["nonce"] != zone.heard[3].credentials["nonce"]
    assert zone.state is State.REGISTERED


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_is_a_failure_that_is_not_tried_often(password: str) -> None:
    zone = Zone(password=password).run(60)
    assert zone.state is State.FAILED
    assert zone.registration.status == 401
    assert zone.registration.password_shown is bool(password)
    zone.run(3600)
    shown = [heard for heard in zone.heard if heard.credentials]
    assert len(shown) <= 8
    # It says no, then somebody mends it.
    zone.registrar.users = {}
    zone.run(3600)
    assert zone.state is State.REGISTERED


@pytest.mark.parametrize("status", [403, 404, 503, 500, 600, 302, 408])
def test_after_a_failure_it_comes_back_later_each_time(status: int) -> None:
    """RFC 5626 4.5: 30 to 60 s, 1 to 2 minutes, and so on to 15 to 30 minutes; a refusal begins with the third."""
    zone = Zone(users={}, refuse=[(status, {})] * 100).run(6 * 3600)
    times = zone.registrar.times()
    gaps = [b - a for a, b in itertools.pairwise(times)]
    skipped = 0 if status in (503, 500, 408) else 2
    for number, gap in enumerate(gaps[:8]):
        longest = min(1800, 60 * 2 ** (number + skipped))
        assert longest / 2 - 1 <= gap <= longest + 1, (number, gap)
    assert zone.reports[0] == (0.0, State.FAILED)
    zone.registrar.refuse.clear()
    assert zone.run(1800).state is State.REGISTERED
    zone.registrar.refuse = [(503, {})]
    zone.run(3600)
    assert zone.state is State.REGISTERED  # counted anew: it came back within a minute


def test_retry_after_is_waited_for() -> None:
    zone = Zone(users={}, refuse=[(503, {"Retry-After": "900"})]).run(899)
    assert len(zone.heard) == 1
    assert zone.run(2).state is State.REGISTERED
    zone = Zone(users={}, refuse=[(503, {"Retry-After": "4000000000"})]).run(7300)
    assert zone.state is State.REGISTERED


def test_nobody_there_is_a_time_out() -> None:
    zone = Zone(silent=True).run(33)
    assert (zone.state, zone.registration.status) == (State.FAILED, 408)
    zone.registrar.silent = False
    assert zone.run(61).state is State.REGISTERED


def test_the_next_address_of_the_server_is_tried() -> None:
    """RFC 3263 4.3."""
    zone = Zone(("10.0.0.9", 5060), THEIRS, transport="tcp", users={}).run(2)
    assert zone.state is State.REGISTERED
    zone = Zone(THEIRS, SECOND, users={}, refuse=[(503, {})])
    other = Registrar(zone.wire, SECOND, users={})
    zone.run(2)
    assert (zone.state, len(zone.heard), len(other.heard)) == (State.REGISTERED, 1, 1)
    # Renewed on the flow that it was made by (RFC 5626 4.2.1).
    zone.run(3500)
    assert (len(zone.heard), len(other.heard)) == (1, 2)


def test_a_name_that_is_unknown_is_looked_up_again() -> None:
    zone = Zone(users={})
    flows, zone.flows = zone.flows, []
    zone.run(1)
    assert (zone.state, zone.registration.status) == (State.FAILED, None)
    assert zone.registration.reason == "there is no host example.com"
    zone.flows = flows
    assert zone.run(61).state is State.REGISTERED
    assert len(zone.wanted) == 2


def test_a_redirection_is_followed() -> None:
    """RFC 3261 8.1.3.4."""
    contact = "<sip:x@low.example.com>;q=0.1, <sip:y@high.example.com:5070;transport=tcp>;q=0.9, <tel:1>"
    zone = Zone(users={}, refuse=[(302, {"Contact": contact})]).run(1)
    assert zone.wanted == ["sip:example.com", "sip:high.example.com:5070;transport=tcp"]
    assert zone.state is State.REGISTERED
    assert str(zone.heard[-1].request.uri) == "sip:high.example.com:5070;transport=tcp"


def test_a_registrar_of_sips_sends_us_to_sips_only() -> None:
    contact = "<sip:high.example.com;transport=tls>;q=0.9, <sips:low.example.com>;q=0.1"
    settings = {"address": Uri.parse("sips:alice@example.com")}
    zone = Zone(users={}, settings=settings, refuse=[(302, {"Contact": contact})]).run(1)
    assert zone.wanted == ["sips:example.com", "sips:low.example.com"]


def test_redirections_in_a_circle_end() -> None:
    zone = Zone(users={}, refuse=[(302, {"Contact": "<sip:example.com>"})] * 50).run(20)
    assert zone.state is State.FAILED
    assert len(zone.heard) == 5


def test_the_way_is_by_the_proxy() -> None:
    settings = {"proxy": Uri.parse("sip:edge.example.com"), "registrar": Uri.parse("sip:reg.example.com")}
    zone = Zone(users={}, settings=settings, fields={"Service-Route": "<sip:a.example.com;lr>"}).run(1)
    assert zone.wanted == ["sip:edge.example.com"]
    assert zone.heard[0].request.headers.all("Route") == ["<sip:edge.example.com;lr>"]
    assert str(zone.heard[0].request.uri) == "sip:reg.example.com"
    assert [str(hop.uri) for hop in zone.account.service_route] == ["sip:a.example.com;lr"]
    # RFC 3608 6.1: what a later 200 doesn't say any more is forgotten.
    zone.registrar.fields.clear()
    zone.run(3500)
    assert zone.account.service_route == ()


def test_a_first_hop_without_outbound() -> None:
    """RFC 5626 4.2.1, 11.6."""
    zone = Zone(users={}, refuse=[(439, {})]).run(1)
    assert zone.state is State.REGISTERED
    assert zone.heard[1].contact.parameter("reg-id") is None
    assert zone.heard[1].request.supported == ("path",)


def test_the_server_says_that_it_keeps_to_outbound() -> None:
    zone = Zone(transport="tcp", users={}, fields={"Require": "outbound"}).run(1)
    assert zone.account.outbound
    assert zone.account.contact(flow(), dialog=True).parameter("ob") == ""


# Flows


def test_a_stream_is_kept_alive() -> None:
    """RFC 5626 4.4.1."""
    zone = Zone(transport="tcp", users={}).run(1000)
    gaps = [b - a for a, b in itertools.pairwise(zone.registrar.pings)]
    assert all(95 < gap < 121 for gap in gaps)
    assert len(gaps) > 6
    assert len(zone.heard) == 1


def test_the_server_says_how_often() -> None:
    zone = Zone(transport="tcp", users={}, fields={"Flow-Timer": "30"}).run(300)
    gaps = [b - a for a, b in itertools.pairwise(zone.registrar.pings)]
    assert all(23 < gap < 31 for gap in gaps)
    zone = Zone(transport="tcp", users={}, fields={"Flow-Timer": "0"}).run(100)
    assert len(zone.registrar.pings) <= 13


def test_datagrams_are_kept_alive_more_often() -> None:
    zone = Zone(users={}).run(300)
    gaps = [b - a for a, b in itertools.pairwise(zone.registrar.pings)]
    assert all(23 < gap < 30 for gap in gaps)
    assert len(gaps) > 8


def test_a_flow_whose_pongs_stay_away_is_made_anew() -> None:
    """RFC 5626 4.4.1: 10 s."""
    zone = Zone(transport="tcp", users={}, fields={"Flow-Timer": "100"}).run(1)
    [first] = zone.registrar.flows
    zone.registrar.pongs = False
    zone.run(120)
    assert len(zone.heard) == 2
    assert zone.heard[1].flow != first
    assert zone.state is State.REGISTERED
    assert zone.agent.counters["no pong"] == 1


def test_a_server_that_never_answered_a_ping_is_not_suspected() -> None:
    zone = Zone(transport="tcp", users={}, pongs=False).run(1000)
    assert len(zone.heard) == 1
    assert len(zone.registrar.pings) > 6


def test_a_lost_connection_is_made_anew_at_once() -> None:
    """RFC 5626 4.5."""
    zone = Zone(transport="tcp", users={}).run(100)
    zone.registrar.close()
    zone.run(1)
    assert len(zone.heard) == 2
    assert zone.state is State.REGISTERED


@pytest.mark.parametrize("seconds", [1, 100])
@pytest.mark.parametrize("outbound", [True, False])
def test_a_server_that_closes_every_connection_is_not_flooded(seconds: float, outbound: bool) -> None:
    fields = {"Require": "outbound"} if outbound else {}
    zone = Zone(transport="tcp", users={}, fields=fields).run(seconds)
    for _ in range(1000):
        zone.registrar.close()
        zone.run(1)
    assert 4 <= len(zone.heard) <= 7
    # Who keeps to RFC 5626 reaches us by that connection only.
    assert (State.FAILED in {state for _, state in zone.reports}) is outbound
    zone.run(2000)
    assert zone.state is State.REGISTERED


def test_a_connection_that_was_dead_when_it_was_needed_is_replaced() -> None:
    zone = Zone(transport="tcp", users={}, settings={"expires": 1000}, longest=1000).run(499)
    zone.registrar.silent = True
    zone.run(3)
    assert len(zone.heard) == 2  # the renewal is out
    zone.wire.cut(OURS, zone.flows[0])
    zone.registrar.silent = False
    zone.run(2)
    assert zone.state is State.REGISTERED
    assert {state for _, state in zone.reports} == {State.REGISTERED}


def test_a_connection_that_is_dead_without_a_word_is_replaced() -> None:
    zone = Zone(transport="tcp", users={}, settings={"expires": 1000}, longest=1000).run(499)
    zone.registrar.silent = True
    zone.run(30)
    zone.registrar.silent = False
    zone.run(5)
    assert [round(heard.at) for heard in zone.heard] == [0, 500, 532]
    assert zone.heard[2].flow != zone.heard[0].flow
    assert {state for _, state in zone.reports} == {State.REGISTERED}
    assert len(zone.registrar.flows) == 1


def test_a_connection_lost_twice_while_the_server_is_looked_up_is_one_round_all_the_same() -> None:
    zone = Zone(transport="tcp", users={}).run(100)
    asked: list[Registration] = []
    zone.answer = lambda event: asked.append(event.registration)  # the name server takes its time
    zone.registrar.close()
    zone.run(1)
    zone.agent.flow_closed(zone.flows[0], zone.wire.now)
    for registration in asked * 2:
        registration.use(zone.flows, zone.wire.now)
    zone.answer = lambda event: event.registration.use(zone.flows, zone.wire.now)
    zone.run(2900)
    assert len(zone.heard) == 2


def test_two_accounts_share_a_connection_and_lose_it_together() -> None:
    zone = Zone(transport="tcp", users={}).run(1)
    second = zone.agent.add_account(AccountSettings(Uri.parse("sip:bob@example.com")))
    zone.registrar.heard.clear()  # another Call-ID is right now
    registration = zone.agent.register(second, zone.wire.now)
    zone.wire.pass_time(100)
    assert len(zone.registrar.flows) == 1
    zone.registrar.close()
    zone.wire.pass_time(1)
    assert zone.state is registration.state is State.REGISTERED
    assert len(zone.registrar.flows) == 1


# The end


def test_it_is_unregistered_at_the_end() -> None:
    zone = Zone().run(1)
    zone.registration.stop(zone.wire.now)
    zone.run(1)
    assert zone.heard[-1].expires == 0
    assert zone.registrar.bound() == []
    assert zone.reports[-1][1] is State.STOPPED
    assert zone.account.flow is None
    heard = len(zone.heard)
    zone.run(10_000)
    assert len(zone.heard) == heard
    assert not any(zone.agent.sizes.values())


def test_what_is_not_registered_need_not_be_undone() -> None:
    zone = Zone(silent=True, password="").run(40)
    assert zone.state is State.FAILED
    zone.registration.stop(zone.wire.now)
    zone.run(0)
    assert zone.reports[-1][1] is State.STOPPED
    zone.registration.stop(zone.wire.now)
    zone.run(100)
    assert len(zone.reports) == 2


def test_a_registration_under_way_is_undone_once_it_is_there() -> None:
    """RFC 3261 10.2: not before the answer to the one before."""
    zone = Zone(users={})
    zone.wire.collect()
    zone.registration.stop(0.0)
    zone.run(1)
    assert [heard.expires for heard in zone.heard] == [3600, 0]
    assert zone.registrar.bound() == []
    assert zone.reports == [(0.0, State.STOPPED)]


def test_who_is_answered_when_it_has_stopped_does_nothing() -> None:
    zone = Zone(users={}).run(1)
    zone.registration.stop(zone.wire.now)
    zone.registration.use([Flow("udp", OURS, THEIRS)], zone.wire.now)
    zone.registration.not_found("x", zone.wire.now)
    zone.run(100)
    assert len(zone.heard) == 2


def test_nonsense_in_a_200_does_no_harm() -> None:
    zone = Zone(
        users={},
        echo_expires=False,
        fields={
            "Contact": "<<<>>>",
            "Expires": "soon",
            "Service-Route": "][",
            "Require": "=",
            "Flow-Timer": "never",
            "Min-Expires": "-1",
        },
    ).run(1)
    assert zone.state is State.REGISTERED
    assert zone.registration.until == pytest.approx(3600, abs=1)
    assert zone.account.service_route == ()


def test_who_is_elsewhere_registers_from_there_at_once() -> None:
    zone = Zone().run(1)
    before = len(zone.heard)
    zone.registration.renew(zone.wire.now)
    zone.run(1)
    assert zone.wanted == ["sip:example.com"] * 2, "the way to the server is found out anew"
    assert len(zone.heard) == before + 1
    zone.registration.renew(zone.wire.now)
    zone.registration.renew(zone.wire.now)
    zone.run(1)
    assert len(zone.heard) == before + 2, "one round at a time"
    zone.registration.stop(zone.wire.now)
    zone.run(1)
    heard = len(zone.heard)
    zone.registration.renew(zone.wire.now)
    zone.run(1)
    assert len(zone.heard) == heard, "who has stopped is gone"
