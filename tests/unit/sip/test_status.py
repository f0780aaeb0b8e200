from __future__ import annotations

from firmware.sip.status import REASONS


def test_every_class_of_rfc_3261_has_its_phrases() -> None:
    assert {status // 100 for status in REASONS} == {1, 2, 3, 4, 5, 6}
    assert REASONS[486] == "Busy Here"
    assert REASONS[487] == "Request Terminated"


def test_phrases_fit_a_status_line() -> None:
    assert all(100 <= status <= 699 for status in REASONS)
    assert all(phrase and phrase.isascii() and phrase.isprintable() for phrase in REASONS.values())
