"""What legs have in common, with a session of no protocol."""

from __future__ import annotations

import pytest

from firmware.call.call import Call, State
from firmware.errors import CallError, LocalProtocolError
from firmware.signaling.leg import KEY_FRAME_INTERVAL, BaseLeg


class Clock:
    """A transport that only tells the time, and how often it was run."""

    time = 10.0
    runs = 0

    def now(self) -> float:
        return self.time

    def run(self) -> None:
        self.runs += 1


class Media:
    closed = 0

    def close(self) -> None:
        self.closed += 1


class Bench:
    def __init__(self) -> None:
        self.clock, self.media, self.gone = Clock(), Media(), 0
        self.leg: BaseLeg[str, Media] = BaseLeg(self.clock, lambda host: self.media, self._is_gone)  # type: ignore[arg-type]
        self.leg.call = Call(self.leg, State.DIALING, "somebody")  # type: ignore[arg-type]

    def _is_gone(self) -> None:
        self.gone += 1


def test_nothing_can_be_asked_of_a_call_that_has_not_begun() -> None:
    bench = Bench()
    with pytest.raises(CallError, match="not begun"):
        bench.leg._require()
    bench.leg._session, bench.leg._media = "a session", bench.media
    assert bench.leg._require() == ("a session", bench.media)
    bench.leg._drop_attempt()
    assert bench.media.closed == 1
    with pytest.raises(CallError):
        bench.leg._require()


def test_the_end_comes_once_and_gives_the_ports_back() -> None:
    bench = Bench()
    bench.leg._media = bench.media
    bench.leg.abandon()
    bench.leg.abandon()
    assert (bench.gone, bench.media.closed) == (1, 1)


def test_a_command_that_came_too_late_is_no_error() -> None:
    bench = Bench()

    def too_late(word: str) -> None:
        raise LocalProtocolError(word)

    bench.leg._command(too_late, "the session has ended")
    assert bench.clock.runs == 1


def test_key_frames_are_asked_for_now_and_then() -> None:
    bench = Bench()
    asked = 0
    for _ in range(100):
        asked += bench.leg._may_ask_for_key_frame()
        bench.clock.time += KEY_FRAME_INTERVAL / 10
    assert asked == 10
