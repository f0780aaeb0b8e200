"""INVITEs that were dealt with: for how long, and how many."""

from __future__ import annotations

from firmware.sip.repetition import LIFETIME, MAX_REMEMBERED, Repetitions


def test_what_was_remembered_is_known_for_its_time_and_not_for_ever() -> None:
    known = Repetitions()
    known.add(("branch", "host", 5060), 100.0)
    assert ("branch", "host", 5060) in known
    assert ("branch", "host", 5061) not in known
    for second in range(1, int(LIFETIME) + 1):
        known.add(("other", second), 100.0 + second)
        assert ("branch", "host", 5060) in known
    for second in range(1, 3 * int(LIFETIME), 8):
        known.add(("later", second), 100.0 + LIFETIME + second)
    assert ("branch", "host", 5060) not in known
    assert len(known) < 30


def test_after_a_long_silence_nothing_is_known() -> None:
    known = Repetitions()
    known.add("first", 100.0)
    known.add("second", 100.0 + 3 * LIFETIME)
    assert "first" not in known


def test_a_flood_is_remembered_as_far_as_there_is_room() -> None:
    known = Repetitions()
    for number in range(5 * MAX_REMEMBERED):
        known.add(number, 100.0)
        assert len(known) <= 2 * MAX_REMEMBERED
    assert all(number in known for number in range(4 * MAX_REMEMBERED, 5 * MAX_REMEMBERED))
