from __future__ import annotations

from typing import Any

from firmware.h323.address import encode_transport
from firmware.h323.ras_grant import Grant, PreGranted

ASKED = (("h323-ID", "room"),)
SIGNALLING = ("192.0.2.1", 1721)


def confirm(**more: Any) -> dict[str, Any]:
    return {"callSignalAddress": [encode_transport(SIGNALLING)], "endpointIdentifier": "ep1", **more}


def test_a_plain_confirm_gives_what_was_asked_for() -> None:
    grant = Grant.of(confirm(), ASKED)
    assert grant == Grant(endpoint_identifier="ep1", aliases=ASKED, call_signal_address=SIGNALLING)
    assert grant.time_to_live is None
    assert grant.pre_granted == PreGranted()


def test_a_gatekeeper_may_change_our_names() -> None:
    grant = Grant.of(confirm(terminalAlias=[("h323-ID", "room"), ("dialledDigits", "77")]), ASKED)
    assert grant.aliases == (*ASKED, ("dialledDigits", "77"))


def test_all_of_it_is_read() -> None:
    granted = {
        "makeCall": True,
        "useGKCallSignalAddressToMakeCall": False,
        "answerCall": True,
        "useGKCallSignalAddressToAnswer": True,
        "irrFrequencyInCall": 60,
        "totalBandwidthRestriction": 20_000,
    }
    grant = Grant.of(
        confirm(gatekeeperIdentifier="GK\0", timeToLive=90, willRespondToIRR=True, preGrantedARQ=granted), ASKED
    )
    assert (grant.gatekeeper_identifier, grant.time_to_live, grant.acknowledges_reports) == ("GK", 90, True)
    assert grant.pre_granted == PreGranted(
        make=True, answer=True, answer_routed=True, report_interval=60, total_bandwidth=2_000_000
    )


def test_a_further_confirm_changes_only_what_it_names() -> None:
    grant = Grant.of(confirm(timeToLive=90, gatekeeperIdentifier="GK", willRespondToIRR=True), ASKED)
    assert grant.renewed({"callSignalAddress": [], "endpointIdentifier": "ep1"}) == grant
    assert grant.renewed(confirm(timeToLive=30)).time_to_live == 30


def test_an_address_that_can_t_be_called_is_passed_over() -> None:
    body = confirm()
    body["callSignalAddress"] = [("nsap", b"\1"), encode_transport(SIGNALLING)]
    assert Grant.of(body, ASKED).call_signal_address == SIGNALLING
