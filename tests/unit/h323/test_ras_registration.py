from __future__ import annotations

from itertools import pairwise

import pytest
from ras_zone import ALIASES, FIRST, SECOND, SIGNALLING, Zone, alternate, alternatives

from firmware.h323.address import encode_transport
from firmware.h323.ras_alternate import Gatekeeper
from firmware.h323.ras_event import Registered, Unregistered
from firmware.h323.ras_reason import REGISTRATION, UNREGISTRATION, Recovery
from firmware.h323.ras_registration import HOME_TIME, LONGEST_REFRESH, QUICK, REFUSED_WAIT, WAIT
from firmware.sansio import Address

NULL_REASONS = sorted(alternatives("RegistrationRejectReason"))


def reason(name: str) -> tuple[str, object]:
    """Give a RegistrationRejectReason or UnregRequestReason with a value that it may have."""
    values: dict[str, object] = {
        "duplicateAlias": [("h323-ID", "room")],
        "invalidTerminalAliases": {},
        "securityError": ("securityReplay", None),
    }
    return name, values.get(name)


def test_a_full_registration_says_who_and_where_we_are() -> None:
    zone = Zone(time_to_live=120)
    endpoint = zone.register()
    body = zone.gatekeeper.last("registrationRequest")
    assert body["discoveryComplete"] is True
    assert body["callSignalAddress"] == [encode_transport(SIGNALLING)]
    assert body["terminalAlias"] == list(ALIASES)
    assert body["gatekeeperIdentifier"] == "VisavisGK"
    assert (body["timeToLive"], body["keepAlive"]) == (120, False)
    assert "endpointIdentifier" not in body
    assert endpoint.signalling == SIGNALLING
    assert zone.of(Registered) == [Registered(Gatekeeper(FIRST, "VisavisGK"), ALIASES)]
    assert zone.client.aliases == ALIASES
    assert zone.client.call_signal_address == zone.gatekeeper.call_signal_address


def test_a_registration_is_kept_alive_well_before_its_end() -> None:
    zone = Zone()
    endpoint = zone.register()
    zone.run(600)
    alive = [(at, body) for at, name, body in zone.sent() if name == "registrationRequest"][1:]
    assert all(body["keepAlive"] and body["endpointIdentifier"] == endpoint.identifier for _, body in alive)
    assert all("terminalAlias" not in body for _, body in alive)
    times = [at for at, _ in alive]
    gaps = [b - a for a, b in pairwise(times)]
    assert all(26 < gap < 31 for gap in gaps)
    assert len(zone.events) == 1


def test_a_registration_for_ever_is_left_alone() -> None:
    zone = Zone()
    zone.gatekeeper.time_to_live = None
    zone.register()
    zone.run(100_000)
    assert len(zone.sent()) == 2
    assert zone.client.timer() is None


def test_a_long_time_to_live_does_not_hide_a_lost_gatekeeper() -> None:
    zone = Zone(time_to_live=86_400)
    zone.gatekeeper.time_to_live = 86_400
    zone.register()
    zone.gatekeeper.silent.add("all")
    zone.run(LONGEST_REFRESH + 9.1)
    assert zone.of(Unregistered)[0].reason == "noAnswer"


def test_the_shortest_time_to_live_is_borne() -> None:
    zone = Zone(time_to_live=1)
    zone.register()
    zone.run(60)
    assert 55 <= zone.names().count("registrationRequest") <= 62


def test_a_gatekeeper_that_forgot_us_gets_a_full_registration() -> None:
    zone = Zone()
    zone.register()
    zone.gatekeeper.restart()
    zone.run(40)
    assert zone.client.registered
    assert [type(event) for event in zone.events] == [Registered, Unregistered, Registered]
    assert zone.of(Unregistered) == [Unregistered("fullRegistrationRequired", None)]
    assert zone.names() == ["gatekeeperRequest", *["registrationRequest"] * 3]


def test_a_gatekeeper_of_version_1_does_not_understand_a_sign_of_life() -> None:
    zone = Zone()
    zone.register()
    zone.gatekeeper.silent.add("registrationRequest")
    zone.run(31)
    number = zone.gatekeeper.last("registrationRequest")["requestSeqNum"]
    zone.gatekeeper.silent.clear()
    zone.inject("unknownMessageResponse", {"requestSeqNum": number})
    zone.run(1)
    assert zone.client.registered
    assert zone.gatekeeper.last("registrationRequest")["keepAlive"] is False


@pytest.mark.parametrize("name", NULL_REASONS)
def test_every_reject_leads_where_its_table_says(name: str) -> None:
    zone = Zone()
    zone.gatekeeper.refuse["registrationRequest"] = [(reason(name), {})]
    zone.client.start(0.0)
    zone.run(2)
    match REGISTRATION[name]:
        case Recovery.DISCOVER:
            assert zone.names() == ["gatekeeperRequest", "registrationRequest"] * 2
        case Recovery.REGISTER:
            assert zone.names() == ["gatekeeperRequest", "registrationRequest", "registrationRequest"]
        case Recovery.REFUSED:
            [event] = zone.of(Unregistered)
            assert event.reason == name
            assert event.retry is not None
            assert REFUSED_WAIT[0] * 0.8 <= event.retry <= REFUSED_WAIT[0] * 1.2 + 1
        case _:
            [event] = zone.of(Unregistered)
            assert event.reason == name
            assert event.retry is not None
            assert WAIT[0] * 0.8 <= event.retry <= WAIT[0] * 1.2 + 1
    zone.run(100)
    assert zone.client.registered, "and in the end it takes us"


@pytest.mark.parametrize("name", sorted(UNREGISTRATION))
def test_every_unregistration_leads_where_its_table_says(name: str) -> None:
    zone = Zone()
    endpoint = zone.register()
    zone.gatekeeper.unregister(endpoint, reason(name), zone.now)
    zone.run(1)
    assert zone.names().count("unregistrationConfirm") == 1
    [event] = zone.of(Unregistered)
    assert event.reason == name
    if UNREGISTRATION[name] is Recovery.WAIT:
        assert event.retry is not None
        assert not zone.client.registered
    else:
        assert event.retry is None
        assert zone.client.registered
    zone.run(30)
    assert zone.client.registered
    assert len(zone.of(Registered)) == 2


def test_a_gatekeeper_that_sends_us_round_in_circles_is_left_for_a_while() -> None:
    zone = Zone()
    zone.gatekeeper.refuse["registrationRequest"] = [(("discoveryRequired", None), {})] * 100
    zone.client.start(0.0)
    zone.run(3)
    assert len(zone.sent()) == QUICK
    assert [event.reason for event in zone.of(Unregistered)] == ["discoveryRequired"]


def test_waits_grow_up_to_a_bound() -> None:
    zone = Zone()
    zone.gatekeeper.refuse["registrationRequest"] = [(("undefinedReason", None), {})] * 1000
    zone.client.start(0.0)
    zone.run(6000)
    times = [at for at, name, _ in zone.sent() if name == "registrationRequest"]
    gaps = [b - a for a, b in pairwise(times)]
    assert all(gap >= WAIT[0] * 0.8 for gap in gaps)
    assert max(gaps) <= WAIT[1] * 1.2 + 1
    assert all(gap >= WAIT[1] * 0.8 for gap in gaps[6:])


def test_a_wait_ends_by_start() -> None:
    zone = Zone()
    zone.gatekeeper.refuse["registrationRequest"] = [(("securityDenial", None), {})]
    zone.client.start(0.0)
    zone.run(1)
    zone.client.start(zone.now)
    zone.run(1)
    assert zone.client.registered


def test_start_twice_is_start_once() -> None:
    zone = Zone()
    zone.client.start(0.0)
    zone.client.start(0.0)
    zone.run(1)
    zone.client.start(zone.now)
    zone.run(1)
    assert zone.names() == ["gatekeeperRequest", "registrationRequest"]


def test_stop_unregisters() -> None:
    zone = Zone()
    endpoint = zone.register()
    zone.client.stop(zone.now)
    assert not zone.client.registered
    zone.run(1)
    body = zone.gatekeeper.last("unregistrationRequest")
    assert (body["endpointIdentifier"], body["gatekeeperIdentifier"]) == (endpoint.identifier, "VisavisGK")
    assert zone.of(Unregistered) == [Unregistered("stopped", None)]
    assert zone.gatekeeper.endpoints == {}
    assert zone.client.timer() is None
    zone.client.stop(zone.now)
    zone.run(1)
    assert len(zone.of(Unregistered)) == 1


def test_stop_does_not_wait_for_a_silent_gatekeeper_for_ever() -> None:
    zone = Zone()
    zone.register()
    zone.gatekeeper.silent.add("all")
    zone.client.stop(zone.now)
    zone.run(7)
    assert zone.of(Unregistered) == [Unregistered("stopped", None)]
    assert zone.client.timer() is None


def test_stop_on_the_way_to_a_registration_ends_it() -> None:
    zone = Zone()
    zone.gatekeeper.silent.add("all")
    zone.client.start(0.0)
    zone.run(1)
    zone.client.stop(zone.now)
    zone.run(100)
    assert zone.names() == ["gatekeeperRequest"]
    assert zone.of(Unregistered) == [Unregistered("stopped", None)]


def test_start_after_stop_registers_again() -> None:
    zone = Zone()
    zone.register()
    zone.client.stop(zone.now)
    zone.client.start(zone.now)
    zone.run(1)
    assert zone.client.registered


# Alternates


def test_a_silent_gatekeeper_is_left_without_a_word_for_one_that_knows_us() -> None:
    zone = Zone(second=True)
    zone.gatekeeper.alternates = [alternate(SECOND, register=False)]
    endpoint = zone.register()
    zone.gatekeeper.silent.add("all")
    zone.run(60)
    assert zone.client.gatekeeper == Gatekeeper(SECOND, "OtherGK")
    assert zone.client.registered
    assert zone.of(Unregistered) == []
    [first, *_] = [body for _, name, body in zone.sent(SECOND)]
    assert first["keepAlive"] is True
    assert first["endpointIdentifier"] == endpoint.identifier


def test_an_alternate_that_wants_a_registration_gets_one() -> None:
    zone = Zone(second=True)
    zone.gatekeeper.alternates = [alternate(SECOND)]
    zone.register()
    zone.gatekeeper.silent.add("all")
    zone.run(60)
    assert zone.client.gatekeeper == Gatekeeper(SECOND, "OtherGK")
    assert [type(event) for event in zone.events] == [Registered, Unregistered, Registered]
    assert zone.sent(SECOND)[0][2]["keepAlive"] is False


def test_alternates_are_tried_by_priority_and_then_the_first_one_is_looked_for_again() -> None:
    third = ("192.0.2.3", 1719)
    zone = Zone(second=True)
    zone.gatekeeper.alternates = [alternate(third, priority=7), alternate(SECOND, priority=3)]
    zone.register()
    zone.gatekeeper.silent.add("all")
    zone.second.silent.add("all")
    zone.run(27 + 9 + 9 + 9 + 16)
    order = [flow.remote for at, flow, _ in zone.wire.sent if at > 36 and flow.local[0] == "192.0.2.5"]
    assert list(dict.fromkeys(order)) == [SECOND, third, FIRST]
    assert zone.names()[-1] == "gatekeeperRequest"
    zone.gatekeeper.silent.clear()
    zone.run(60)
    assert zone.client.registered


def test_after_a_wait_alternates_are_tried_again() -> None:
    zone = Zone(second=True)
    zone.gatekeeper.alternates = [alternate(SECOND)]
    zone.register()
    zone.gatekeeper.silent.add("all")
    zone.second.silent.add("all")
    zone.run(60)
    assert not zone.client.registered
    zone.second.silent.clear()
    zone.run(60)
    assert zone.client.gatekeeper == Gatekeeper(SECOND, "OtherGK")
    assert zone.client.registered


def test_without_a_registration_we_have_no_name() -> None:
    zone = Zone()
    endpoint = zone.register()
    assert zone.client._registration.endpoint_identifier == endpoint.identifier
    zone.gatekeeper.unregister(endpoint, reason("undefinedReason"), zone.now)
    zone.run(0.1)
    assert zone.client._registration.endpoint_identifier == ""


def test_a_reject_with_alternates_is_followed_whatever_its_reason() -> None:
    zone = Zone(second=True)
    more = {"altGKInfo": {"alternateGatekeeper": [alternate(SECOND)], "altGKisPermanent": True}}
    zone.gatekeeper.refuse["registrationRequest"] = [(("undefinedReason", None), more)]
    zone.client.start(0.0)
    zone.run(1)
    assert zone.client.gatekeeper == Gatekeeper(SECOND, "OtherGK")


def test_an_assigned_gatekeeper_is_gone_to() -> None:
    zone = Zone(second=True)
    more = {"assignedGatekeeper": alternate(SECOND)}
    zone.gatekeeper.refuse["registrationRequest"] = [(("registerWithAssignedGK", None), more)]
    zone.client.start(0.0)
    zone.run(1)
    assert zone.client.gatekeeper == Gatekeeper(SECOND, "OtherGK")


def test_an_unregistration_may_name_alternates() -> None:
    zone = Zone(second=True)
    endpoint = zone.register()
    zone.gatekeeper.unregister(endpoint, reason("maintenance"), zone.now, alternateGatekeeper=[alternate(SECOND)])
    zone.run(1)
    assert zone.client.gatekeeper == Gatekeeper(SECOND, "OtherGK")


def test_two_gatekeepers_can_t_send_us_to_and_fro() -> None:
    zone = Zone(second=True)
    for gatekeeper, other in ((zone.gatekeeper, SECOND), (zone.second, FIRST)):
        more = {"altGKInfo": {"alternateGatekeeper": [alternate(other)], "altGKisPermanent": True}}
        gatekeeper.refuse["registrationRequest"] = [(("resourceUnavailable", None), more)] * 100
    zone.client.start(0.0)
    zone.run(5)
    assert len(zone.sent(FIRST)) + len(zone.sent(SECOND)) <= QUICK
    assert len(zone.of(Unregistered)) == 1


# Losses


def taken_by_the_second() -> Zone:
    zone = Zone(second=True)
    zone.gatekeeper.alternates = [alternate(SECOND)]
    zone.register()
    zone.gatekeeper.silent.add("all")
    zone.run(70)
    assert where(zone) == SECOND
    return zone


def where(zone: Zone) -> Address:
    assert zone.client.registered
    assert zone.client.gatekeeper is not None
    return zone.client.gatekeeper.address


def test_who_is_with_an_alternate_looks_for_the_way_home_and_stays_till_then() -> None:
    zone = taken_by_the_second()
    before = len(zone.sent())
    zone.run(2 * HOME_TIME)
    assert set(zone.names()[before:]) == {"gatekeeperRequest"}
    assert where(zone) == SECOND
    zone.gatekeeper.silent.clear()
    zone.gatekeeper.restart()
    zone.run(1.2 * HOME_TIME)
    assert where(zone) == FIRST
    assert zone.second.endpoints == {}, "which was told"
    assert [type(event) for event in zone.events] == [Registered, Unregistered, Registered, Registered]
    heard = len(zone.second.heard)
    zone.run(2 * HOME_TIME)
    assert len(zone.second.heard) == heard
    assert zone.names().count("gatekeeperRequest") < 15


def test_nobody_goes_home_in_the_midst_of_a_call() -> None:
    zone = taken_by_the_second()
    zone.gatekeeper.silent.clear()
    admission = zone.admit()
    zone.run(2.5 * HOME_TIME)
    assert where(zone) == SECOND
    zone.client.disengage(admission, zone.now)
    zone.run(1.2 * HOME_TIME)
    assert where(zone) == FIRST


def test_who_finds_home_while_a_call_begins_stays() -> None:
    zone = taken_by_the_second()
    zone.gatekeeper.silent.clear()
    zone.gatekeeper.delay["gatekeeperRequest"] = [5_000]
    before = zone.names().count("gatekeeperRequest")
    while zone.names().count("gatekeeperRequest") == before:
        zone.run(1)
    zone.admit()
    zone.run(20)
    assert where(zone) == SECOND


def test_a_home_that_does_not_want_us_is_no_home() -> None:
    zone = taken_by_the_second()
    zone.gatekeeper.silent.clear()
    zone.gatekeeper.refuse["gatekeeperRequest"] = [(("resourceUnavailable", None), {})] * 2
    zone.run(2.3 * HOME_TIME)
    assert where(zone) == SECOND
    zone.gatekeeper.refuse.clear()
    zone.run(1.2 * HOME_TIME)
    assert where(zone) == FIRST


def test_who_was_sent_away_for_good_does_not_come_back() -> None:
    zone = Zone(second=True)
    more = {"altGKInfo": {"alternateGatekeeper": [alternate(SECOND)], "altGKisPermanent": True}}
    zone.gatekeeper.refuse["registrationRequest"] = [(("resourceUnavailable", None), more)]
    zone.client.start(zone.now)
    zone.run(1)
    assert where(zone) == SECOND
    before = len(zone.sent())
    zone.run(3 * HOME_TIME)
    assert len(zone.sent()) == before


def test_an_alternate_that_dies_while_we_look_for_home_costs_one_registration() -> None:
    zone = taken_by_the_second()
    zone.gatekeeper.delay["gatekeeperRequest"] = [60_000]
    zone.gatekeeper.silent.clear()
    before = zone.names().count("gatekeeperRequest")
    while zone.names().count("gatekeeperRequest") == before:
        zone.run(1)
    zone.second.silent.add("all")
    zone.run(120)
    assert where(zone) == FIRST
    zone.run(2 * HOME_TIME)
    assert where(zone) == FIRST


def test_stop_ends_the_way_home() -> None:
    zone = taken_by_the_second()
    zone.client.stop(zone.now)
    zone.run(20)
    assert zone.client.timer() is None


def test_lost_datagrams_are_made_good() -> None:
    zone = Zone(lost=lambda number, data: number % 3 == 0)
    zone.client.start(0.0)
    zone.run(120)
    assert zone.client.registered
    assert zone.of(Unregistered) == []


def test_request_in_progress_is_waited_for() -> None:
    zone = Zone()
    zone.gatekeeper.delay["registrationRequest"] = [20_000]
    zone.client.start(0.0)
    zone.run(19)
    assert zone.names() == ["gatekeeperRequest", "registrationRequest"]
    zone.run(2)
    assert zone.client.registered
