from __future__ import annotations

from dataclasses import replace

from firmware.call.registration import Registration, RegistrationState

TRYING = Registration("SIP", "sip:room@example.com", "example.com")


def test_only_a_failure_is_trouble() -> None:
    assert TRYING.trouble == ""
    assert replace(TRYING, state=RegistrationState.REGISTERED, until=3.0).trouble == ""
    failed = replace(TRYING, state=RegistrationState.FAILED, reason="the server does not answer")
    assert failed.trouble == "Not registered as sip:room@example.com: the server does not answer."
