"""Every reason of the Recommendation has its line, and no line stands for what the Recommendation has not."""

from __future__ import annotations

import pytest
from ras_zone import alternatives

from firmware.h323.ras_reason import (
    ADMISSION,
    BANDWIDTH,
    DISCOVERY,
    FORGOTTEN,
    NO_ANSWER,
    NOT_REGISTERED,
    REGISTRATION,
    UNREGISTRATION,
    Failure,
    Recovery,
)


@pytest.mark.parametrize(
    ("choice", "table", "more"),
    [
        ("GatekeeperRejectReason", DISCOVERY, {NO_ANSWER}),
        ("RegistrationRejectReason", REGISTRATION, {NO_ANSWER}),
        ("UnregRequestReason", UNREGISTRATION, set()),
        ("AdmissionRejectReason", ADMISSION, {NO_ANSWER}),
        ("BandRejectReason", BANDWIDTH, {NO_ANSWER}),
    ],
)
def test_the_tables_are_complete(choice: str, table: dict[str, object], more: set[str]) -> None:
    assert set(table) == alternatives(choice) | more


def test_what_somebody_has_to_change_is_not_asked_for_again_soon() -> None:
    for reason in ("invalidAlias", "securityDenial", "invalidTerminalType", "neededFeatureNotSupported"):
        assert REGISTRATION[reason] is Recovery.REFUSED
    assert DISCOVERY["terminalExcluded"] is Recovery.REFUSED


def test_what_the_gatekeeper_asks_for_is_done_at_once() -> None:
    assert REGISTRATION["discoveryRequired"] is Recovery.DISCOVER
    assert REGISTRATION["fullRegistrationRequired"] is Recovery.REGISTER
    assert UNREGISTRATION["ttlExpired"] is UNREGISTRATION["reregistrationRequired"] is Recovery.REGISTER


def test_people_can_be_told_why() -> None:
    assert ADMISSION["calledPartyNotRegistered"].failure is Failure.UNREACHABLE
    assert ADMISSION["incompleteAddress"].failure is Failure.INCOMPLETE
    assert ADMISSION["requestDenied"].failure is ADMISSION["exceedsCallCapacity"].failure is Failure.BUSY
    assert ADMISSION["routeCallToGatekeeper"].failure is Failure.REDIRECTED
    assert all(1 <= meaning.cause <= 127 for meaning in ADMISSION.values())


def test_what_means_that_we_are_forgotten_is_a_reason() -> None:
    assert set(ADMISSION) >= FORGOTTEN
    assert NOT_REGISTERED in FORGOTTEN
    assert all(ADMISSION[reason].failure is Failure.GATEKEEPER for reason in FORGOTTEN)
