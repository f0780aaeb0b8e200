"""Sound and pictures in step, whatever each has gone through, and untouched where nobody knows."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.rtp.synchronization import (
    BAND,
    EASY,
    MOST_EXTRA,
    MOST_HELD,
    NOTICED,
    SCREEN,
    STALE,
    STEP,
    Reference,
    Synchronizer,
)

SOUND = Reference("far", 1, 48_000, (3_900_000_000 << 32) + 7, 5_000)
PICTURE = Reference("far", 3, 90_000, (3_900_000_000 << 32) + 7, 0xFFFF_F000)
"""Both say what was at 0 s on the far end's clock of the test, and of these the second wraps."""


@dataclass
class Call:
    """A call whose sound and pictures take so many seconds to speaker and screen; the buffer does what it is told."""

    sound_delay: float = 0.080
    picture_delay: float = 0.060
    jitter: float = 0.0
    sound: Reference | None = SOUND
    picture: Reference | None = PICTURE
    clock: float = 1_000.0
    """What our clock shows at the far end's 0 s."""
    synchronizer: Synchronizer = field(default_factory=Synchronizer)
    seconds: int = 0
    shown: list[float] = field(default_factory=list)
    """The delay of each picture of the last second, when it was shown."""
    done: list[tuple[float, float]] = field(default_factory=list)
    """`held` and `extra` after each second."""

    def run(self, seconds: int, *, speaks: bool = True, moves: bool = True) -> None:
        rng = random.Random(self.seconds)
        for _ in range(seconds):
            self.shown.clear()
            for number in range(50):
                taken = self.seconds + number / 50
                if speaks:
                    at = self.clock + taken + self.sound_delay + self.synchronizer.extra + rng.uniform(0, self.jitter)
                    timestamp = SOUND.timestamp + round(taken * 48_000) & 0xFFFFFFFF
                    self.synchronizer.sound_played(SOUND.stream, timestamp, at, 0.0)
                if moves and number % 2 == 0:
                    ready = self.clock + taken + self.picture_delay + rng.uniform(0, self.jitter)
                    timestamp = PICTURE.timestamp + round(taken * 90_000) & 0xFFFFFFFF
                    due = self.synchronizer.due(PICTURE.stream, timestamp, ready)
                    assert ready <= due <= ready + MOST_HELD
                    self.shown.append(due - self.clock - taken)
            self.seconds += 1
            self.synchronizer.update(self.sound, self.picture, self.clock + self.seconds)
            self.done.append((self.synchronizer.held, self.synchronizer.extra))

    @property
    def lead(self) -> float:
        """How much sound is before its picture at the eye and the ear, s."""
        pictures = sum(self.shown) / len(self.shown) if self.shown else self.picture_delay
        return pictures + SCREEN - self.sound_delay - self.jitter / 2 - self.synchronizer.extra


def test_a_reference_tells_the_time_of_timestamps_before_and_after_it() -> None:
    second = 3_900_000_000
    assert SOUND.time(5_000) == pytest.approx(second, abs=1e-6)
    assert SOUND.time(5_000 - 4_800 - 200) == pytest.approx(second - 5_000 / 48_000, abs=1e-6)
    assert PICTURE.time(0x0000_0000) == pytest.approx(second + 0x1000 / 90_000, abs=1e-6)
    assert SOUND.time(0xFFFF_FFFF) == pytest.approx(second - 5_001 / 48_000, abs=1e-6)


def test_nothing_is_done_where_nothing_can_be_noticed() -> None:
    for lag in (-0.040, -0.020, 0.0, 0.010):
        call = Call(0.100 + SCREEN + lag, 0.100)
        call.run(20)
        assert set(call.done) == {(0.0, 0.0)}
        assert call.shown == pytest.approx([0.100] * 25)


@pytest.mark.parametrize("lag", [0.050, 0.150, 0.230])
def test_pictures_wait_for_their_sound(lag: float) -> None:
    call = Call(0.100 + SCREEN + lag, 0.100)
    call.run(20)
    assert abs(call.lead) <= BAND
    assert call.synchronizer.extra == 0.0


def test_pictures_wait_no_longer_than_may_be() -> None:
    call = Call(0.100 + SCREEN + 0.600, 0.100)
    call.run(20)
    assert call.shown == pytest.approx([0.100 + MOST_HELD] * 25, abs=BAND)


@pytest.mark.parametrize("lead", [0.060, 0.100])
def test_sound_waits_for_pictures_that_are_late(lead: float) -> None:
    call = Call(0.080, 0.080 - SCREEN + lead)
    call.run(20)
    assert 0 <= call.lead <= NOTICED
    assert call.synchronizer.held == 0.0


def test_sound_waits_no_longer_than_may_be() -> None:
    call = Call(0.080, 0.400)
    call.run(20)
    assert (call.synchronizer.held, call.synchronizer.extra) == (0.0, MOST_EXTRA)


def test_sound_does_not_wait_for_a_burst_of_pictures() -> None:
    call = Call()
    call.run(5)
    call.picture_delay += 0.150
    call.run(2)
    call.picture_delay -= 0.150
    call.run(10)
    assert {extra for _, extra in call.done} == {0.0}


@pytest.mark.parametrize(("sound", "picture"), [(0.300, 0.080), (0.080, 0.180)])
def test_it_changes_slowly_and_then_stays(sound: float, picture: float) -> None:
    call = Call(sound, picture, jitter=0.020)
    call.run(60)
    before = (0.0, 0.0)
    for done in call.done:
        assert all(abs(new - old) <= STEP + 1e-9 for new, old in zip(done, before, strict=True))
        before = done
    assert len(set(call.done[15:])) == 1, "it goes to and fro"


def test_it_follows_what_changes() -> None:
    call = Call(0.300, 0.080)
    call.run(20)
    call.sound_delay = 0.120
    call.run(20)
    assert call.synchronizer.held == pytest.approx(0.0, abs=BAND)
    call.picture_delay = 0.170
    call.run(20)
    assert 0 <= call.lead <= NOTICED
    assert call.synchronizer.extra > EASY
    call.picture_delay = 0.080
    call.run(20)
    assert call.synchronizer.extra == 0.0


def test_two_clocks_drift_apart() -> None:
    """A far end's crystal is 100 millionths too fast: in an hour its clock is 0.36 s ahead, and nobody sees it."""
    call = Call(0.300, 0.080)
    for _ in range(60):
        call.run(10)
        call.clock -= 0.006
    assert abs(call.lead) <= BAND + 0.002


WITHOUT = {
    "no report of sound": (None, PICTURE),
    "no report of pictures": (SOUND, None),
    "a sender without a clock": (replace(SOUND, ntp=0), PICTURE),
    "neither has a clock": (replace(SOUND, ntp=0), replace(PICTURE, ntp=0)),
    "two names": (replace(SOUND, cname="somebody"), PICTURE),
    "reports of another source": (replace(SOUND, stream=2), PICTURE),
    "a time that makes no sense": (replace(SOUND, ntp=1), PICTURE),
    "a time that is years off": (SOUND, replace(PICTURE, ntp=PICTURE.ntp + (1 << 57))),
    "seconds off": (SOUND, replace(PICTURE, ntp=PICTURE.ntp + (2 << 32))),
    "no clock rate": (replace(SOUND, clock_rate=0), PICTURE),
}


@pytest.mark.parametrize("why", WITHOUT)
def test_without_reports_that_make_sense_everything_is_played_as_it_comes(why: str) -> None:
    sound, picture = WITHOUT[why]
    call = Call(0.300, 0.080, sound=sound, picture=picture)
    call.run(20)
    assert set(call.done) == {(0.0, 0.0)}
    assert call.shown == pytest.approx([0.080] * 25)


def test_reports_that_come_late_count_from_then_on() -> None:
    call = Call(0.300, 0.080, picture=None)
    call.run(10)
    call.picture = PICTURE
    call.run(20)
    assert abs(call.lead) <= BAND


@pytest.mark.parametrize("delays", [(0.300, 0.080), (0.080, 0.300)])
def test_reports_that_go_are_forgotten_step_by_step(delays: tuple[float, float]) -> None:
    call = Call(*delays)
    call.run(20)
    before = call.done[-1]
    call.sound = None
    call.run(1)
    assert sum(before) - STEP <= sum(call.done[-1]) < sum(before)
    call.run(10)
    assert call.done[-1] == (0.0, 0.0)
    call.sound = SOUND
    call.run(20)
    assert call.done[-1] == pytest.approx(before, abs=BAND)


def test_pictures_do_not_wait_for_a_far_end_that_has_stopped_speaking() -> None:
    call = Call(0.300, 0.080)
    call.run(20)
    held = call.synchronizer.held
    call.run(round(STALE) - 1, speaks=False)
    assert call.synchronizer.held == held, "a pause in what is said is none"
    call.run(15, speaks=False)
    assert call.synchronizer.held == 0.0


def test_sound_does_not_wait_for_a_far_end_whose_pictures_have_stopped() -> None:
    call = Call(0.080, 0.300)
    call.run(20)
    assert call.synchronizer.extra
    call.run(round(STALE) + 15, moves=False)
    assert call.synchronizer.extra == 0.0


def test_another_source_is_not_taken_for_the_one_before() -> None:
    call = Call(0.300, 0.080)
    call.run(20)
    other = PICTURE.stream + 1
    ready = call.clock + 20.0
    assert call.synchronizer.due(other, 0, ready) == ready
    # Its reports come: it is of another clock, timestamps and all.
    call.synchronizer.update(SOUND, replace(PICTURE, stream=other, timestamp=77), call.clock + 21)
    for number in range(50):
        due = call.synchronizer.due(other, 77 + number, ready + number)
        assert ready + number <= due <= ready + number + MOST_HELD


def test_what_a_buffer_has_yet_to_do_is_not_asked_for_again() -> None:
    call = Call(0.080, 0.140)
    synchronizer = call.synchronizer
    for second in range(20):
        for number in range(50):
            taken = second + number / 50
            # The buffer never follows.
            at, timestamp = call.clock + taken + 0.080, SOUND.timestamp + round(taken * 48_000)
            synchronizer.sound_played(SOUND.stream, timestamp, at, synchronizer.extra)
            timestamp = PICTURE.timestamp + round(taken * 90_000) & 0xFFFFFFFF
            synchronizer.due(PICTURE.stream, timestamp, call.clock + taken + 0.140)
        synchronizer.update(SOUND, PICTURE, call.clock + second + 1)
    assert synchronizer.extra == pytest.approx(0.140 + SCREEN - 0.080 - EASY, abs=0.005)


references = st.builds(
    Reference,
    st.sampled_from(["", "far"]),
    st.integers(0, 2),
    st.sampled_from([0, 1, 8_000, 90_000]),
    st.one_of(st.integers(0, (1 << 64) - 1), st.just(SOUND.ntp)),
    st.integers(0, (1 << 32) - 1),
)
timestamps = st.integers(0, (1 << 32) - 1)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.none() | references, st.none() | references, st.integers(0, 2), timestamps, timestamps),
        max_size=60,
    )
)
def test_whatever_a_far_end_says_the_bounds_hold(
    said: list[tuple[Reference | None, Reference | None, int, int, int]],
) -> None:
    synchronizer, now = Synchronizer(), 5_000.0
    for sound, picture, stream, heard, seen in said:
        synchronizer.update(sound, picture, now)
        assert 0 <= synchronizer.extra <= MOST_EXTRA
        assert 0 <= synchronizer.held <= MOST_HELD
        for number in range(30):
            synchronizer.sound_played(stream, heard + number & 0xFFFFFFFF, now + number / 50, 0.0)
            ready = now + number / 30
            assert ready <= synchronizer.due(stream, seen + number * 3_000 & 0xFFFFFFFF, ready) <= ready + MOST_HELD
        now += 1.0
