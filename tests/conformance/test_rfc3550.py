"""RFC 3550 by its clauses: the standard's own algorithms, written anew from appendix A, judge ours."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.call.media import Kind
from firmware.rtp import rtcp
from firmware.rtp.packet import Packet
from firmware.rtp.session import Session
from firmware.rtp.source import Source, Verdict


@dataclass
class Appendix:
    """A.1, A.3 and A.8 with the standard's names and integers; MIN_SEQUENTIAL is 1."""

    base_seq: int
    max_seq: int
    bad_seq: int = 0x10001
    cycles: int = 0
    received: int = 0
    received_prior: int = 0
    expected_prior: int = 0
    transit: int | None = None
    jitter: int = 0

    @classmethod
    def init(cls, seq: int) -> Appendix:
        return cls(base_seq=seq, max_seq=seq)

    def update_seq(self, seq: int) -> bool:
        udelta = (seq - self.max_seq) & 0xFFFF
        if udelta < 3000:
            if seq < self.max_seq:
                self.cycles += 0x10000
            self.max_seq = seq
        elif udelta <= 0x10000 - 100:
            if seq != self.bad_seq:
                self.bad_seq = (seq + 1) & 0xFFFF
                return False
            self.base_seq = self.max_seq = seq
            self.bad_seq, self.cycles = 0x10001, 0
            self.received = self.received_prior = self.expected_prior = 0
        self.received += 1
        return True

    @property
    def extended(self) -> int:
        return self.cycles + self.max_seq

    @property
    def lost(self) -> int:
        return self.extended - self.base_seq + 1 - self.received

    def fraction(self) -> int:
        expected = self.extended - self.base_seq + 1
        expected_interval = expected - self.expected_prior
        self.expected_prior = expected
        received_interval = self.received - self.received_prior
        self.received_prior = self.received
        lost_interval = expected_interval - received_interval
        return 0 if expected_interval == 0 or lost_interval <= 0 else (lost_interval << 8) // expected_interval

    def arrive(self, arrival: int, timestamp: int) -> None:
        transit = arrival - timestamp
        if self.transit is not None:
            d = abs(transit - self.transit)
            self.jitter += d - ((self.jitter + 8) >> 4)
        self.transit = transit


def packet(ssrc: int, sequence: int, timestamp: int = 0) -> Packet:
    return Packet(0, False, sequence, timestamp, ssrc, b"")


# What 16 bits can do: mostly forward, sometimes back, sometimes anywhere.
steps = st.lists(
    st.one_of(st.just(1), st.integers(-5, 20), st.integers(2990, 3010), st.integers(-110, -90), st.integers(0, 0xFFFF)),
    max_size=200,
)


@settings(max_examples=300)
@given(st.integers(0, 0xFFFF), steps, st.integers(1, 30))
def test_appendix_a1_and_a3(first: int, steps: list[int], every: int) -> None:
    theirs = Appendix.init(first)
    theirs.update_seq(first)
    ours = Source(packet(7, first), 0.0)
    ours.receive(packet(7, first), 0.0, 0)
    sequence, lost_before = first, 0
    for number, step in enumerate(steps):
        sequence = (sequence + step) & 0xFFFF
        lost = theirs.lost
        valid = theirs.update_seq(sequence)
        verdict = ours.receive(packet(7, sequence), 0.0, 0)
        assert (verdict is not Verdict.INVALID) == valid
        if verdict is Verdict.RESTARTED:
            lost_before += lost  # ours goes on counting over a restart
        if number % every == 0:
            report = ours.report(0.0, renew=True)
            assert report.fraction_lost == min(255, theirs.fraction())
            assert report.highest == theirs.extended
            assert report.lost == max(-0x800000, min(0x7FFFFF, theirs.lost + lost_before))


@given(st.lists(st.integers(0, 400), min_size=2, max_size=300))
def test_appendix_a8(delays: list[int]) -> None:
    theirs = Appendix.init(0)
    ours = Source(packet(7, 0), 0.0)
    for number, delay in enumerate(delays):
        theirs.arrive(160 * number + delay, 160 * number)
        ours.receive(packet(7, number, 160 * number), (160 * number + delay) / 8000, 8000)
    assert ours.report(0.0, renew=True).jitter == pytest.approx(theirs.jitter >> 4, abs=2)


def session(seed: int = 1) -> Session:
    return Session(Kind.AUDIO, 8000, random.Random(seed), f"cname-{seed}", 0.0)


def test_5_1_initial_values_are_random() -> None:
    firsts = [Packet.decode(session(seed).send(b"", 0, False, 0, 0.0)) for seed in range(20)]
    assert len({first.ssrc for first in firsts}) == 20
    assert len({first.sequence for first in firsts}) == 20
    assert len({first.timestamp for first in firsts}) == 20


def test_6_1_every_compound_packet_starts_with_a_report_and_has_a_cname() -> None:
    ours = session()
    ours.receive(packet(7, 1).encode(), 0.0)
    sent = []
    for tick in range(2000):
        sent += [ours.handle_timer(tick / 100)]
    sent.append(ours.close(20.0))
    there = [data for data in sent if data]
    assert len(there) > 5
    for data in there:
        first, second, *_ = rtcp.decode(data)
        assert isinstance(first, rtcp.SenderReport | rtcp.ReceiverReport)
        assert second == rtcp.SourceDescription(ours.ssrc, "cname-1")
        assert not data[0] & 0x20
        assert len(data) % 4 == 0


def test_6_4_sender_reports_only_while_sending() -> None:
    ours, kinds = session(), []
    for tick in range(3000):
        now = tick / 100
        if tick < 1000:
            ours.send(b"x", 80 * tick, False, 0, now)
        data = ours.handle_timer(now)
        if data:
            kinds.append((now, type(rtcp.decode(data)[0])))
    assert {kind for now, kind in kinds if now < 10} == {rtcp.SenderReport}
    assert {kind for now, kind in kinds if now > 16} == {rtcp.ReceiverReport}


def test_6_4_1_fields_of_a_report_block() -> None:
    ours = session()
    ours.receive_control(rtcp.SenderReport(7, 0x01234567_89ABCDEF, 0, 1, 1).encode(), 1.0)
    for sequence in (65_534, 65_535, 2):
        ours.receive(packet(7, sequence).encode(), 1.5)
    data = ours.handle_timer(2.0)
    assert data is not None
    (first, _) = rtcp.decode(data)
    assert isinstance(first, rtcp.ReceiverReport)
    (block,) = first.reports
    assert (block.ssrc, block.fraction_lost, block.lost, block.highest) == (7, 2 * 256 // 5, 2, 0x10002)
    assert (block.last_sender_report, block.delay) == (0x456789AB, 0x10000)


def test_6_4_1_sound_and_pictures_have_one_time() -> None:
    """What was taken together has the same time by both sessions' reports, whenever each of them was sent."""
    offset, far = 1_700_000_000.0, []
    for kind, rate, seed in ((Kind.AUDIO, 8_000, 1), (Kind.VIDEO, 90_000, 2)):
        theirs = Session(kind, rate, random.Random(seed), "far", 0.0, clock_offset=offset)
        ours = Session(kind, rate, random.Random(seed + 2), "near", 0.0)
        stamps = {}
        for tick in range(400):
            now = tick / 50
            # A picture is sent long after it was taken; the sound of then has gone already.
            data = theirs.send(b"x", tick * rate // 50, False, 0, now + 0.035 * seed, now)
            heard = ours.receive(data, now + 0.1)
            assert heard is not None
            stamps[tick] = heard.timestamp
            due = theirs.timer()
            if due is not None and due <= now + 0.035 * seed:
                ours.receive_control(theirs.handle_timer(now + 0.035 * seed) or b"", now + 0.1)
        far.append((ours.reference, stamps))
    for reference, stamps in far:
        assert reference is not None
        assert reference.cname == "far"
        for tick, stamp in stamps.items():
            assert reference.time(stamp) == pytest.approx(2_208_988_800 + offset + tick / 50, abs=1 / 8_000)


def test_6_3_7_goodbye_is_in_a_compound_packet_and_only_of_who_spoke() -> None:
    ours = session()
    assert ours.close(0.0) == b""
    ours = session()
    ours.send(b"x", 0, False, 0, 0.0)
    assert rtcp.decode(ours.close(1.0))[-1] == rtcp.Goodbye((ours.ssrc,))


def test_8_2_loop_and_collision() -> None:
    ours = session()
    before = ours.ssrc
    looped = ours.send(b"x", 0, False, 0, 0.0)
    assert ours.receive(looped, 0.1) is None
    assert ours.ssrc == before
    sequence = (Packet.decode(looped).sequence + 20_000) & 0xFFFF
    assert ours.receive(packet(before, sequence).encode(), 0.2) is not None
    assert ours.ssrc != before
    data = ours.handle_timer(0.2)
    assert data is not None
    assert rtcp.Goodbye((before,)) in rtcp.decode(data)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("40c90001000000aa", "the version is 2"),
        ("80c9000200000 0aa".replace(" ", ""), "the lengths add up to the datagram's"),
        ("a0c900010000000480ca0000", "padding only at the end"),
    ],
)
def test_a2_header_validity(text: str, why: str) -> None:
    ours = session()
    assert ours.receive_control(bytes.fromhex(text), 0.0) == [], why
    assert ours.statistics(0.0).received.discarded == 1
