"""The audio thread, with devices that can be watched and broken."""

from __future__ import annotations

import threading
import time
from array import array

import pytest

from firmware.call.media import Direction
from firmware.errors import DeviceError
from firmware.media import device
from firmware.media.audio import Audio, FarEnd
from firmware.media.message import AudioTick, DeviceFailed, DeviceRestored, Report
from firmware.ports import BLOCK_BYTES


def block(value: int) -> bytes:
    return array("h", [value] * (BLOCK_BYTES // 2)).tobytes()


def value(sound: bytes | None) -> int:
    return 0 if sound is None else array("h", sound)[0]


class Microphone:
    def __init__(self) -> None:
        self.closed = threading.Event()
        self.broken = False
        self.stuck = False
        self.taken = 1_000_000.0

    def read(self) -> bytes:
        if self.stuck:
            self.closed.wait()
        if self.broken:
            raise DeviceError("unplugged")
        self.taken += 1.0
        return b"" if self.closed.wait(0.002) else block(100)

    def close(self) -> None:
        self.closed.set()


class Speaker:
    delay = 0.030

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.volume = -1
        self.closed = False
        self.broken = False

    def write(self, sound: bytes) -> None:
        if self.broken:
            raise DeviceError("the disk is full")
        self.heard.append(value(sound))

    def set_volume(self, percent: int) -> None:
        if self.broken:
            raise DeviceError("it has no mixer")
        self.volume = percent

    def close(self) -> None:
        self.closed = True


class Board:
    """A board of one microphone and one speaker, which may be missing."""

    def __init__(self, absent: frozenset[str] = frozenset()) -> None:
        self.absent = absent
        self.microphones: list[Microphone] = []
        self.speakers: list[Speaker] = []
        self.missing = ""

    def look_for(self, device: str) -> None:
        if self.missing:
            raise DeviceError(self.missing)

    def open_microphone(self) -> Microphone:
        self.look_for("microphone")
        self.microphones.append(Microphone())
        return self.microphones[-1]

    def open_speaker(self) -> Speaker:
        self.look_for("speaker")
        self.speakers.append(Speaker())
        return self.speakers[-1]


class Voice:
    """Receiver and sender of a far end in one."""

    def __init__(self, says: int | None = None) -> None:
        self.says = None if says is None else block(says)
        self.heard: list[int] = []
        self.taken: list[float] = []
        self.ahead: list[float] = []
        self.error: Exception | None = None
        self.failed: list[tuple[Direction, Exception]] = []

    def pull(self, now: float, heard: float) -> bytes | None:
        self.ahead.append(heard - now)
        if self.error is not None:
            raise self.error
        return self.says

    def push(self, sound: bytes | None, taken: float) -> None:
        self.heard.append(value(sound))
        self.taken.append(taken)

    def fail(self, direction: Direction, error: Exception) -> None:
        self.failed.append((direction, error))

    def far_end(self) -> FarEnd:
        return FarEnd(self, self, self.fail)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def reports() -> list[Report]:
    return []


@pytest.fixture
def audio(board: Board, reports: list[Report], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(device, "RETRY", 0.01)
    audio = Audio(board, False, reports.append)
    yield audio
    audio.stop()


def test_nothing_is_open_without_a_far_end(audio: Audio, board: Board, eventually) -> None:
    time.sleep(0.05)
    assert audio.idle
    assert board.microphones == board.speakers == []
    far = Voice(1)
    audio.use({"a": far.far_end()})
    eventually(lambda: len(far.heard) > 3)
    assert len(board.microphones) == len(board.speakers) == 1
    audio.use({})
    eventually(lambda: board.microphones[0].closed.is_set() and board.speakers[0].closed)
    assert audio.idle


def test_who_hears_whom(audio: Audio, board: Board, eventually) -> None:
    a, b = Voice(10), Voice(1)
    audio.use({"a": a.far_end(), "b": b.far_end()})
    eventually(lambda: len(a.heard) > 3)
    assert set(a.heard) == {101}
    assert set(b.heard) == {110}
    assert set(board.speakers[0].heard) == {11}


def test_who_listens_is_told_when_the_room_was_heard(audio: Audio, board: Board, eventually) -> None:
    a = Voice(10)
    audio.use({"a": a.far_end()})
    eventually(lambda: len(a.taken) > 3)
    assert a.taken[:4] == [1_000_001.0, 1_000_002.0, 1_000_003.0, 1_000_004.0]
    board.missing = "still hangs"
    board.microphones[0].broken = True
    eventually(lambda: a.taken[-1] < 1_000_000.0)
    assert a.taken[-1] == pytest.approx(time.monotonic(), abs=10)


def test_who_plays_is_told_when_it_is_heard(audio: Audio, board: Board, eventually) -> None:
    a = Voice(10)
    audio.use({"a": a.far_end()})
    eventually(lambda: len(a.ahead) > 3)
    assert a.ahead[0] == 0.0
    assert a.ahead[-1] == pytest.approx(Speaker.delay)


def test_mute_is_silence_for_all_that_listen(audio: Audio, board: Board, eventually) -> None:
    a, b = Voice(10), Voice(1)
    audio.muted = True
    audio.use({"a": a.far_end(), "b": b.far_end()})
    eventually(lambda: len(a.heard) > 3)
    assert set(a.heard) == {1}
    assert set(board.speakers[0].heard) == {11}
    audio.muted = False
    eventually(lambda: a.heard[-1] == 101)


def test_one_direction_only(audio: Audio, board: Board, eventually) -> None:
    listener, speaker = Voice(), Voice(10)
    audio.use({"a": FarEnd(None, listener, listener.fail), "b": FarEnd(speaker, None, speaker.fail)})
    eventually(lambda: len(listener.heard) > 3)
    assert set(listener.heard) == {110}
    assert speaker.heard == []


def test_an_echo_needs_no_device(board: Board, reports: list[Report], eventually) -> None:
    audio = Audio(board, True, reports.append)
    board.missing = "it has none"
    audio.look()
    assert reports == []
    a, b = Voice(10), Voice(1)
    audio.use({"a": a.far_end(), "b": b.far_end()})
    eventually(lambda: len(b.heard) > 3)
    audio.stop()
    assert set(a.heard) == {10}
    assert set(b.heard) == {1}
    assert board.microphones == board.speakers == []


def test_without_devices_time_is_the_beat(audio: Audio, board: Board, reports: list[Report], eventually) -> None:
    board.missing = "nothing is plugged in"
    a, b = Voice(10), Voice(1)
    audio.use({"a": a.far_end(), "b": b.far_end()})
    eventually(lambda: len(a.heard) > 20)
    assert set(a.heard) == {1}
    assert {report for report in reports if isinstance(report, DeviceFailed)} == {
        DeviceFailed("microphone", "nothing is plugged in"),
        DeviceFailed("speaker", "nothing is plugged in"),
    }
    board.missing = ""
    eventually(lambda: a.heard[-1] == 101 and board.speakers)
    eventually(lambda: {DeviceRestored("microphone"), DeviceRestored("speaker")} <= set(reports))


def test_a_room_that_neither_hears_nor_speaks_is_no_fault(reports: list[Report], eventually) -> None:
    board = Board(frozenset({"microphone", "speaker"}))
    audio = Audio(board, False, reports.append)
    audio.look()
    a, b = Voice(10), Voice(1)
    audio.use({"a": a.far_end(), "b": b.far_end()})
    eventually(lambda: len(a.heard) > 20)
    audio.stop()
    assert set(a.heard) == {1}, "they hear each other"
    assert board.microphones == board.speakers == []
    assert [report for report in reports if isinstance(report, DeviceFailed)] == []


def test_devices_are_looked_for_while_there_is_no_far_end(
    audio: Audio, board: Board, reports: list[Report], eventually
) -> None:
    board.missing = "nothing is plugged in"
    audio.look()
    assert reports == [
        DeviceFailed("microphone", "nothing is plugged in"),
        DeviceFailed("speaker", "nothing is plugged in"),
    ]
    board.missing = ""
    audio.look()
    assert reports[2:] == [DeviceRestored("microphone"), DeviceRestored("speaker")]
    assert board.microphones == board.speakers == []
    audio.use({"a": Voice(10).far_end()})
    eventually(lambda: board.microphones and board.speakers)
    board.missing = "nothing is plugged in"
    audio.look()
    assert not any(isinstance(report, DeviceFailed) for report in reports[4:])


def test_devices_that_break_are_opened_again(audio: Audio, board: Board, eventually) -> None:
    a = Voice(10)
    audio.use({"a": a.far_end()})
    eventually(lambda: a.heard and board.speakers)
    board.microphones[0].broken = board.speakers[0].broken = True
    eventually(lambda: len(board.microphones) > 1 and len(board.speakers) > 1)
    seen = len(a.heard)
    eventually(lambda: len(a.heard) > seen + 3 and a.heard[-1] == 100 and board.speakers[1].heard)


def test_a_microphone_that_hangs_can_be_rescued(audio: Audio, board: Board, reports: list[Report], eventually) -> None:
    a = Voice(10)
    audio.use({"a": a.far_end()})
    eventually(lambda: a.heard)
    board.missing = "still hangs"
    board.microphones[0].stuck = True
    time.sleep(0.05)
    seen = len(a.heard)
    audio.rescue()
    eventually(lambda: len(a.heard) > seen + 3)
    assert DeviceFailed("microphone", "it gives no sound") in reports


def test_sound_that_fails_ends_its_channel_and_nothing_else(
    audio: Audio, board: Board, reports: list[Report], eventually
) -> None:
    a, b = Voice(10), Voice(1)
    audio.use({"a": a.far_end(), "b": b.far_end()})
    eventually(lambda: b.heard)
    a.error = RuntimeError("a bug")
    eventually(lambda: a.failed)
    seen = len(a.heard), len(b.heard)
    eventually(lambda: len(a.heard) > seen[0] + 3 and len(b.heard) > seen[1] + 3)
    assert a.failed == [(Direction.RECEIVE, a.error)]
    assert (a.heard[-1], b.heard[-1]) == (101, 100)
    assert len(board.microphones) == len(board.speakers) == 1
    assert not any(isinstance(report, DeviceFailed) for report in reports)


def test_a_sender_that_fails_is_left_out(audio: Audio, eventually) -> None:
    a, b = Voice(10), Voice(1)
    a.push = lambda sound, taken: a.heard[1]
    audio.use({"a": a.far_end(), "b": b.far_end()})
    eventually(lambda: a.failed and len(b.heard) > 3)
    assert [direction for direction, _ in a.failed] == [Direction.SEND]
    assert b.heard[-1] == 110


def test_a_speaker_that_takes_no_volume_has_failed(
    audio: Audio, board: Board, reports: list[Report], eventually
) -> None:
    audio.use({"a": Voice(1).far_end()})
    eventually(lambda: board.speakers and board.speakers[0].heard)
    board.speakers[0].broken = True
    audio.set_volume(80)
    eventually(lambda: len(board.speakers) > 1 and board.speakers[1].volume == 80)
    assert board.speakers[0].closed
    assert {report for report in reports if isinstance(report, DeviceFailed)} <= {
        DeviceFailed("speaker", "it has no mixer"),
        DeviceFailed("speaker", "the disk is full"),
    }


def test_volume(audio: Audio, board: Board, eventually) -> None:
    audio.set_volume(30)
    audio.use({"a": Voice(1).far_end()})
    eventually(lambda: board.speakers and board.speakers[0].volume == 30)
    audio.set_volume(80)
    eventually(lambda: board.speakers[0].volume == 80)


def test_lateness_is_reported(audio: Audio, reports: list[Report], eventually) -> None:
    audio.use({"a": Voice(1).far_end()})
    eventually(lambda: any(isinstance(report, AudioTick) for report in reports))
