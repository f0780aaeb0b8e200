"""When RTCP goes: soon at first, then regularly, and never more than its share."""

from __future__ import annotations

import itertools
import random

import pytest

from firmware.rtp.interval import FIRST, MINIMUM, RTCP_SHARE, Interval


def times(bandwidth: int, size: int, until: float, members: int = 2, seed: int = 1) -> list[float]:
    """When packets of this size go; also counts those that come from the far end."""
    interval = Interval(bandwidth, random.Random(seed), 0.0)
    interval.members = members
    sent = []
    while interval.due < until:
        now = interval.due
        if interval.expire(now):
            sent.append(now)
            interval.sent(size)
            interval.sent(size)
    return sent


@pytest.mark.parametrize("seed", range(5))
def test_first_report_is_soon(seed: int) -> None:
    assert FIRST[0] <= times(64_000, 100, 10, seed=seed)[0] <= FIRST[1]


@pytest.mark.parametrize("bandwidth", [64_000, 2_000_000])
def test_reports_come_about_every_second_or_two(bandwidth: int) -> None:
    sent = times(bandwidth, 100, 1000)
    gaps = [b - a for a, b in itertools.pairwise(sent)]
    assert max(gaps) <= MINIMUM * 1.5 / 1.218 + 0.01
    assert min(gaps) >= MINIMUM * 0.5 / 1.218 - 0.01
    assert 1.0 < sum(gaps) / len(gaps) < 2.5


def test_gaps_are_random() -> None:
    sent = times(64_000, 100, 100)
    gaps = [b - a for a, b in itertools.pairwise(sent)]
    assert len({round(gap, 3) for gap in gaps}) > len(gaps) // 2


def test_share_of_the_bandwidth_is_kept() -> None:
    bandwidth, size, until = 8_000, 200, 2000
    sent = times(bandwidth, size, until)
    rate = 2 * len(sent) * (size + 28) * 8 / until  # both ends
    assert rate <= bandwidth * RTCP_SHARE * 1.1
    assert rate >= bandwidth * RTCP_SHARE * 0.6


def test_nothing_goes_before_it_is_due() -> None:
    interval = Interval(64_000, random.Random(1), 0.0)
    assert not interval.expire(interval.due - 0.001)
    assert interval.expire(interval.due)


def test_interval_is_computed_anew_when_the_group_grew() -> None:
    interval = Interval(4_000, random.Random(1), 0.0)
    interval.expire(interval.due)
    first = interval.due
    interval.members = 20
    assert not interval.expire(first)
    assert interval.due > first


def test_no_bandwidth_is_no_division_by_zero() -> None:
    assert Interval(0, random.Random(1), 0.0).deterministic > MINIMUM
