from __future__ import annotations

import pytest
from ras_zone import alternatives

from firmware.h323.ras_message import ANSWERS, EXCHANGES, chosen, text


@pytest.mark.parametrize(
    ("name", "timeout", "retries"),
    [
        # H.225.0 7.19
        ("gatekeeperRequest", 5, 2),
        ("registrationRequest", 3, 2),
        ("unregistrationRequest", 3, 1),
        ("admissionRequest", 5, 2),
        ("bandwidthRequest", 3, 2),
        ("infoRequest", 3, 1),
        ("infoRequestResponse", 5, 2),
        ("disengageRequest", 3, 2),
        ("locationRequest", 5, 2),
        ("serviceControlIndication", 3, 2),
    ],
)
def test_patience(name: str, timeout: float, retries: int) -> None:
    assert (EXCHANGES[name].timeout, EXCHANGES[name].retries) == (timeout, retries)


def test_a_string_may_be_closed_by_a_nul_or_be_absent() -> None:
    assert text({"gatekeeperIdentifier": "GK\0"}, "gatekeeperIdentifier") == "GK"
    assert text({}, "gatekeeperIdentifier") == ""


def test_a_choice_may_be_absent() -> None:
    assert chosen({"reason": ("ttlExpired", None)}, "reason") == "ttlExpired"
    assert chosen({}, "reason") == ""


def test_requests_of_an_endpoint_are_no_answers() -> None:
    assert not {"registrationRequest", "admissionRequest", "unregistrationRequest", "infoRequest"} & ANSWERS
    assert {"unregistrationConfirm", "infoRequestNak", "requestInProgress", "unknownMessageResponse"} <= ANSWERS


def test_names_are_those_of_the_recommendation() -> None:
    names = alternatives("RasMessage")
    assert names >= ANSWERS
    assert names >= set(EXCHANGES)
