from __future__ import annotations

import pytest
from ras_zone import FIRST, OURS, SECOND, STRANGER, Zone, alternate

from firmware.h323.address import encode_transport
from firmware.h323.h225 import IDENTIFIER
from firmware.h323.h235 import CAT, HMAC_SHA1_96, MD5, Credentials, Method
from firmware.h323.ras_alternate import Gatekeeper
from firmware.h323.ras_discovery import chosen_method
from firmware.h323.ras_event import Registered, Unregistered
from firmware.h323.ras_settings import DISCOVERY


def test_the_gatekeeper_of_the_settings_is_asked() -> None:
    zone = Zone()
    zone.register()
    at, name, body = zone.sent()[0]
    assert (at, name) == (0.0, "gatekeeperRequest")
    assert body["protocolIdentifier"] == IDENTIFIER
    assert body["rasAddress"] == encode_transport(OURS)
    assert body["endpointAlias"] == [("h323-ID", "room"), ("dialledDigits", "3000")]
    assert "gatekeeperIdentifier" not in body
    assert "authenticationCapability" not in body
    assert zone.names()[1] == "registrationRequest"


def test_all_gatekeepers_are_asked_and_the_first_that_confirms_is_ours() -> None:
    zone = Zone(multicast=True, second=True)
    zone.gatekeeper.refuse["gatekeeperRequest"] = [(("resourceUnavailable", None), {})]
    zone.client.start(0.0)
    zone.run(1)
    assert zone.names(DISCOVERY) == ["gatekeeperRequest"]
    assert zone.client.gatekeeper == Gatekeeper(SECOND, "OtherGK")
    assert zone.names(FIRST) == []


def test_one_of_all_gatekeepers_is_meant_by_name() -> None:
    zone = Zone(multicast=True, second=True, gatekeeper_identifier="OtherGK")
    zone.client.start(0.0)
    zone.run(1)
    assert zone.sent(DISCOVERY)[0][2]["gatekeeperIdentifier"] == "OtherGK"
    assert zone.client.gatekeeper == Gatekeeper(SECOND, "OtherGK")


def test_a_gatekeeper_of_another_name_is_not_ours() -> None:
    zone = Zone(gatekeeper_identifier="Wanted")
    zone.gatekeeper.confirm["gatekeeperConfirm"] = {"gatekeeperIdentifier": "Another"}
    zone.gatekeeper.identifier = "Wanted"
    zone.client.start(0.0)
    zone.run(1)
    assert [event.reason for event in zone.of(Unregistered)] == ["terminalExcluded"]


def test_when_all_refuse_the_reason_is_reported_after_the_time_out() -> None:
    zone = Zone(multicast=True)
    zone.gatekeeper.refuse["gatekeeperRequest"] = [(("terminalExcluded", None), {})] * 3
    zone.client.start(0.0)
    zone.run(16)
    assert [event.reason for event in zone.of(Unregistered)] == ["terminalExcluded"]
    assert [at for at, *_ in zone.sent(DISCOVERY)] == [0.0, 5.0, 10.0]


def test_silence_is_reported_and_asked_into_again() -> None:
    zone = Zone()
    zone.gatekeeper.silent.add("all")
    zone.client.start(0.0)
    zone.run(15)
    [event] = zone.of(Unregistered)
    assert event.reason == "noAnswer"
    assert event.retry is not None
    assert 15 + 8 <= event.retry <= 15 + 12
    zone.gatekeeper.silent.clear()
    zone.run(20)
    assert zone.client.registered


def test_a_confirm_names_the_address_for_all_else() -> None:
    zone = Zone(second=True)
    zone.gatekeeper.confirm["gatekeeperConfirm"] = {"rasAddress": encode_transport(SECOND)}
    zone.client.start(0.0)
    zone.run(1)
    assert zone.names(FIRST) == ["gatekeeperRequest"]
    assert zone.names(SECOND) == ["registrationRequest"]


def test_a_confirm_without_a_usable_address_means_the_one_that_it_came_from() -> None:
    zone = Zone()
    zone.gatekeeper.confirm["gatekeeperConfirm"] = {"rasAddress": ("ipAddress", {"ip": bytes(4), "port": 0})}
    zone.register()


def test_a_stranger_does_not_answer_for_the_gatekeeper() -> None:
    zone = Zone()
    zone.gatekeeper.silent.add("all")
    zone.client.start(0.0)
    zone.run(0.1)
    number = zone.sent()[0][2]["requestSeqNum"]
    body = {"requestSeqNum": number, "protocolIdentifier": IDENTIFIER, "rasAddress": encode_transport(STRANGER)}
    zone.inject("gatekeeperConfirm", body, STRANGER)
    zone.run(0.1)
    assert zone.names(STRANGER) == []
    assert zone.client.dropped == {"not for us": 1}


def test_a_reject_may_name_alternates() -> None:
    zone = Zone(second=True)
    more = {"altGKInfo": {"alternateGatekeeper": [alternate(SECOND)], "altGKisPermanent": False}}
    zone.gatekeeper.refuse["gatekeeperRequest"] = [(("resourceUnavailable", None), more)]
    zone.client.start(0.0)
    zone.run(1)
    assert zone.client.gatekeeper == Gatekeeper(SECOND, "OtherGK")
    assert len(zone.of(Registered)) == 1
    assert zone.of(Unregistered) == []


def test_discovery_may_be_left_out() -> None:
    zone = Zone(discover=False)
    zone.register()
    assert zone.names() == ["registrationRequest"]
    assert zone.sent()[0][2]["discoveryComplete"] is False


def test_methods_are_offered_as_two_sets() -> None:
    zone = Zone(password="secret", methods=(Method.BASELINE, Method.MD5, Method.CAT))
    zone.gatekeeper.users = {"room": "secret"}
    zone.register()
    body = zone.sent()[0][2]
    assert body["authenticationCapability"] == [("pwdHash", None), ("authenticationBES", ("radius", None))]
    assert body["algorithmOIDs"] == [HMAC_SHA1_96, MD5, CAT]


@pytest.mark.parametrize("method", Method)
def test_the_gatekeeper_chooses_among_the_methods(method: Method) -> None:
    zone = Zone(password="secret", methods=tuple(Method))
    zone.gatekeeper.users = {"room": "secret"}
    zone.gatekeeper.method = method
    zone.register()
    assert zone.gatekeeper.faults == []


def test_a_method_that_is_not_allowed_is_not_used() -> None:
    zone = Zone(password="secret", methods=(Method.BASELINE,))
    zone.gatekeeper.users = {"room": "secret"}
    zone.gatekeeper.confirm["gatekeeperConfirm"] = {"authenticationMode": ("pwdHash", None), "algorithmOID": MD5}
    zone.client.start(0.0)
    zone.run(1)
    assert zone.names() == ["gatekeeperRequest"]
    assert [event.reason for event in zone.of(Unregistered)] == ["securityDenial"]


def test_choices_of_a_confirm() -> None:
    credentials = Credentials("room", "secret", (Method.MD5, Method.CAT))
    assert chosen_method({}, credentials) is None
    assert chosen_method({"authenticationMode": ("pwdHash", None)}, credentials) is Method.MD5
    assert chosen_method({"authenticationMode": ("pwdHash", None)}, None) is None
    cat = {"authenticationMode": ("authenticationBES", ("radius", None)), "algorithmOID": CAT}
    assert chosen_method(cat, credentials) is Method.CAT
    for wrong in ({"authenticationMode": ("tls", None)}, {**cat, "algorithmOID": MD5}):
        with pytest.raises(PermissionError):
            chosen_method(wrong, credentials)
