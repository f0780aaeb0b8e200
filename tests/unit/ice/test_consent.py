"""Consent: RFC 7675 5.1."""

from __future__ import annotations

import itertools
import random

from firmware.ice.consent import DOUBT, DOUBT_CONTROLLED, EXPIRY, Consent


def asked(consent: Consent, until: float, *, answers: bool) -> list[float]:
    """Give when it asks."""
    times = []
    now = 0.0
    while now < until and not consent.is_lost(now):
        now = max(now, consent.timer())
        if consent.asks(now):
            times.append(now)
            if answers:
                consent.given(now)
    return times


def test_it_is_asked_every_five_seconds_or_so() -> None:
    times = asked(Consent(random.Random(1), 0.0), 1000.0, answers=True)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(4.0 <= gap <= 6.0 for gap in gaps)
    assert len(set(gaps)) > 100, "never in step with others"
    assert 4.0 <= times[0] <= 6.0


def test_it_is_lost_after_thirty_seconds_without_an_answer() -> None:
    consent = Consent(random.Random(1), 0.0)
    assert 4 <= len(asked(consent, 1000.0, answers=False)) <= 8
    assert not consent.is_lost(EXPIRY - 0.1)
    assert consent.is_lost(EXPIRY)


def test_an_answer_gives_thirty_more() -> None:
    consent = Consent(random.Random(1), 0.0)
    consent.given(29.0)
    assert not consent.is_lost(58.9)
    assert consent.is_lost(59.0)


def test_what_somebody_else_has_proved_is_asked_at_once() -> None:
    consent = Consent(random.Random(1), 7.0, due=True)
    assert consent.asks(7.0)
    assert not consent.asks(7.0)


def test_it_is_doubtful_long_before_it_is_lost() -> None:
    consent = Consent(random.Random(1), 0.0)
    consent.given(5.0)
    for controlling, doubt in ((True, DOUBT), (False, DOUBT_CONTROLLED)):
        assert not consent.is_doubtful(5.0 + doubt - 0.1, controlling=controlling)
        assert consent.is_doubtful(5.0 + doubt, controlling=controlling)
        assert doubt + 6.0 < EXPIRY, "with at least one check more that says so"
    consent.given(5.0 + DOUBT)
    assert not consent.is_doubtful(6.0 + DOUBT, controlling=True)
