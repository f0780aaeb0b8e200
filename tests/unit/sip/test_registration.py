"""Its numbers; what it does is in tests/conformance/test_registration.py."""

from __future__ import annotations

import pytest

from firmware.sip.registration import MAX_TIME, refresh_time, retry_time


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [(1, 30, 60), (2, 60, 120), (3, 120, 240), (4, 240, 480), (6, 900, 1800), (99, 900, 1800)],
)
def test_the_waits_of_the_standard(failures: int, least: float, most: float) -> None:
    """RFC 5626 4.5."""
    assert retry_time(failures, 0.0) == least
    assert retry_time(failures, 1.0) == most
    assert retry_time(10**9, 1.0) == MAX_TIME


@pytest.mark.parametrize(("granted", "expected"), [(3600, 3000), (1201, 601), (1200, 600), (60, 30), (1, 0.5)])
def test_it_is_renewed_long_before_its_end(granted: int, expected: float) -> None:
    assert refresh_time(granted) == expected
