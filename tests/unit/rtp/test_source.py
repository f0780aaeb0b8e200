"""A received source: the algorithms of RFC 3550 A.1, A.3 and A.8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.rtp.packet import Packet
from firmware.rtp.rtcp import SenderReport
from firmware.rtp.source import MAX_DROPOUT, MAX_MISORDER, MAX_MISORDER_VIDEO, Source, Verdict


def packet(sequence: int, timestamp: int = 0) -> Packet:
    return Packet(0, False, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 7, b"")


def heard(*sequences: int, max_misorder: int = MAX_MISORDER) -> Source:
    source = Source(packet(sequences[0]), 0.0, max_misorder)
    for sequence in sequences:
        source.receive(packet(sequence), 0.0, 0)
    return source


def test_sequence_numbers_are_extended() -> None:
    source = Source(packet(0xFFFE), 0.0)
    indexes = []
    for sequence in (0xFFFE, 0xFFFF, 1, 0, 2):
        received = packet(sequence)
        assert source.receive(received, 0.0, 8000) is Verdict.VALID
        indexes.append(received.index)
    assert indexes == [0xFFFE, 0xFFFF, 0x10001, 0x10000, 0x10002]
    assert source.highest == 0x10002
    assert source.lost == 0


def test_packet_before_the_first_is_negative() -> None:
    source = heard(0)
    early = packet(0xFFFF)
    assert source.receive(early, 0.0, 0) is Verdict.VALID
    assert early.index == -1


def test_many_cycles() -> None:
    source = Source(packet(0), 0.0)
    last = packet(0)
    for sequence in range(0, 5 * 0x10000, 1000):
        last = packet(sequence)
        source.receive(last, 0.0, 0)
    assert last.index == source.highest == 327_000


def test_second_in_sequence_confirms() -> None:
    assert not heard(5).confirmed
    assert not heard(5, 5).confirmed
    assert not heard(5, 7).confirmed
    assert heard(5, 6).confirmed


@pytest.mark.parametrize(
    ("sequences", "lost"),
    [
        ((10, 11, 12), 0),
        ((10, 13), 2),
        ((10, 13, 11), 1),
        ((10, 13, 11, 12), 0),
        ((10, 10, 10), -2),
        ((0xFFFF, 3), 3),
        ((10, 10 + MAX_DROPOUT - 1), MAX_DROPOUT - 2),
    ],
)
def test_lost(sequences: tuple[int, ...], lost: int) -> None:
    assert heard(*sequences).lost == lost


def test_single_jump_is_dropped() -> None:
    source = heard(10, 11)
    assert source.receive(packet(11 + MAX_DROPOUT), 0.0, 0) is Verdict.INVALID
    assert source.receive(packet(12), 0.0, 0) is Verdict.VALID
    assert source.highest == 12
    assert source.lost == 0


def test_jump_that_goes_on_is_a_restart() -> None:
    source = heard(10, 12)
    assert source.receive(packet(40_000), 0.0, 0) is Verdict.INVALID
    second = packet(40_001)
    assert source.receive(second, 0.0, 0) is Verdict.RESTARTED
    assert second.index == 40_001
    assert source.receive(packet(40_003), 0.0, 0) is Verdict.VALID
    assert source.lost == 1 + 1


def test_late_packets_are_no_restart() -> None:
    source = heard(1000, 1001)
    assert source.receive(packet(1002 - MAX_MISORDER), 0.0, 0) is Verdict.VALID
    assert source.receive(packet(1001 - MAX_MISORDER), 0.0, 0) is Verdict.INVALID
    video = heard(1000, 1001, max_misorder=MAX_MISORDER_VIDEO)
    assert [video.receive(packet(sequence), 0.0, 0) for sequence in (2, 3, 4)] == [Verdict.VALID] * 3


def test_fraction_is_of_the_interval() -> None:
    source = heard(0, 1, 2, 3)
    assert source.report(1.0, renew=True).fraction_lost == 0
    for sequence in (4, 5, 8):
        source.receive(packet(sequence), 1.0, 0)
    for _ in range(2):
        assert source.report(2.0, renew=False).fraction_lost == int(256 * 2 / 5)
    assert source.report(2.0, renew=True).fraction_lost == int(256 * 2 / 5)
    assert source.report(3.0, renew=True).fraction_lost == 0
    assert source.report(3.0, renew=True).lost == 2


def test_all_but_one_lost_does_not_pass_eight_bits() -> None:
    source = heard(0, 2999)
    assert source.report(1.0, renew=True).fraction_lost == int(256 * 2998 / 3000) == 255


def test_doubled_packets_make_no_negative_fraction() -> None:
    source = heard(1, 1, 1, 2, 2)
    report = source.report(1.0, renew=True)
    assert (report.fraction_lost, report.lost) == (0, -3)


def test_jitter_as_the_standard_computes_it() -> None:
    """RFC 3550 A.8 with integers: J += (|D| - J) / 16, here D = 80 units each time."""
    source = Source(packet(0), 0.0)
    expected = 0.0
    for number in range(100):
        late = 0.010 if number % 2 else 0.0
        source.receive(packet(number, 160 * number), 0.02 * number + late, 8000)
        if number:
            expected += (80 - expected) / 16
    assert source.jitter * 8000 == pytest.approx(expected)
    assert source.report(2.0, renew=True).jitter == round(expected)


def test_jitter_survives_the_wrap_of_timestamps() -> None:
    source = Source(packet(0), 0.0)
    for number in range(20):
        source.receive(packet(number, 0xFFFFFFFF - 1000 + 160 * number), 100.0 + 0.02 * number, 8000)
    assert source.jitter == pytest.approx(0, abs=1e-6)


def test_jump_of_timestamps_is_no_jitter() -> None:
    source = Source(packet(0), 0.0)
    for number in range(20):
        source.receive(packet(number, 160 * number + (1 << 30 if number > 9 else 0)), 0.02 * number, 8000)
    assert source.jitter == pytest.approx(0, abs=1e-6)


def test_packets_without_a_clock_are_no_jitter() -> None:
    source = Source(packet(0), 0.0)
    for number in range(20):
        source.receive(packet(2 * number, 160 * number), 0.02 * number, 8000)
        source.receive(packet(2 * number + 1, 0), 0.02 * number, 0)
    assert source.jitter == pytest.approx(0, abs=1e-6)
    assert source.lost == 0


def test_report_says_when_the_sender_report_came() -> None:
    source = heard(1, 2)
    assert (source.report(5.0, renew=True).last_sender_report, source.report(5.0, renew=True).delay) == (0, 0)
    source.sender_report = (0x11112222_33334444, 3.0)
    report = source.report(5.5, renew=True)
    assert (report.last_sender_report, report.delay) == (0x22223333, 5 << 15)


def test_a_timeline_ends_where_timestamps_begin_anew() -> None:
    source, report = Source(packet(0), 0.0), SenderReport(7, 1 << 32, 0, 0, 0)
    source.receive(packet(0, 0), 0.0, 8_000)
    source.timeline = report
    source.receive(packet(1, 160), 0.02, 0)  # an event, whose timestamps say nothing
    source.receive(packet(2, 160), 0.02, 8_000)
    assert source.timeline == report
    source.receive(packet(3, 1_920), 0.04, 48_000)  # RFC 7160 4: another clock
    assert source.timeline is None
    source.timeline = report
    for sequence in (9_000, 9_001):
        source.receive(packet(sequence, 5), 0.06, 48_000)
    assert source.timeline is None, "it was started again"


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.floats(0, 100)), min_size=1))
def test_any_numbers_are_survived(packets: list[tuple[int, int, float]]) -> None:
    source = Source(packet(packets[0][0]), 0.0)
    for sequence, timestamp, now in packets:
        source.receive(packet(sequence, timestamp), now, 90_000)
    report = source.report(1000.0, renew=True)
    assert len(report.encode()) == 24
    assert 0 <= source.jitter <= 10
