from __future__ import annotations

from typing import Any

from ras_zone import ALIASES, FIRST, OURS, SIGNALLING, STRANGER, Zone, guid

from firmware.h323.address import encode_transport
from firmware.h323.ras_event import Unregistered


def ask(zone: Zone, reference: int, call: int = 0, **more: Any) -> dict[str, Any]:
    """Send an IRQ; give the IRR."""
    body = {"callReferenceValue": reference, "callIdentifier": {"guid": guid(call)}, **more}
    number = zone.gatekeeper.ask(zone.endpoint(), "infoRequest", body, zone.now)
    zone.run(0.1)
    answer = zone.gatekeeper.last("infoRequestResponse")
    assert answer["requestSeqNum"] == number
    return answer


def test_an_idle_endpoint_says_who_it_is() -> None:
    zone = Zone()
    endpoint = zone.register()
    answer = ask(zone, 0)
    assert answer["endpointIdentifier"] == endpoint.identifier
    assert answer["rasAddress"] == encode_transport(OURS)
    assert answer["callSignalAddress"] == [encode_transport(SIGNALLING)]
    assert answer["endpointAlias"] == list(ALIASES)
    assert "perCallInfo" not in answer
    assert (answer["needResponse"], answer["unsolicited"]) == (False, False)
    assert answer["irrStatus"] == ("complete", None)


def test_all_calls_are_reported_or_the_one_that_is_meant() -> None:
    zone = Zone()
    zone.register()
    zone.admit(1)
    zone.admit(2, answer=True, source_address=("192.0.2.9", 4000))
    calls = ask(zone, 0)["perCallInfo"]
    assert [call["callIdentifier"]["guid"] for call in calls] == [guid(1), guid(2)]
    assert [call["originator"] for call in calls] == [True, False]
    assert calls[0]["conferenceID"] == guid(101)
    assert (calls[0]["bandWidth"], calls[0]["callModel"]) == (10_000, ("direct", None))
    assert calls[0]["callSignalling"]["sendAddress"] == encode_transport(SIGNALLING)
    assert calls[1]["callSignalling"]["sendAddress"] == encode_transport(("192.0.2.9", 4000))
    [call] = ask(zone, 2)["perCallInfo"]
    assert call["callReferenceValue"] == 2
    [call] = ask(zone, 77, call=1)["perCallInfo"]
    assert call["callReferenceValue"] == 1


def test_a_call_that_is_not_there() -> None:
    zone = Zone()
    zone.register()
    answer = ask(zone, 5)
    assert answer["irrStatus"] == ("invalidCall", None)
    assert "perCallInfo" not in answer


def test_another_port_of_the_gatekeeper_may_be_answered_but_no_other_host() -> None:
    zone = Zone()
    endpoint = zone.register()
    body = {"callReferenceValue": 0, "callIdentifier": {"guid": guid(0)}}
    for reply in ((FIRST[0], 2000), STRANGER):
        zone.gatekeeper.ask(endpoint, "infoRequest", {**body, "replyAddress": encode_transport(reply)}, zone.now)
        zone.run(0.1)
    assert zone.names((FIRST[0], 2000)) == ["infoRequestResponse"]
    assert zone.names(STRANGER) == []
    assert zone.names()[-1] == "infoRequestResponse"


def test_reports_come_by_themselves_while_the_call_lasts() -> None:
    zone = Zone()
    zone.gatekeeper.report_interval = 30
    zone.gatekeeper.time_to_live = None
    zone.register()
    start = zone.now
    admission = zone.admit(1)
    zone.run(95)
    reports = [(at, body) for at, name, body in zone.sent() if name == "infoRequestResponse"]
    assert [round(at - start) for at, _ in reports] == [30, 60, 90]
    assert all(body["unsolicited"] and not body["needResponse"] for _, body in reports)
    assert len({body["requestSeqNum"] for _, body in reports}) == 3
    zone.client.disengage(admission, zone.now)
    zone.run(100)
    assert zone.names().count("infoRequestResponse") == 3


def test_a_report_that_is_to_be_acknowledged_is_repeated_until_it_is() -> None:
    zone = Zone()
    zone.gatekeeper.report_interval = 60
    zone.gatekeeper.acknowledges_reports = True
    zone.gatekeeper.time_to_live = None
    zone.register()
    zone.admit(1)
    zone.gatekeeper.silent.add("infoRequestResponse")
    zone.run(66)
    zone.gatekeeper.silent.clear()
    zone.run(20)
    numbers = [body["requestSeqNum"] for _, name, body in zone.sent() if name == "infoRequestResponse"]
    assert len(numbers) == 3
    assert len(set(numbers)) == 1
    assert zone.gatekeeper.last("infoRequestResponse")["needResponse"] is True


def test_reports_to_a_silent_gatekeeper_do_not_pile_up() -> None:
    zone = Zone()
    zone.gatekeeper.report_interval = 1
    zone.gatekeeper.acknowledges_reports = True
    zone.gatekeeper.time_to_live = None
    zone.register()
    for number in range(1, 17):
        zone.admit(number)
    zone.gatekeeper.silent.add("infoRequestResponse")
    before = len(zone.sent())
    zone.run(60)
    assert zone.client.registered
    assert len(zone.sent()) - before <= 16 * 60 / 15 * 3 + 16


def test_a_gatekeeper_that_does_not_know_us_is_registered_with() -> None:
    zone = Zone()
    zone.gatekeeper.report_interval = 10
    zone.gatekeeper.acknowledges_reports = True
    zone.gatekeeper.time_to_live = None
    zone.register()
    zone.admit(1)
    zone.gatekeeper.restart()
    zone.run(11)
    assert [event.reason for event in zone.of(Unregistered)] == ["notRegistered"]
    assert zone.client.registered
    zone.run(11)
    assert zone.gatekeeper.last("infoRequestResponse")["perCallInfo"][0]["callIdentifier"]["guid"] == guid(1)


def test_a_call_granted_before_is_reported_as_often_as_the_grant_says() -> None:
    zone = Zone()
    zone.gatekeeper.pre_granted = {
        "makeCall": True,
        "useGKCallSignalAddressToMakeCall": True,
        "answerCall": False,
        "useGKCallSignalAddressToAnswer": False,
        "irrFrequencyInCall": 20,
    }
    zone.gatekeeper.time_to_live = None
    zone.register()
    zone.admit(1)
    zone.run(65)
    assert zone.names().count("infoRequestResponse") == 3
    assert zone.gatekeeper.last("infoRequestResponse")["perCallInfo"][0]["callModel"] == ("gatekeeperRouted", None)
