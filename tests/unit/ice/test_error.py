"""Refusals in words."""

from __future__ import annotations

from firmware.ice.attribute import ErrorCode
from firmware.ice.error import REASONS, WORDS, words


def test_words_have_the_code_and_never_what_a_stranger_wrote() -> None:
    assert words(ErrorCode(486, "<script>")) == "this user has as many allocations as it gives (486)"
    assert words(ErrorCode(699, "<script>")) == "it refuses (699)"
    assert words(None)


def test_the_codes_are_the_standards() -> None:
    """RFC 8489 14.8, RFC 8656 19, RFC 8445 16.2."""
    assert set(WORDS) == {300, 400, 401, 403, 420, 437, 438, 440, 441, 442, 443, 486, 487, 500, 508}
    assert set(REASONS) <= set(WORDS)
