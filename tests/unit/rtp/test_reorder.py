"""The reorder buffer: in order, without delay, and never waiting for ever."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rtp_path import Path

from firmware.call.media import Feedback, Kind
from firmware.rtp import reorder
from firmware.rtp.event import Retransmit
from firmware.rtp.h264 import Depacketizer, packetize
from firmware.rtp.packet import Packet, is_control
from firmware.rtp.reorder import DETOUR, MAX_ASKS, MAX_WAIT, ReorderBuffer
from firmware.rtp.session import Session


def packet(index: int, stream: int = 1) -> Packet:
    return Packet(96, False, index & 0xFFFF, 0, 1, b"", (), index, stream)


def push(buffer: ReorderBuffer, *indexes: int, now: float = 0.0) -> list[int]:
    return [given.index for index in indexes for given in buffer.push(packet(index), now)]


def test_packets_in_order_pass_at_once() -> None:
    buffer = ReorderBuffer(nack=True)
    assert push(buffer, 65_534, 65_535, 65_536, 65_537) == [65_534, 65_535, 65_536, 65_537]
    assert buffer.timer() is None
    assert buffer.missing(1.0) == []


def test_packets_out_of_order_are_put_in_order() -> None:
    buffer = ReorderBuffer(nack=False)
    assert push(buffer, 1, 3) == [1]
    assert push(buffer, 4, now=0.01) == []
    assert push(buffer, 2, now=0.02) == [2, 3, 4]
    assert buffer.timer() is None
    assert buffer.lost == 0


def test_doubled_and_late_packets_are_dropped() -> None:
    buffer = ReorderBuffer(nack=False)
    assert push(buffer, 1, 1, 3, 3, 2, 2, 3, 0) == [1, 2, 3]
    assert buffer.late == 5


def test_gap_is_given_up_in_time() -> None:
    buffer = ReorderBuffer(nack=False)
    push(buffer, 1, 4, 6, now=1.0)
    assert buffer.timer() == pytest.approx(1.0 + DETOUR)
    assert buffer.handle_timer(1.0 + DETOUR - 0.001) == []
    assert [given.index for given in buffer.handle_timer(1.0 + DETOUR)] == [4, 6]
    assert buffer.timer() is None
    assert buffer.lost == 3


def test_each_gap_has_its_own_time() -> None:
    buffer = ReorderBuffer(nack=False)
    push(buffer, 1, 3, now=1.0)
    push(buffer, 5, now=1.04)
    assert [given.index for given in buffer.handle_timer(1.05)] == [3]
    assert buffer.timer() == pytest.approx(1.09)
    assert [given.index for given in buffer.handle_timer(1.09)] == [5]


def test_gap_is_given_up_by_a_packet_too() -> None:
    buffer = ReorderBuffer(nack=False)
    push(buffer, 1, 3)
    assert push(buffer, 4, now=DETOUR) == [3, 4]


def test_packet_given_up_is_late() -> None:
    buffer = ReorderBuffer(nack=False)
    push(buffer, 1, 3)
    buffer.handle_timer(1.0)
    assert push(buffer, 2, now=1.1) == []
    assert (buffer.late, buffer.lost) == (1, 1)


def test_missing_packets_are_asked_for_again_and_again_but_not_for_ever() -> None:
    buffer = ReorderBuffer(nack=True)
    buffer.round_trip = 0.04
    push(buffer, 1, 4)
    asked: list[tuple[int, list[int]]] = []
    for millisecond in range(200):
        due = buffer.timer()
        now = millisecond / 1000
        wanted = buffer.missing(now)
        if wanted:
            assert due is not None
            assert due <= now
            asked.append((millisecond, wanted))
        buffer.handle_timer(now)
    assert asked == [(10, [2, 3]), (70, [2, 3]), (130, [2, 3])]
    assert buffer.lost == 2


def test_asks_are_bounded() -> None:
    buffer = ReorderBuffer(nack=True)
    buffer.round_trip = 0.0
    push(buffer, 1, 3)
    assert sum(bool(buffer.missing(n / 1000)) for n in range(1000)) == MAX_ASKS


def test_asks_are_not_too_many_a_second() -> None:
    buffer = ReorderBuffer(nack=True)
    push(buffer, 0)
    times = []
    for millisecond in range(1000):
        push(buffer, 2 * millisecond + 2, now=millisecond / 1000)
        if buffer.missing(millisecond / 1000):
            times.append(millisecond)
    assert min(b - a for a, b in itertools.pairwise(times)) >= 1000 * reorder.ASK_INTERVAL


def test_packet_that_came_after_it_was_asked_for_is_recovered() -> None:
    buffer = ReorderBuffer(nack=True)
    push(buffer, 1, 3)
    assert buffer.missing(0.02) == [2]
    assert push(buffer, 2, now=0.05) == [2, 3]
    assert (buffer.recovered, buffer.lost) == (1, 0)


def test_nothing_is_asked_for_without_nack() -> None:
    buffer = ReorderBuffer(nack=False)
    push(buffer, 1, 3)
    assert buffer.missing(0.02) == []


@pytest.mark.parametrize(("round_trip", "wait"), [(None, 0.29), (0.0, 0.08), (0.05, 0.165), (5.0, MAX_WAIT)])
def test_wait_follows_the_round_trip_within_bounds(round_trip: float | None, wait: float) -> None:
    buffer = ReorderBuffer(nack=True)
    buffer.round_trip = round_trip
    assert buffer.wait == pytest.approx(wait)


def test_gap_that_nobody_can_fill_is_jumped() -> None:
    buffer = ReorderBuffer(nack=True, capacity=100)
    push(buffer, 1, 3)
    assert push(buffer, 2000) == [3, 2000]
    assert buffer.timer() is None
    assert push(buffer, 2001) == [2001]


def test_new_stream_starts_afresh() -> None:
    buffer = ReorderBuffer(nack=True)
    push(buffer, 1, 3)
    given = buffer.push(packet(500, stream=2), 0.0)
    assert [(one.stream, one.index) for one in given] == [(1, 3), (2, 500)]
    assert [one.index for one in buffer.push(packet(501, stream=2), 0.0)] == [501]


@given(st.lists(st.tuples(st.integers(-5, 60), st.integers(1, 2), st.floats(0, 0.1)), max_size=80), st.booleans())
def test_any_order_comes_out_in_order(pushed: list[tuple[int, int, float]], nack: bool) -> None:
    buffer, now, given = ReorderBuffer(nack, capacity=30), 0.0, []
    stream = 1
    for index, step, wait in pushed:
        stream += step - 1
        now += wait
        given += buffer.push(packet(index, stream), now)
        buffer.missing(now)
        assert len(buffer._waiting) <= 31
        assert len(buffer._missing) <= 31
    given += buffer.handle_timer(now + 10)
    assert buffer.timer() is None
    order = [(one.stream, one.index) for one in given]
    assert order == sorted(set(order))


def play(nack: bool, seed: int, lossy: float) -> tuple[int, int, int]:
    """Send 10 s of video over a path that loses packets; give pictures sent, whole ones received, packets dropped."""
    feedback = frozenset({Feedback.NACK} if nack else set())
    ends = [Session(Kind.VIDEO, 90_000, random.Random(n), f"{n}", 0.0, feedback=feedback) for n in (seed, seed + 100)]
    path = Path(delay=0.020, jitter=0.004, loss=lossy, seed=seed)
    buffer, depacketizer, pictures, sent = ReorderBuffer(nack), Depacketizer(), [], 0
    for tick in range(2100):
        now = tick * 0.005
        if tick % 6 == 0 and tick < 2000:
            sent += 1
            payloads = packetize(b"\x00\x00\x00\x01\x41" + sent.to_bytes(2, "big") + b"p" * 6000)
            for place, payload in enumerate(payloads):
                path.put(ends[0].send(payload, sent * 3000, place == len(payloads) - 1, 96, now), 1, now)
        given: list[Packet] = []
        for time, end, data in path.take(now):
            if not is_control(data):
                received = ends[end].receive(data, time)
                given += buffer.push(received, time) if received else []
                continue
            for event in ends[end].receive_control(data, time):
                if isinstance(event, Retransmit):
                    for again in event.packets:
                        path.put(again, 1, time)
        given += buffer.handle_timer(now)
        control = ends[1].report_missing(buffer.missing(now), now)
        if control:
            path.put(control, 0, now)
        for end in (0, 1):
            data_or_none = ends[end].handle_timer(now)
            if data_or_none:
                path.put(data_or_none, 1 - end, now)
        buffer.round_trip = 0.045
        pictures += [unit for one in given for unit in depacketizer.receive(one)]
    return sent, sum(not unit.damaged for unit in pictures), path.dropped


def test_video_over_a_lossy_path() -> None:
    sent, whole, dropped = play(nack=False, seed=1, lossy=0.02)
    assert whole < sent - dropped / 3  # without retransmission a lost packet is a lost picture
    sent, whole, dropped = play(nack=True, seed=1, lossy=0.02)
    assert dropped > 25
    assert whole >= sent - 4
