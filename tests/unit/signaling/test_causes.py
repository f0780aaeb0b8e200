"""Why calls end, in SIP's numbers and in ours."""

import pytest

from firmware.call.call import EndReason, State
from firmware.h323 import cause
from firmware.h323.ras_reason import DISCOVERY, REGISTRATION, UNREGISTRATION
from firmware.signaling.causes import (
    H323_CAUSES,
    H323_REGISTRATION,
    SIP_FAILURES,
    SIP_REASONS,
    SIP_STATUSES,
    h323_end_reason,
    h323_registration_reason,
    sip_end_reason,
    sip_registration_reason,
)
from firmware.sip.status import REASONS


@pytest.mark.parametrize(
    ("state", "status", "expected"),
    [
        (State.DIALING, 486, EndReason.BUSY),
        (State.ALERTING, 600, EndReason.BUSY),
        (State.ALERTING, 603, EndReason.DECLINED),
        (State.DIALING, 404, EndReason.NOT_FOUND),
        (State.DIALING, 302, EndReason.NOT_FOUND),
        (State.DIALING, 408, EndReason.UNREACHABLE),
        (State.ALERTING, 408, EndReason.NO_ANSWER),
        (State.DIALING, 503, EndReason.UNREACHABLE),
        (State.DIALING, 488, EndReason.NO_COMMON_MEDIA),
        (State.DIALING, 407, EndReason.UNAUTHORIZED),
        (State.DIALING, 483, EndReason.UNREACHABLE),
        (State.DIALING, 405, EndReason.REFUSED),
        (State.DIALING, 494, EndReason.NOT_ENCRYPTED),
        (State.DIALING, 608, EndReason.REFUSED),
        (State.DIALING, 513, EndReason.PROTOCOL_ERROR),
        (State.DIALING, 499, EndReason.PROTOCOL_ERROR),
        (State.DIALING, 599, EndReason.UNREACHABLE),
        (State.DIALING, 699, EndReason.DECLINED),
        (State.DIALING, 799, EndReason.PROTOCOL_ERROR),
        (State.INCOMING, 487, EndReason.CANCELLED),
        (State.CONNECTING, 408, EndReason.LOST),
        (State.ACTIVE, 481, EndReason.LOST),
        (State.ACTIVE, 503, EndReason.LOST),
        (State.ACTIVE, None, EndReason.HUNG_UP),
    ],
)
def test_what_the_far_end_or_the_network_did(state: State, status: int | None, expected: EndReason) -> None:
    assert sip_end_reason(state, status) is expected


def test_every_reason_refuses_with_a_known_final_status() -> None:
    assert set(SIP_STATUSES) == set(EndReason)
    assert all(400 <= status < 700 and status in REASONS for status in SIP_STATUSES.values())
    assert set(SIP_REASONS) <= set(REASONS) | {607}


@pytest.mark.parametrize(
    "reason", [EndReason.BUSY, EndReason.DECLINED, EndReason.NOT_FOUND, EndReason.NO_COMMON_MEDIA, EndReason.REFUSED]
)
def test_a_refusal_means_the_same_on_the_other_side(reason: EndReason) -> None:
    assert sip_end_reason(State.DIALING, SIP_STATUSES[reason]) is reason


def test_an_ordinary_end_needs_no_words() -> None:
    assert EndReason.HUNG_UP not in SIP_FAILURES
    assert all(status in REASONS and words for status, words in SIP_FAILURES.values())


@pytest.mark.parametrize("state", [State.DIALING, State.CONNECTING, State.ACTIVE])
def test_a_call_that_was_not_encrypted_says_so_on_the_other_side(state: State) -> None:
    value = H323_CAUSES[EndReason.NOT_ENCRYPTED]
    assert h323_end_reason(state, value, True, cause.reason(value)) is EndReason.NOT_ENCRYPTED
    assert h323_end_reason(State.DIALING, value, True) is EndReason.NO_COMMON_MEDIA, "a gateway's cause 58 is another"


@pytest.mark.parametrize(
    ("status", "has_password", "shown", "expected"),
    [
        (401, True, True, "the user name or the password is wrong"),
        (407, True, False, "the server asks for the password of another realm"),
        (401, False, False, "the server wants a password"),
        (403, True, True, "the server does not allow it"),
        (408, True, False, "the server does not answer"),
        (None, True, False, "words"),
        (200, True, True, "words"),
        (420, True, True, "the server refuses it (420 words)"),
    ],
)
def test_why_a_registration_by_sip_failed(status: int | None, has_password: bool, shown: bool, expected: str) -> None:
    assert sip_registration_reason(status, "words", has_password=has_password, shown=shown) == expected


def test_why_a_registration_by_h323_failed() -> None:
    assert h323_registration_reason("noAnswer") == "the gatekeeper does not answer"
    assert h323_registration_reason("noAnswer", "it hung up") == "the gatekeeper cannot be reached: it hung up"
    assert h323_registration_reason("invalidRevision") == "the gatekeeper refuses it (invalidRevision)"
    assert set(H323_REGISTRATION) <= {*REGISTRATION, *DISCOVERY, *UNREGISTRATION}


@pytest.mark.parametrize(
    ("state", "status", "words", "reason"),
    [
        (State.ACTIVE, None, "", EndReason.HUNG_UP),
        (State.ACTIVE, None, "Q.850;cause=16", EndReason.HUNG_UP),
        (State.ACTIVE, None, "SIP;cause=200", EndReason.HUNG_UP),
        (State.ACTIVE, None, 'SIP;cause=408;text="No Media"', EndReason.LOST),
        (State.ACTIVE, None, "Q.850;cause=65, SIP ;cause=488", EndReason.NO_COMMON_MEDIA),
        (State.ACTIVE, None, "nonsense; ;", EndReason.HUNG_UP),
        (State.INCOMING, 487, 'SIP;cause=200;text="Call completed elsewhere"', EndReason.ELSEWHERE),
        (State.INCOMING, 487, 'Q.850;cause=26;text="Answered elsewhere"', EndReason.ELSEWHERE),
        (State.INCOMING, 487, "SIP;cause=487", EndReason.CANCELLED),
        (State.INCOMING, None, "", EndReason.CANCELLED),
        (State.INCOMING, None, "SIP;cause=200", EndReason.ELSEWHERE),
        (State.INCOMING, 487, "Request Terminated", EndReason.CANCELLED),
    ],
)
def test_what_reason_says(state: State, status: int | None, words: str, reason: EndReason) -> None:
    """RFC 3326 3.1: the caller reached somebody else; and what a far end says of its hanging up."""
    assert sip_end_reason(state, status, words) is reason
