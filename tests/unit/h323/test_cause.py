"""Causes of Q.850 and reasons of H.225.0."""

from __future__ import annotations

import pytest

from firmware.h323 import h225, user_information
from firmware.h323.cause import CAUSES, REASONS, Cause, reason

_WITH_CONTENTS = ("nonStandardReason", "replaceWithConferenceInvite", "securityError")


@pytest.mark.parametrize("name", [name for name in CAUSES if name not in _WITH_CONTENTS])
def test_every_reason_is_one_of_h225(name: str) -> None:
    body = {
        "protocolIdentifier": h225.IDENTIFIER,
        "reason": (name, None),
        "callIdentifier": {"guid": bytes(16)},
    }
    octets = user_information.encode("releaseComplete", body, tunnelling=True)
    assert user_information.decode(octets).reason == name


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_reason(cause: Cause) -> None:
    assert reason(cause) in CAUSES
    assert reason(int(cause)) == reason(cause)


def test_cause_that_we_do_not_know() -> None:
    assert reason(126) == "undefinedReason"


def test_there_and_back() -> None:
    for name, cause in CAUSES.items():
        if REASONS.get(cause) == name:
            assert CAUSES[reason(cause)] is cause
    assert CAUSES[reason(Cause.USER_BUSY)] is Cause.USER_BUSY
    assert CAUSES[reason(Cause.NO_ROUTE_TO_DESTINATION)] is Cause.NO_ROUTE_TO_DESTINATION
