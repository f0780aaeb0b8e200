"""When the far end is asked for another bitrate."""

from __future__ import annotations

from firmware.rtp.bitrate import (
    BAD_TIME,
    GOOD_TIME,
    LEAST,
    MAX_REPEATS,
    BitrateAsker,
    with_overhead,
    without_overhead,
)

MOST = 1_000_000


def seconds(asker: BitrateAsker, count: int, bitrate: int, loss: float, most: int = MOST, start: int = 0) -> list[int]:
    asked = (asker.ask(bitrate, loss, most, float(start + second)) for second in range(count))
    return [each for each in asked if each is not None]


def test_who_keeps_to_what_was_agreed_is_asked_for_nothing() -> None:
    assert seconds(BitrateAsker(), 60, MOST, 0.0) == []
    assert seconds(BitrateAsker(), 60, 50_000_000, 0.0, most=0) == []


def test_who_sends_too_much_is_told_and_not_for_ever() -> None:
    assert seconds(BitrateAsker(), 60, 2 * MOST, 0.0) == [MOST] * (1 + MAX_REPEATS)


def test_who_acknowledges_is_not_told_again() -> None:
    asker = BitrateAsker()
    assert seconds(asker, 1, 2 * MOST, 0.0) == [MOST]
    asker.answered(False)
    asker.answered(True)
    assert seconds(asker, 30, 2 * MOST, 0.0, start=1) == []


def test_loss_asks_for_less_and_a_good_time_for_more() -> None:
    asker = BitrateAsker()
    assert seconds(asker, BAD_TIME - 1, 900_000, 0.2) == []
    assert seconds(asker, 1, 900_000, 0.2, start=1) == [600_000]
    assert seconds(asker, 4 * GOOD_TIME, 500_000, 0.0, start=2) == [750_000, 937_500, MOST]
    assert seconds(asker, 60, MOST, 0.0, start=30) == []


def test_without_a_limit_it_rises_to_what_it_was() -> None:
    asker = BitrateAsker()
    assert seconds(asker, BAD_TIME, 900_000, 0.2, most=0) == [600_000]
    assert seconds(asker, 60, 500_000, 0.0, most=0, start=9) == [750_000, 900_000]


def test_there_is_a_least() -> None:
    asker = BitrateAsker()
    assert min(seconds(asker, 100, LEAST + 1, 0.5)) == LEAST
    assert seconds(BitrateAsker(), 100, LEAST, 0.5) == []


def test_a_lost_packet_now_and_then_changes_nothing() -> None:
    asker = BitrateAsker()
    for second in range(60):
        assert asker.ask(900_000, 0.2 if second % 2 else 0.0, MOST, float(second)) is None


def test_overhead() -> None:
    assert with_overhead(1_200_000, 40) == 1_240_000
    assert without_overhead(1_240_000, 40) == 1_200_000
    assert without_overhead(1_000_000, 0) == 1_000_000
