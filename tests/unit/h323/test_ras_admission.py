from __future__ import annotations

from typing import Any

import pytest
from ras_zone import FIRST, OURS, SECOND, SIGNALLING, Zone, alternate, alternatives, guid

from firmware.errors import LocalProtocolError
from firmware.h323.address import encode_transport
from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.ras_admission import PATIENCE
from firmware.h323.ras_call import CallInformation, State
from firmware.h323.ras_event import Admitted, BandwidthChanged, DisengageRequested, Refused
from firmware.h323.ras_reason import ADMISSION, FORGOTTEN
from firmware.sansio import Flow

ELSEWHERE = ("192.0.2.77", 1720)


def refused(zone: Zone) -> list[str]:
    return [event.refusal.reason for event in zone.of(Refused)]


# ARQ


def test_a_direct_call_goes_where_the_gatekeeper_says() -> None:
    zone = Zone()
    endpoint = zone.register()
    admission = zone.admit(7)
    assert zone.of(Admitted) == [Admitted(admission)]
    assert (admission.state, admission.routed, admission.address) == (State.ADMITTED, False, SIGNALLING)
    body = zone.gatekeeper.last("admissionRequest")
    assert body["endpointIdentifier"] == endpoint.identifier
    assert body["callIdentifier"] == {"guid": guid(7)}
    assert body["conferenceID"] == guid(107)
    assert (body["callReferenceValue"], body["bandWidth"]) == (7, 10_000)
    assert body["destinationInfo"] == [("h323-ID", "room")]
    assert body["srcInfo"] == [("h323-ID", "room"), ("dialledDigits", "3000")]
    assert (body["answerCall"], body["activeMC"], body["canMapAlias"]) == (False, False, True)
    assert "destCallSignalAddress" not in body


def test_a_routed_call_goes_to_the_gatekeeper() -> None:
    zone = Zone()
    zone.gatekeeper.routed = True
    zone.register()
    admission = zone.admit()
    assert (admission.routed, admission.address) == (True, zone.gatekeeper.call_signal_address)


def test_a_dialled_address_is_said() -> None:
    zone = Zone()
    zone.register()
    admission = zone.admit(destination=(), destination_address=ELSEWHERE)
    body = zone.gatekeeper.last("admissionRequest")
    assert "destinationInfo" not in body
    assert body["destCallSignalAddress"] == encode_transport(ELSEWHERE)
    assert admission.address == ELSEWHERE


def test_a_call_to_us_is_described_from_the_other_side() -> None:
    zone = Zone()
    zone.register()
    admission = zone.admit(
        answer=True,
        destination=(("dialledDigits", "3000"),),
        source=(("h323-ID", "caller"), ("h323-ID", "\ud800")),
        source_address=ELSEWHERE,
    )
    assert admission.state is State.ADMITTED
    body = zone.gatekeeper.last("admissionRequest")
    assert body["answerCall"] is True
    assert body["srcInfo"] == [("h323-ID", "caller")]
    assert body["srcCallSignalAddress"] == encode_transport(ELSEWHERE)
    assert body["destinationInfo"] == [("dialledDigits", "3000")]


def test_a_caller_who_names_nobody_calls_us() -> None:
    zone = Zone()
    zone.register()
    zone.admit(answer=True, destination=())
    body = zone.gatekeeper.last("admissionRequest")
    assert body["srcInfo"] == []
    assert body["destinationInfo"] == [("h323-ID", "room"), ("dialledDigits", "3000")]


def test_what_the_gatekeeper_gives_for_setup_is_handed_on() -> None:
    zone = Zone()
    token = {"tokenOID": "1.2.3", "generalID": "x"}
    zone.gatekeeper.confirm["admissionConfirm"] = {
        "bandWidth": 3_000,
        "destinationInfo": [("dialledDigits", "4711")],
        "destExtraCallInfo": [("dialledDigits", "1")],
        "remoteExtensionAddress": [("h323-ID", "desk")],
        "alternateEndpoints": [{"callSignalAddress": [encode_transport(ELSEWHERE)], "tokens": []}],
        "tokens": [token],
    }
    zone.register()
    admission = zone.admit()
    assert admission.bandwidth == 300_000
    assert admission.destination == (("dialledDigits", "4711"),)
    assert admission.extra == (("dialledDigits", "1"),)
    assert admission.remote_extension == (("h323-ID", "desk"),)
    assert admission.alternatives == (ELSEWHERE,)
    assert admission.tokens == (token,)


def test_more_bandwidth_than_asked_for_is_not_taken() -> None:
    zone = Zone()
    zone.gatekeeper.confirm["admissionConfirm"] = {"bandWidth": 4_000_000_000}
    zone.register()
    assert zone.admit(bandwidth=64_000).bandwidth == 64_000


def test_a_confirm_that_leads_nowhere_is_a_refusal() -> None:
    zone = Zone()
    zone.gatekeeper.confirm["admissionConfirm"] = {"destCallSignalAddress": ("nsap", b"\1")}
    zone.register()
    assert zone.admit().state is State.OVER
    assert refused(zone) == ["undefinedReason"]


@pytest.mark.parametrize("name", sorted(alternatives("AdmissionRejectReason")))
def test_every_reason_is_reported_with_its_meaning(name: str) -> None:
    values: dict[str, Any] = {"securityError": ("securityReplay", None)}
    values["routeCallToSCN"] = [
        ("e164Number", {"publicTypeOfNumber": ("unknown", None), "publicNumberDigits": "4993112"})
    ]
    more = {"callSignalAddress": [encode_transport(ELSEWHERE), ("nsap", b"\1")]}
    zone = Zone()
    zone.register()
    zone.gatekeeper.refuse["admissionRequest"] = [((name, values.get(name)), more)] * 2
    admission = zone.admit()
    zone.run(1)
    assert admission.state is State.OVER
    [event] = zone.of(Refused)
    assert event.refusal.reason == name
    assert event.refusal.meaning == ADMISSION[name]
    assert event.refusal.addresses == (ELSEWHERE,)
    assert event.refusal.numbers == (("4993112",) if name == "routeCallToSCN" else ())
    assert zone.names().count("admissionRequest") == (2 if name in FORGOTTEN else 1)
    zone.client.disengage(admission, zone.now)
    zone.run(1)
    assert "disengageRequest" not in zone.names()


def test_a_reason_of_the_future_is_no_special_one() -> None:
    zone = Zone()
    zone.register()
    zone.gatekeeper.silent.add("admissionRequest")
    zone.admit()
    number = zone.gatekeeper.last("admissionRequest")["requestSeqNum"]
    data = RAS_MESSAGE.encode(("admissionReject", {"requestSeqNum": number, "rejectReason": ("securityDenial", None)}))
    # securityDenial is the first extension, index 0 as a small number behind the extension bit (X.691 22.8); made 40
    assert data[-3:] == bytes([0x80, 0x01, 0x00]), data.hex()
    zone.client.receive_data(Flow("udp", OURS, FIRST), data[:-3] + bytes([0x80 | 40, 0x01, 0x00]), zone.now)
    zone.run(0.1)
    [event] = zone.of(Refused)
    assert event.refusal.reason == "+40"
    assert event.refusal.meaning == ADMISSION["undefinedReason"]


# Not registered, or not any more


def test_without_a_registration_a_call_is_refused_at_once() -> None:
    zone = Zone()
    admission = zone.admit()
    assert admission.state is State.OVER
    assert refused(zone) == ["callerNotRegistered"]
    assert zone.sent() == []


def test_a_call_waits_for_a_registration_that_is_on_its_way() -> None:
    zone = Zone()
    zone.client.start(0.0)
    admission = zone.admit()
    assert admission.state is State.ADMITTED
    assert zone.names() == ["gatekeeperRequest", "registrationRequest", "admissionRequest"]


def test_a_call_does_not_wait_for_ever() -> None:
    zone = Zone()
    zone.gatekeeper.delay["gatekeeperRequest"] = [60_000]
    zone.client.start(0.0)
    zone.admit()
    zone.run(PATIENCE - 1)
    assert refused(zone) == []
    zone.run(2)
    assert refused(zone) == ["noAnswer"]


def test_a_call_is_refused_when_the_registration_is() -> None:
    zone = Zone()
    zone.gatekeeper.refuse["registrationRequest"] = [(("securityDenial", None), {})]
    zone.client.start(0.0)
    zone.admit()
    assert refused(zone) == ["callerNotRegistered"]


@pytest.mark.parametrize("reason", ["callerNotRegistered", "invalidEndpointIdentifier"])
def test_a_gatekeeper_that_forgot_us_is_registered_with_and_asked_again(reason: str) -> None:
    zone = Zone()
    zone.register()
    zone.gatekeeper.restart()
    zone.gatekeeper.refuse["admissionRequest"] = [((reason, None), {})]
    admission = zone.admit()
    assert admission.state is State.ADMITTED
    assert zone.names()[2:] == ["admissionRequest", "registrationRequest", "admissionRequest"]


def test_a_silent_gatekeeper_is_left_and_the_next_one_asked() -> None:
    zone = Zone(second=True)
    zone.gatekeeper.alternates = [alternate(SECOND)]
    zone.register()
    zone.gatekeeper.silent.add("all")
    admission, other = zone.admit(1), zone.admit(2)
    zone.run(16)
    assert admission.state is other.state is State.ADMITTED
    assert zone.names(SECOND) == ["registrationRequest", "admissionRequest", "admissionRequest"]
    assert zone.client.registered


def test_a_silent_gatekeeper_s_neighbour_that_knows_us_is_asked_at_once() -> None:
    zone = Zone(second=True)
    zone.gatekeeper.alternates = [alternate(SECOND, register=False)]
    zone.register()
    zone.gatekeeper.silent.add("all")
    admission = zone.admit()
    zone.run(15.1)
    assert admission.state is State.ADMITTED
    assert set(zone.names(SECOND)) == {"registrationRequest", "admissionRequest"}


def test_a_reject_may_send_one_request_elsewhere() -> None:
    zone = Zone(second=True)
    zone.register()
    more = {"altGKInfo": {"alternateGatekeeper": [alternate(SECOND, register=False)], "altGKisPermanent": False}}
    zone.gatekeeper.refuse["admissionRequest"] = [(("resourceUnavailable", None), more)]
    admission = zone.admit()
    assert admission.state is State.ADMITTED
    assert zone.names(SECOND) == ["admissionRequest"]
    assert zone.client.gatekeeper is not None
    assert zone.client.gatekeeper.address == FIRST


def test_a_gatekeeper_that_sends_a_request_to_itself_is_asked_once() -> None:
    zone = Zone(second=True)
    zone.register()
    more = {"altGKInfo": {"alternateGatekeeper": [alternate(SECOND, register=False)], "altGKisPermanent": False}}
    for gatekeeper in (zone.gatekeeper, zone.second):
        gatekeeper.refuse["admissionRequest"] = [(("resourceUnavailable", None), more)] * 9
    admission = zone.admit()
    assert admission.state is State.OVER
    assert refused(zone) == ["resourceUnavailable"]
    assert zone.names(SECOND) == ["admissionRequest"]


def test_a_reject_may_send_us_away() -> None:
    zone = Zone(second=True)
    zone.register()
    more = {"altGKInfo": {"alternateGatekeeper": [alternate(SECOND)], "altGKisPermanent": True}}
    zone.gatekeeper.refuse["admissionRequest"] = [(("resourceUnavailable", None), more)]
    admission = zone.admit()
    zone.run(0.2)
    assert admission.state is State.ADMITTED
    assert zone.client.gatekeeper is not None
    assert zone.client.gatekeeper.address == SECOND


def test_stop_refuses_what_is_not_admitted_yet() -> None:
    zone = Zone()
    zone.register()
    zone.gatekeeper.silent.add("admissionRequest")
    zone.admit()
    zone.client.stop(zone.now)
    zone.run(20)
    assert refused(zone) == ["noAnswer"]
    assert zone.client.timer() is None


# Granted before


def granted(**more: Any) -> dict[str, Any]:
    return {
        "makeCall": True,
        "useGKCallSignalAddressToMakeCall": True,
        "answerCall": True,
        "useGKCallSignalAddressToAnswer": True,
        **more,
    }


def test_calls_granted_before_go_to_the_gatekeeper_unasked() -> None:
    zone = Zone()
    zone.gatekeeper.pre_granted = granted()
    zone.register()
    admission = zone.admit()
    assert (admission.state, admission.routed) == (State.ADMITTED, True)
    assert admission.address == zone.gatekeeper.call_signal_address
    assert "admissionRequest" not in zone.names()


def test_a_direct_call_granted_before_needs_an_address() -> None:
    zone = Zone()
    zone.gatekeeper.pre_granted = granted(useGKCallSignalAddressToMakeCall=False)
    zone.register()
    direct = zone.admit(1, destination_address=ELSEWHERE)
    assert (direct.routed, direct.address) == (False, ELSEWHERE)
    assert "admissionRequest" not in zone.names()
    zone.admit(2)
    assert zone.names().count("admissionRequest") == 1


def test_a_call_to_us_is_granted_if_it_comes_from_the_gatekeeper() -> None:
    zone = Zone()
    zone.gatekeeper.pre_granted = granted()
    zone.register()
    assert zone.admit(1, answer=True, source_address=(FIRST[0], 40_000)).state is State.ADMITTED
    assert "admissionRequest" not in zone.names()
    zone.admit(2, answer=True, source_address=ELSEWHERE)
    zone.admit(3, answer=True)
    assert zone.names().count("admissionRequest") == 2


def test_what_is_not_granted_is_asked_for() -> None:
    zone = Zone()
    zone.gatekeeper.pre_granted = granted(makeCall=False, answerCall=False)
    zone.register()
    zone.admit(1)
    zone.admit(2, answer=True, source_address=(FIRST[0], 40_000))
    assert zone.names().count("admissionRequest") == 2


def test_the_bandwidth_of_calls_granted_before_has_a_sum() -> None:
    zone = Zone()
    zone.gatekeeper.pre_granted = granted(totalBandwidthRestriction=15_000)
    zone.register()
    zone.admit(1)
    assert "admissionRequest" not in zone.names()
    zone.admit(2)
    assert zone.names().count("admissionRequest") == 1


# DRQ


@pytest.mark.parametrize("answer", [False, True])
def test_the_end_of_a_call_is_told(answer: bool) -> None:
    zone = Zone()
    endpoint = zone.register()
    admission = zone.admit(5, answer=answer)
    zone.client.disengage(admission, zone.now, cause=16)
    zone.client.disengage(admission, zone.now, cause=16)
    zone.run(1)
    assert zone.names().count("disengageRequest") == 1
    body = zone.gatekeeper.last("disengageRequest")
    assert body["endpointIdentifier"] == endpoint.identifier
    assert (body["callIdentifier"], body["callReferenceValue"]) == ({"guid": guid(5)}, 5)
    assert body["disengageReason"] == ("normalDrop", None)
    assert body["answeredCall"] is answer
    assert body["terminationCause"] == ("releaseCompleteCauseIE", b"\x80\x90")
    assert zone.gatekeeper.calls == {}
    assert admission.state is State.OVER


def test_a_call_that_is_given_up_while_it_is_asked_for_is_told_too() -> None:
    zone = Zone()
    zone.register()
    zone.gatekeeper.delay["admissionRequest"] = [10_000]
    admission = zone.admit()
    zone.client.disengage(admission, zone.now)
    zone.run(30)
    assert zone.names().count("admissionRequest") == zone.names().count("disengageRequest") == 1
    assert zone.of(Admitted) == []
    assert zone.of(Refused) == []


def test_the_end_is_told_to_the_gatekeeper_that_we_are_with() -> None:
    zone = Zone()
    zone.register()
    admission = zone.admit()
    zone.gatekeeper.restart()
    zone.run(40)
    assert admission.state is State.ADMITTED
    zone.client.disengage(admission, zone.now)
    zone.run(1)
    assert zone.gatekeeper.last("disengageRequest")["endpointIdentifier"] == zone.endpoint().identifier


def test_without_a_registration_the_end_is_told_to_nobody() -> None:
    zone = Zone()
    zone.register()
    admission = zone.admit()
    zone.client.stop(zone.now)
    zone.run(1)
    zone.client.disengage(admission, zone.now)
    zone.run(1)
    assert "disengageRequest" not in zone.names()


def test_the_gatekeeper_ends_a_call() -> None:
    zone = Zone()
    endpoint = zone.register()
    admission = zone.admit(5)
    zone.gatekeeper.disengage(endpoint, guid(5), zone.now)
    zone.run(1)
    assert zone.of(DisengageRequested) == [DisengageRequested(admission, "forcedDrop")]
    assert zone.names()[-1] == "disengageConfirm"
    zone.client.disengage(admission, zone.now)
    zone.run(1)
    assert "disengageRequest" not in zone.names()


# BRQ


def test_bandwidth_is_changed_and_refused() -> None:
    zone = Zone()
    zone.register()
    admission = zone.admit()
    zone.client.change_bandwidth(admission, 384_050, zone.now)
    zone.run(0.1)
    assert zone.gatekeeper.last("bandwidthRequest")["bandWidth"] == 3_841
    assert admission.bandwidth == 384_100
    zone.gatekeeper.max_bandwidth = 1_000
    zone.client.change_bandwidth(admission, 2_000_000, zone.now)
    zone.run(0.1)
    assert admission.bandwidth == 384_100
    assert zone.of(BandwidthChanged) == [
        BandwidthChanged(admission),
        BandwidthChanged(admission, "insufficientResources"),
    ]


def test_bandwidth_is_changed_only_while_a_call_is_admitted() -> None:
    zone = Zone()
    zone.register()
    admission = zone.admit()
    zone.client.disengage(admission, zone.now)
    with pytest.raises(LocalProtocolError):
        zone.client.change_bandwidth(admission, 64_000, zone.now)


def test_the_gatekeeper_changes_bandwidth() -> None:
    zone = Zone()
    endpoint = zone.register()
    admission = zone.admit(5)
    zone.gatekeeper.change_bandwidth(endpoint, guid(5), 640, zone.now)
    zone.run(0.1)
    assert admission.bandwidth == 64_000
    assert zone.of(BandwidthChanged) == [BandwidthChanged(admission)]
    assert zone.gatekeeper.last("bandwidthConfirm")["bandWidth"] == 640


# Our own mistakes


def test_there_is_a_bound() -> None:
    zone = Zone(max_calls=2)
    zone.register()
    first, _ = zone.admit(1), zone.admit(2)
    with pytest.raises(LocalProtocolError):
        zone.admit(3)
    zone.client.disengage(first, zone.now)
    assert zone.admit(3).state is State.ADMITTED


def test_what_can_t_be_dialled_is_our_mistake_and_leaves_nothing_behind() -> None:
    zone = Zone(max_calls=1)
    zone.register()
    with pytest.raises(ValueError, match="dialledDigits"):
        zone.client.admit(
            CallInformation(guid(1), guid(2), 3, answer=False, bandwidth=1, destination=(("dialledDigits", "x"),)),
            zone.now,
        )
    assert zone.admit(1).state is State.ADMITTED


def test_both_legs_of_a_call_to_ourselves_are_told_apart() -> None:
    zone = Zone()
    endpoint = zone.register()
    out, back = zone.admit(5), zone.admit(5, answer=True)
    zone.gatekeeper.disengage(endpoint, guid(5), zone.now, answeredCall=True)
    zone.run(0.1)
    assert (out.state, back.state) == (State.ADMITTED, State.OVER)
