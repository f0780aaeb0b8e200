from __future__ import annotations

from typing import Any

import pytest
from ras_zone import FIRST, OURS, STRANGER, Zone, guid

from firmware.h323.address import encode_transport
from firmware.h323.ras_call import State
from firmware.h323.ras_event import DisengageRequested, Unregistered
from firmware.h323.ras_request import MAX_ANSWERS, MAX_LOCATION, REMEMBERED
from firmware.sansio import Flow

DISENGAGE: dict[str, Any] = {
    "requestSeqNum": 77,
    "endpointIdentifier": "x",
    "conferenceID": bytes(16),
    "callReferenceValue": 0,
    "disengageReason": ("forcedDrop", None),
    "callIdentifier": {"guid": guid(5)},
}
LOCATE: dict[str, Any] = {
    "requestSeqNum": 3,
    "destinationInfo": [("h323-ID", "room")],
    "replyAddress": encode_transport(STRANGER),
}


def test_a_repeated_request_is_answered_again_and_done_once() -> None:
    zone = Zone()
    zone.register()
    zone.admit(5)
    zone.inject("disengageRequest", DISENGAGE)
    zone.run(1)
    zone.inject("disengageRequest", DISENGAGE)
    zone.run(1)
    assert zone.names()[-2:] == ["disengageConfirm", "disengageConfirm"]
    assert len(zone.of(DisengageRequested)) == 1
    zone.run(REMEMBERED)
    zone.inject("disengageRequest", DISENGAGE)
    zone.run(1)
    assert zone.names()[-1] == "disengageReject"


def test_the_same_number_for_something_else_is_another_request() -> None:
    zone = Zone()
    zone.register()
    first, second = zone.admit(5), zone.admit(6)
    zone.inject("disengageRequest", DISENGAGE)
    zone.inject("disengageRequest", {**DISENGAGE, "callIdentifier": {"guid": guid(6)}})
    zone.run(0.1)
    assert zone.of(DisengageRequested) == [
        DisengageRequested(first, "forcedDrop"),
        DisengageRequested(second, "forcedDrop"),
    ]


def test_a_call_that_is_not_there_is_refused() -> None:
    zone = Zone()
    zone.register()
    zone.inject("disengageRequest", DISENGAGE)
    request = {**DISENGAGE, "bandWidth": 1}
    del request["disengageReason"]
    zone.inject("bandwidthRequest", request)
    zone.run(0.1)
    [(_, drop, first), (_, bandwidth, second)] = zone.sent()[-2:]
    assert (drop, first["rejectReason"]) == ("disengageReject", ("requestToDropOther", None))
    assert (bandwidth, second["rejectReason"]) == ("bandwidthReject", ("invalidConferenceID", None))


def test_another_endpoint_s_unregistration_is_refused() -> None:
    zone = Zone()
    zone.register()
    zone.inject("unregistrationRequest", {"requestSeqNum": 9, "callSignalAddress": [], "endpointIdentifier": "other"})
    zone.run(0.1)
    assert zone.names()[-1] == "unregistrationReject"
    assert zone.client.registered


@pytest.mark.parametrize("source", [STRANGER, (FIRST[0], 1720)])
def test_strangers_are_not_obeyed(source: tuple[str, int]) -> None:
    zone = Zone()
    zone.register()
    admission = zone.admit(5)
    zone.inject("disengageRequest", DISENGAGE, source)
    zone.inject("unregistrationRequest", {"requestSeqNum": 9, "callSignalAddress": []}, source)
    zone.inject("infoRequest", {"requestSeqNum": 9, "callReferenceValue": 0}, source)
    zone.run(0.1)
    assert zone.names(source) == []
    assert admission.state is State.ADMITTED
    assert zone.client.registered
    assert zone.client.dropped == {"not for us": 3}


def test_without_a_registration_nobody_is_obeyed() -> None:
    zone = Zone()
    zone.inject("infoRequest", {"requestSeqNum": 9, "callReferenceValue": 0})
    zone.run(0.1)
    assert zone.sent() == []
    zone.gatekeeper.silent.add("registrationRequest")
    zone.client.start(zone.now)
    zone.run(0.1)
    zone.inject("infoRequest", {"requestSeqNum": 9, "callReferenceValue": 0})
    zone.run(0.1)
    assert zone.names() == ["gatekeeperRequest", "registrationRequest"]


def test_only_protected_requests_are_obeyed_where_messages_are_protected() -> None:
    zone = Zone(password="secret")
    zone.gatekeeper.users = {"room": "secret"}
    endpoint = zone.register()
    admission = zone.admit(5)
    zone.inject("disengageRequest", DISENGAGE)
    zone.inject("unregistrationRequest", {"requestSeqNum": 9, "callSignalAddress": []})
    zone.run(0.1)
    assert admission.state is State.ADMITTED
    assert zone.client.dropped["securityTokenMissing"] == 2
    zone.gatekeeper.disengage(endpoint, guid(5), zone.now)
    zone.run(0.1)
    assert zone.of(DisengageRequested) == [DisengageRequested(admission, "forcedDrop")]


def test_a_protected_request_that_is_recorded_and_played_again_does_nothing() -> None:
    zone = Zone(password="secret")
    zone.gatekeeper.users = {"room": "secret"}
    endpoint = zone.register()
    zone.admit(5)
    zone.gatekeeper.disengage(endpoint, guid(5), zone.now)
    zone.run(0.1)
    recorded = [data for _, flow, data in zone.wire.sent if flow.local == FIRST][-1]
    zone.run(REMEMBERED + 1)
    zone.client.disengage(zone.admit(5), zone.now)
    admission = zone.admit(5)
    zone.client.receive_data(Flow("udp", OURS, FIRST), recorded, zone.now)
    zone.run(0.1)
    assert admission.state is State.ADMITTED
    assert zone.client.dropped["securityReplay"] == 1


def test_a_service_that_is_not_shown_is_not_available() -> None:
    zone = Zone()
    endpoint = zone.register()
    session = {"sessionId": 1, "contents": ("url", "http://example.org/"), "reason": ("open", None)}
    number = zone.gatekeeper.ask(endpoint, "serviceControlIndication", {"serviceControl": [session]}, zone.now)
    zone.run(0.1)
    answer = zone.gatekeeper.last("serviceControlResponse")
    assert (answer["requestSeqNum"], answer["result"]) == (number, ("notAvailable", None))


def test_what_an_endpoint_does_not_understand_is_sent_back() -> None:
    zone = Zone()
    endpoint = zone.register()
    body = {"nonStandardData": {"nonStandardIdentifier": ("object", "1.2.3"), "data": b"what"}}
    number = zone.gatekeeper.ask(endpoint, "nonStandardMessage", body, zone.now)
    zone.run(0.1)
    answer = zone.gatekeeper.last("unknownMessageResponse")
    assert answer["requestSeqNum"] == number
    assert b"what" in answer["messageNotUnderstood"]


def test_a_message_of_the_future_is_not_understood() -> None:
    zone = Zone()
    zone.register()
    zone.client.receive_data(Flow("udp", OURS, FIRST), bytes([0x80 | 20, 1, 0]), zone.now)
    zone.run(0.1)
    assert zone.gatekeeper.last("unknownMessageResponse")["messageNotUnderstood"] == bytes([0x80 | 20, 1, 0])


def test_an_answer_to_nothing_is_not_answered() -> None:
    zone = Zone()
    zone.register()
    before = len(zone.sent())
    for name in ("unknownMessageResponse", "requestInProgress", "unregistrationConfirm"):
        body = {"requestSeqNum": 4, "delay": 5, "messageNotUnderstood": b""}
        zone.inject(name, {key: body[key] for key in KEYS[name]})
    zone.run(0.1)
    assert len(zone.sent()) == before
    assert zone.client.dropped == {"not for us": 3}


KEYS = {
    "unknownMessageResponse": ("requestSeqNum", "messageNotUnderstood"),
    "requestInProgress": ("requestSeqNum", "delay"),
    "unregistrationConfirm": ("requestSeqNum",),
}


def test_a_search_for_us_is_refused() -> None:
    zone = Zone()
    zone.inject("locationRequest", LOCATE, STRANGER)
    zone.run(0.1)
    [(_, name, body)] = zone.sent(STRANGER)
    assert (name, body["rejectReason"]) == ("locationReject", ("requestDenied", None))


def test_a_stranger_gets_no_hash_to_try_passwords_on() -> None:
    zone = Zone(password="secret")
    zone.gatekeeper.users = {"room": "secret"}
    zone.register()
    zone.inject("locationRequest", LOCATE, STRANGER)
    zone.inject("infoRequest", {"requestSeqNum": 9, "callReferenceValue": 0}, STRANGER)
    zone.run(0.1)
    [(_, name, body)] = zone.sent(STRANGER)
    assert name == "locationReject"
    assert set(body) == {"requestSeqNum", "rejectReason"}


def test_a_search_is_not_answered_to_somebody_else_nor_in_a_flood() -> None:
    zone = Zone()
    zone.inject("locationRequest", {**LOCATE, "replyAddress": encode_transport(FIRST)}, STRANGER)
    zone.run(1.5)
    for number in range(100):
        zone.inject("locationRequest", {**LOCATE, "requestSeqNum": number + 1}, STRANGER)
    zone.run(0.1)
    assert zone.names(FIRST) == []
    assert len(zone.names(STRANGER)) == MAX_LOCATION


def test_few_answers_are_remembered() -> None:
    zone = Zone()
    zone.register()
    for number in range(1, MAX_ANSWERS + 100):
        zone.inject("infoRequest", {"requestSeqNum": number, "callReferenceValue": 0})
    assert len(zone.client._requests._answers) == MAX_ANSWERS
    assert zone.of(Unregistered) == []
