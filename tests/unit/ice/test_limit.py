"""How much a stranger may make us do."""

from __future__ import annotations

from firmware.ice.limit import Limit


def test_a_burst_then_a_steady_few() -> None:
    limit = Limit(10, 2.0)
    assert sum(limit.allows(0.0) for _ in range(100)) == 10
    assert sum(limit.allows(1.0) for _ in range(100)) == 2
    assert sum(limit.allows(1000.0) for _ in range(100)) == 10


def test_a_clock_that_stands_still_gives_nothing() -> None:
    limit = Limit(1, 1e9)
    assert limit.allows(5.0)
    assert not limit.allows(5.0)
    assert not limit.allows(4.0)
