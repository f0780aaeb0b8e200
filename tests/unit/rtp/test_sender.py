"""Our own source: numbers, reports, round trip, loops and retransmission."""

from __future__ import annotations

import itertools
import random

import pytest

from firmware.rtp.packet import Packet
from firmware.rtp.rtcp import Report
from firmware.rtp.sender import LONGEST_DELAY, NTP_TO_UNIX, Sender


def sender(seed: int = 1, clock_rate: int = 8000, clock_offset: float = 0.0) -> Sender:
    return Sender(clock_rate, random.Random(seed), 0.0, clock_offset)


def send(sender: Sender, timestamp: int = 0, now: float = 0.0, keep: bool = False, clocked: bool = True) -> Packet:
    return Packet.decode(sender.send(b"payload", timestamp, False, 0, now, clocked=clocked, keep=keep))


def test_numbers_start_at_random_and_count() -> None:
    ours, other = sender(1), sender(2)
    first, second = send(ours, 0), send(ours, 160)
    assert second.sequence == (first.sequence + 1) & 0xFFFF
    assert second.timestamp == (first.timestamp + 160) & 0xFFFFFFFF
    elsewhere = send(other, 0)
    assert {first.ssrc, first.sequence, first.timestamp}.isdisjoint(
        {elsewhere.ssrc, elsewhere.sequence, elsewhere.timestamp}
    )


def test_timeline_of_one_before_goes_on() -> None:
    sources = [Sender(8000, random.Random(seed), 0.0, 0.0, timestamp_offset=0xFFFFFF00) for seed in (1, 2)]
    first, second = (send(ours, 160 * number) for number, ours in enumerate(sources))
    assert (first.timestamp, second.timestamp) == (0xFFFFFF00, 0xFFFFFFA0)
    assert first.ssrc != second.ssrc


def test_numbers_wrap() -> None:
    ours = sender()
    packets = [send(ours, number << 20) for number in range(70_000)]
    assert {packet.sequence for packet in packets} == set(range(0x10000))
    steps = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(packets)}
    assert steps == {1 << 20}


def test_report_tells_wall_clock_and_media_clock_of_one_moment() -> None:
    ours = sender(clock_offset=1_700_000_000.0)
    first = send(ours, 0, now=10.0)
    send(ours, 0, now=10.5)  # the same picture still
    report = ours.report(11.25, ())
    assert report.ntp / 2**32 == pytest.approx(1_700_000_011.25 + NTP_TO_UNIX)
    assert report.timestamp == (first.timestamp + 10_000) & 0xFFFFFFFF
    assert (report.packets, report.octets, report.ssrc) == (2, 14, ours.ssrc)


def test_report_tells_when_a_picture_was_seen_and_not_when_it_was_sent() -> None:
    ours = Sender(90_000, random.Random(1), 0.0, 0.0)
    for number, encoding in enumerate((0.010, 0.080)):
        taken = 10.0 + number
        data = ours.send(b"", round(taken * 90_000), True, 96, taken + encoding, taken=taken, clocked=True, keep=False)
        report = ours.report(taken + 0.1, ())
        assert report.timestamp - Packet.decode(data).timestamp & 0xFFFFFFFF == 9000


@pytest.mark.parametrize("taken", [None, 10.001, 10.0 - LONGEST_DELAY, -1e9, float("nan")])
def test_what_can_not_have_been_taken_then_was_taken_when_it_was_sent(taken: float | None) -> None:
    ours = Sender(8000, random.Random(1), 0.0, 0.0)
    data = ours.send(b"", 0, False, 0, 10.0, taken=taken, clocked=True, keep=False)
    assert ours.report(10.0, ()).timestamp == Packet.decode(data).timestamp


def test_packet_without_a_clock_moves_no_clock() -> None:
    ours = sender()
    first = send(ours, 0, now=0.0)
    send(ours, 123_456_789, now=0.5, clocked=False)
    assert ours.report(1.0, ()).timestamp == (first.timestamp + 8000) & 0xFFFFFFFF


def answer(report_ntp: int, delay: float) -> Report:
    return Report(1, 64, 5, 100, 80, report_ntp >> 16 & 0xFFFFFFFF, round(delay * 65536))


def test_round_trip_and_what_the_far_end_says() -> None:
    ours = sender()
    send(ours)
    ntp = ours.report(1.0, ()).ntp
    ours.report(1.5, ())
    ours.take(answer(ntp, 0.700), 1.825)
    assert ours.round_trip == pytest.approx(0.125, abs=1e-4)
    said = ours.statistics()
    assert (said.lost, said.loss, said.jitter) == (5, 0.25, 0.01)
    assert said.round_trip == ours.round_trip


def test_round_trip_is_never_taken_from_nonsense() -> None:
    ours = sender()
    send(ours)
    ntp = ours.report(1.0, ()).ntp
    ours.take(answer(ntp + (1 << 40), 0.0), 2.0)  # a report that we never sent
    ours.take(answer(0, 0.0), 2.0)
    assert ours.round_trip is None
    ours.take(answer(ntp, 0.0), 1000.0)  # too long ago
    assert ours.round_trip is None
    ours.take(answer(ntp, 9.0), 2.0)  # kept for longer than it has been out
    assert ours.round_trip == 0.0


def test_own_packets_are_known() -> None:
    ours = sender()
    packet = send(ours)
    assert ours.is_own(packet)
    for number in range(1, 900):
        send(ours, 80 * number)
    assert ours.is_own(packet)
    packet.timestamp = (packet.timestamp + 0x80000000) & 0xFFFFFFFF
    assert not ours.is_own(packet)


def test_nothing_is_own_before_anything_was_sent() -> None:
    ours = sender()
    assert not ours.is_own(Packet(0, False, 0, 0, ours.ssrc, b""))


def test_renewed_source_has_another_name() -> None:
    ours = sender()
    before = ours.ssrc
    ours.renew()
    assert ours.ssrc != before
    assert send(ours).ssrc == ours.ssrc


def test_only_kept_packets_go_again() -> None:
    ours = sender()
    assert ours.again((1, 2), 0.0) == ()
    first, second = send(ours, keep=True), send(ours, keep=False)
    packets = ours.again((first.sequence, second.sequence), 1.0)
    assert [Packet.decode(packet) for packet in packets] == [first]
    assert ours.statistics().retransmitted == 1
    assert ours.statistics().packets == 2


def test_packet_that_keeps_the_way_open_is_nothing_sent() -> None:
    silent = sender()
    packets = [Packet.decode(silent.keep_open(127)) for _ in range(2)]
    assert [packet.payload_type for packet in packets] == [127, 127]
    assert [packet.payload for packet in packets] == [b"", b""]
    assert packets[1].sequence == packets[0].sequence + 1
    assert (silent.packets, silent.last) == (0, None)
    assert silent.is_own(packets[1])
