"""Lateness against a clock that is not ours."""

from __future__ import annotations

import pytest

from firmware.media.lateness import Lateness, percentile
from firmware.media.message import AudioTick, Report


def reports_of(times: list[float]) -> list[AudioTick]:
    reports: list[Report] = []
    lateness = Lateness(0.010, reports.append)
    for time in times:
        lateness.tick(time)
    assert all(isinstance(report, AudioTick) for report in reports)
    return [report for report in reports if isinstance(report, AudioTick)]


def test_a_steady_beat_is_never_late() -> None:
    (report,) = reports_of([5 + n * 0.010 for n in range(100)])
    assert report.worst == pytest.approx(0, abs=1e-9)


def test_one_late_tick_is_seen_and_those_after_it_are_not_late() -> None:
    times = [n * 0.010 for n in range(100)]
    times[50] += 0.007
    (report,) = reports_of(times)
    assert report.worst == pytest.approx(0.007)
    assert report.median == pytest.approx(0, abs=1e-9)
    assert report.p99 == pytest.approx(0, abs=1e-9)


def test_a_faster_clock_is_followed() -> None:
    assert max(report.worst for report in reports_of([n * 0.00999 for n in range(500)])) < 1e-6


def test_time_that_the_device_lost_is_forgiven_after_a_second() -> None:
    times = [n * 0.010 + (0.5 if n > 50 else 0) for n in range(300)]
    first, second, third = reports_of(times)
    assert first.worst == pytest.approx(0.5)
    assert second.worst == pytest.approx(0.5)
    assert third.worst == pytest.approx(0, abs=1e-6)


def test_percentile() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [percentile(values, f) for f in (0.0, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert percentile([3.0], 0.5) == 3
