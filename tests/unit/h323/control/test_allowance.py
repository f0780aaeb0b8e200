"""How many messages may come."""

from __future__ import annotations

from firmware.h323.control.allowance import BURST, RATE, Allowance


def test_burst_then_rate() -> None:
    allowance = Allowance()
    assert all(allowance.take(7.0) for _ in range(BURST))
    assert not allowance.take(7.0)
    assert sum(allowance.take(8.0) for _ in range(BURST)) == RATE


def test_silence_fills_it_up_to_the_burst() -> None:
    allowance = Allowance()
    for _ in range(BURST):
        allowance.take(0.0)
    assert sum(allowance.take(1e6) for _ in range(2 * BURST)) == BURST


def test_steady_rate_is_allowed_for_ever() -> None:
    allowance = Allowance()
    assert all(allowance.take(n / RATE) for n in range(20 * BURST))
