"""The playout buffer: continuous sound from a network that is anything but."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.rtp.jitter import CAPACITY, MAX_CONCEALED, Frame, Playout, PlayoutBuffer
from firmware.rtp.packet import Packet

RATE = 8000
STEP = 160


def packet(index: int, timestamp: int | None = None, stream: int = 1) -> Packet:
    stamp = index * STEP if timestamp is None else timestamp
    return Packet(0, False, index & 0xFFFF, stamp & 0xFFFFFFFF, 1, b"", (), index, stream)


class Speaker:
    """Pops a frame every packet time, by its own clock, while packets arrive."""

    def __init__(self, buffer: PlayoutBuffer, drift: float = 0.0, phase: float = 0.013) -> None:
        self.buffer = buffer
        self.frames: list[tuple[float, Frame]] = []
        self._period = 0.020 * (1 + drift)
        self._next = phase

    def play(self, arrivals: list[tuple[float, Packet]], until: float) -> None:
        order = iter(sorted(arrivals, key=lambda arrival: arrival[0]))
        arrival = next(order, None)
        while self._next < until:
            while arrival is not None and arrival[0] <= self._next:
                self.buffer.push(arrival[1], arrival[0])
                arrival = next(order, None)
            self.frames.append((self._next, self.buffer.pop(self._next)))
            self._next += self._period

    def count(self, since: float = 0.0) -> Counter[Playout]:
        return Counter(frame.playout for time, frame in self.frames if time >= since)

    def indexes(self) -> list[int]:
        return [frame.packet.index for _, frame in self.frames if frame.packet is not None]

    def is_whole(self, first: int = 0) -> bool:
        """Whether every packet was played, in order, but those that were skipped to cut the delay (at most two)."""
        indexes, expected = self.indexes(), first
        for _, frame in self.frames:
            if frame.packet is not None:
                expected += frame.skipped
                if frame.packet.index != expected:
                    return False
                expected += 1
        return len(indexes) + self.buffer.skipped == expected - first and self.buffer.skipped <= 2

    def delays(self, since: float = 0.0) -> list[float]:
        """From when a packet was made to when it was played; s."""
        return [
            time - frame.packet.index * 0.020
            for time, frame in self.frames
            if frame.packet is not None and time >= since
        ]


def stream(
    packets: int, delay: Callable[[int], float], first: int = 0, timestamp: Callable[[int], int] = lambda n: n * STEP
) -> list[tuple[float, Packet]]:
    return [(n * 0.020 + delay(n), packet(n, timestamp(n))) for n in range(first, first + packets)]


def test_perfect_network() -> None:
    speaker = Speaker(PlayoutBuffer(RATE))
    speaker.play(stream(500, lambda n: 0.030), 10.0)
    count = speaker.count()
    assert count[Playout.EMPTY] <= 5
    assert count[Playout.LOST] == count[Playout.INSERT] == 0
    assert speaker.is_whole()
    assert max(speaker.delays()) < 0.030 + 0.040 + 0.021
    assert speaker.buffer.delay == pytest.approx(0.020)


def test_delay_follows_the_jitter() -> None:
    rng = random.Random(1)
    speaker = Speaker(PlayoutBuffer(RATE))
    calm = stream(500, lambda n: 0.030 + rng.uniform(0, 0.005))
    rough = stream(1000, lambda n: 0.030 + rng.uniform(0, 0.100), first=500)
    calm_again = stream(1500, lambda n: 0.030 + rng.uniform(0, 0.005), first=1500)
    speaker.play(calm, 10.0)
    assert speaker.buffer.delay < 0.030
    speaker.play(rough, 30.0)
    assert 0.080 < speaker.buffer.delay < 0.120
    assert speaker.count(since=15.0)[Playout.PACKET] > 0.93 * 750
    speaker.play(calm_again, 60.0)
    assert speaker.buffer.delay < 0.030
    assert max(speaker.delays(since=50.0)) < 0.030 + 0.030 + 0.045
    assert speaker.count(since=50.0) == Counter({Playout.PACKET: 500})


def test_target_stays_within_its_bounds() -> None:
    rng = random.Random(1)
    buffer = PlayoutBuffer(RATE, minimum=0.030, maximum=0.060)
    speaker = Speaker(buffer)
    speaker.play(stream(500, lambda n: 0.0), 10.0)
    assert buffer.delay == 0.030
    speaker.play(stream(500, lambda n: rng.uniform(0, 0.150), first=500), 20.0)
    assert buffer.delay == 0.060


def test_lost_packets_are_concealed_one_for_one() -> None:
    rng = random.Random(2)
    speaker = Speaker(PlayoutBuffer(RATE))
    arrivals = [arrival for arrival in stream(1000, lambda n: 0.030) if rng.random() > 0.05]
    speaker.play(arrivals, 20.0)
    lost = 1000 - len(arrivals)
    assert speaker.count()[Playout.LOST] == pytest.approx(lost, abs=3)
    assert speaker.buffer.lost == pytest.approx(lost, abs=2)
    assert max(speaker.delays()) - min(speaker.delays()) < 0.021


def test_gap_of_three_is_three_times_concealed() -> None:
    speaker = Speaker(PlayoutBuffer(RATE, start=0.100, minimum=0.100))
    speaker.play([arrival for arrival in stream(100, lambda n: 0.0) if arrival[1].index not in (50, 51, 52)], 1.9)
    played = [frame.packet and frame.packet.index for _, frame in speaker.frames]
    place = played.index(49)
    assert played[place : place + 6] == [49, None, None, None, 53, 54]
    assert speaker.count()[Playout.LOST] == speaker.buffer.lost == 3


def test_packet_after_a_lost_one_can_be_looked_at() -> None:
    buffer = PlayoutBuffer(RATE)
    assert buffer.following is None
    for index in (0, 1, 3):
        buffer.push(packet(index), index * 0.020)
    frames = [buffer.pop(0.041 + step * 0.020) for step in range(2)]
    assert [frame.playout for frame in frames] == [Playout.PACKET] * 2
    assert buffer.following is None
    assert buffer.pop(0.081).playout is Playout.LOST
    assert buffer.following is not None
    assert buffer.following.index == 3
    assert buffer.pop(0.101).packet is not None  # to look is not to take


def test_delay_that_is_far_too_long_is_cut_at_once() -> None:
    buffer = PlayoutBuffer(RATE)
    for n in range(20):
        buffer.push(packet(n), n * 0.020)
    frame = buffer.pop(0.4)
    assert frame.packet is not None
    assert frame.skipped == buffer.skipped == frame.packet.index
    assert frame.packet.index * 0.020 == pytest.approx(0.4 - buffer.delay, abs=0.021)


def test_packets_out_of_order_are_played_in_order() -> None:
    rng = random.Random(3)
    speaker = Speaker(PlayoutBuffer(RATE, start=0.100, minimum=0.100))
    speaker.play(stream(500, lambda n: rng.uniform(0, 0.080)), 10.0)
    assert speaker.is_whole()
    assert len(speaker.indexes()) > 490


def test_doubled_and_late_packets_are_dropped() -> None:
    buffer = PlayoutBuffer(RATE)
    speaker = Speaker(buffer)
    speaker.play(stream(50, lambda n: 0.0) + stream(50, lambda n: 0.001), 1.0)
    assert speaker.is_whole()
    assert buffer.late == 50
    buffer.push(packet(3), 1.0)
    assert buffer.late == 51


def test_one_very_late_packet_changes_nothing() -> None:
    arrivals = stream(500, lambda n: 0.700 if n == 100 else 0.030)
    speaker = Speaker(PlayoutBuffer(RATE))
    speaker.play(arrivals, 10.0)
    assert speaker.count()[Playout.LOST] == 1
    assert max(speaker.delays()) < 0.1


def test_silence_is_empty_and_speech_goes_on_after_it() -> None:
    """Discontinuous transmission: the timestamps advance, the sequence numbers don't."""
    talk = stream(100, lambda n: 0.030)
    again = [
        (3.0 + time, packet(one.index, one.timestamp + 3 * RATE)) for time, one in stream(100, lambda n: 0.03, 100)
    ]
    speaker = Speaker(PlayoutBuffer(RATE))
    speaker.play(talk + again, 8.0)
    assert speaker.is_whole()
    assert speaker.indexes()[-1] == 199
    assert speaker.count()[Playout.LOST] == 2 * MAX_CONCEALED
    assert speaker.buffer.lost == 0


def test_short_silence_is_not_closed_up() -> None:
    talk = stream(50, lambda n: 0.030)
    again = [(0.06 + time, packet(one.index, one.timestamp + 480)) for time, one in stream(50, lambda n: 0.03, 50)]
    speaker = Speaker(PlayoutBuffer(RATE, start=0.150, minimum=0.150))
    speaker.play(talk + again, 2.5)
    times = {frame.packet.index: time for time, frame in speaker.frames if frame.packet is not None}
    assert times[50] - times[49] == pytest.approx(0.080)


@pytest.mark.parametrize("drift", [0.001, -0.001])
def test_clock_drift_is_made_up_for(drift: float) -> None:
    """1000 ppm for two minutes are 120 ms: six packets skipped or inserted."""
    rng = random.Random(4)
    speaker = Speaker(PlayoutBuffer(RATE), drift=drift)
    speaker.play(stream(6000, lambda n: 0.030 + rng.uniform(0, 0.015)), 119.0)
    count = speaker.count(since=5.0)
    changed = (
        speaker.buffer.skipped if drift > 0 else count[Playout.INSERT] + count[Playout.LOST] + count[Playout.EMPTY]
    )
    assert 4 <= changed <= 9
    delays = speaker.delays(since=5.0)
    assert max(delays) - min(delays) < 0.075
    assert sum(frame.skipped for _, frame in speaker.frames) == speaker.buffer.skipped


def test_jump_of_timestamps_is_bridged() -> None:
    speaker = Speaker(PlayoutBuffer(RATE))
    speaker.play(stream(400, lambda n: 0.030, timestamp=lambda n: n * STEP + (0x7000_0000 if n >= 200 else 0)), 8.0)
    assert speaker.is_whole()
    assert len(speaker.indexes()) >= 395
    assert speaker.count()[Playout.LOST] <= 5


def test_timestamps_and_sequence_numbers_wrap() -> None:
    speaker = Speaker(PlayoutBuffer(RATE))
    arrivals = [(n * 0.020, packet(65_000 + n, 0xFFFF_FFFF - 100 * STEP + n * STEP)) for n in range(1000)]
    speaker.play(arrivals, 20.0)
    assert speaker.is_whole(65_000)
    assert speaker.count()[Playout.LOST] == 0


def test_step_of_the_networks_delay_is_followed() -> None:
    speaker = Speaker(PlayoutBuffer(RATE))
    speaker.play(stream(1000, lambda n: 0.030 if n < 500 else 0.400), 20.0)
    assert max(speaker.delays(since=12.0)) < 0.400 + 0.075
    speaker = Speaker(PlayoutBuffer(RATE))
    speaker.play(stream(1500, lambda n: 0.400 if n < 500 else 0.030), 30.0)
    assert max(speaker.delays(since=25.0)) < 0.030 + 0.075


def test_stall_and_burst_do_not_leave_the_delay_high() -> None:
    speaker = Speaker(PlayoutBuffer(RATE))
    speaker.play(stream(1000, lambda n: max(0.030, 10.5 - 0.02 * n) if n >= 500 else 0.030), 20.0)
    assert max(speaker.delays(since=17.0)) < 0.15
    assert speaker.count(since=17.0)[Playout.PACKET] >= 148


def test_stream_that_ends_is_concealed_and_then_silent() -> None:
    speaker = Speaker(PlayoutBuffer(RATE))
    speaker.play(stream(100, lambda n: 0.0), 4.0)
    assert [frame.playout for _, frame in speaker.frames[-60:]] == [Playout.EMPTY] * 60
    assert speaker.count()[Playout.LOST] == MAX_CONCEALED
    assert speaker.buffer.lost == 0


def test_new_stream_starts_afresh() -> None:
    speaker = Speaker(PlayoutBuffer(RATE))
    speaker.play(stream(100, lambda n: 0.0), 2.0)
    other = [(2.0 + n * 0.020, packet(n, 77 + n * STEP, stream=2)) for n in range(50)]
    speaker.play(other, 3.0)
    assert speaker.indexes()[-40:] == list(range(speaker.indexes()[-1] - 39, speaker.indexes()[-1] + 1))
    assert speaker.buffer.late == 0


@pytest.mark.parametrize(("extra", "since"), [(0.060, 4.0), (0.100, 8.0)])
def test_what_is_asked_for_besides_is_kept_and_given_up_without_a_break(extra: float, since: float) -> None:
    speaker = Speaker(PlayoutBuffer(RATE))
    speaker.play(stream(500, lambda n: 0.030), 10.0)
    own = min(speaker.delays(since=8.0))
    speaker.buffer.extra = extra
    assert speaker.buffer.delay == pytest.approx(0.020 + extra)
    speaker.play(stream(1000, lambda n: 0.030, first=500), 30.0)
    assert min(speaker.delays(since=10.0 + since)) == pytest.approx(own + extra, abs=0.021)
    behind = [frame.behind for time, frame in speaker.frames if frame.packet is not None and time > 10.0 + since]
    assert max(map(abs, behind)) <= 0.0211
    for step in range(round(extra / 0.020)):
        speaker.buffer.extra -= 0.020
        speaker.play(stream(50, lambda n: 0.030, first=1500 + step * 50), 31.0 + step)
    speaker.play(stream(500, lambda n: 0.030, first=1500 + round(extra / 0.020) * 50), 45.0)
    assert min(speaker.delays(since=43.0)) == pytest.approx(own, abs=0.021)
    assert max(frame.skipped for _, frame in speaker.frames) <= 1


def test_packets_of_another_length_are_learnt() -> None:
    buffer = PlayoutBuffer(RATE)
    for n in range(10):
        buffer.push(packet(n, n * 480), n * 0.060)
    assert buffer.pop(0.6).duration == 480


def test_telephone_events_are_not_missing() -> None:
    buffer = PlayoutBuffer(RATE)
    for n in range(10):
        if n in (3, 4, 5):
            buffer.ignore(packet(n))
        else:
            buffer.push(packet(n), n * 0.020)
    frames = [buffer.pop(0.040 + 0.02 * n) for n in range(7)]
    assert [frame.packet and frame.packet.index for frame in frames] == [0, 1, 2, None, None, None, 6]
    assert buffer.lost == 0


def test_nobody_pops() -> None:
    buffer = PlayoutBuffer(RATE)
    for n in range(10_000):
        buffer.push(packet(n), n * 0.020)
        buffer.ignore(packet(20_000 + n))
    assert len(buffer) == CAPACITY
    frame = buffer.pop(200.0)
    assert frame.packet is not None
    assert frame.packet.index >= 10_000 - 5


def test_nothing_ever_came() -> None:
    buffer = PlayoutBuffer(RATE, packet_time=0.030)
    assert buffer.pop(0.0) == Frame(Playout.EMPTY, 240)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.integers(0, 0xFFFFFFFF), st.integers(1, 2), st.floats(0, 0.5)), max_size=120
    )
)
def test_any_packets_are_survived(pushed: list[tuple[int, int, int, float]]) -> None:
    buffer, now, played = PlayoutBuffer(RATE), 0.0, []
    kept: list[Packet | None] = []  # so that no id comes twice
    for index, timestamp, which, wait in pushed:
        now += wait
        buffer.push(packet(index, timestamp, which), now)
        buffer.ignore(packet(index + 1, timestamp, which))
        frame = buffer.pop(now)
        assert frame.duration > 0
        assert (frame.packet is not None) == (frame.playout is Playout.PACKET)
        assert 0.020 <= buffer.delay <= 0.200
        played += [id(frame.packet)] if frame.packet is not None else []
        kept.append(frame.packet)
    assert len(set(played)) == len(played)
    for n in range(400):
        buffer.pop(now + 0.02 * n)
    assert len(buffer) == 0
