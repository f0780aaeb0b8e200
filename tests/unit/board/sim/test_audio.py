"""`board.sim.audio`."""

import threading
import time
from pathlib import Path

import pytest
from signals import SILENCE, find_tone, level

from board.sim.audio import Silence, SimMicrophone, SimSpeaker, Tone
from board.sim.wave import WaveWriter
from firmware.ports import BLOCK_BYTES, BLOCK_TIME, Microphone, Speaker

LOUD = Tone(1000, -6.0)


def test_a_tone_has_its_frequency_and_level_and_no_seam() -> None:
    tone = Tone(441, -20.0)
    sound = b"".join(tone.block(n) for n in range(50, 250))
    assert find_tone(sound, 441) == pytest.approx(-20, abs=0.1)
    assert level(sound) == pytest.approx(-20, abs=0.1)


def test_silence_is_silent() -> None:
    assert level(Silence().block(1)) == SILENCE


def test_a_microphone_gives_blocks_at_its_own_pace() -> None:
    microphone: Microphone = SimMicrophone(LOUD)
    begin = time.monotonic()
    sound = b"".join(microphone.read() for _ in range(20))
    assert time.monotonic() - begin > 0.18
    assert len(sound) == 20 * BLOCK_BYTES
    assert find_tone(sound, 1000) == pytest.approx(-6, abs=0.1)


class Counted:
    """A sound whose blocks tell their numbers."""

    def block(self, number: int) -> bytes:
        return number.to_bytes(4, "big")

    def close(self) -> None:
        pass


def test_a_block_was_taken_when_it_began_however_late_it_is_fetched() -> None:
    microphone = SimMicrophone(Counted())
    for wait in (0.0, 0.05, 0.0):
        time.sleep(wait)
        number = int.from_bytes(microphone.read(), "big")
        assert microphone.taken == pytest.approx(microphone._beat.time(number) - BLOCK_TIME)
    assert microphone.taken < time.monotonic() - BLOCK_TIME


def test_a_reader_that_is_too_late_loses_sound_and_does_not_lag() -> None:
    microphone = SimMicrophone(Counted())
    microphone.read()
    time.sleep(0.5)
    late = int.from_bytes(microphone.read(), "big")
    assert late >= 49
    assert microphone._beat.time(late) <= time.monotonic()


def test_a_drifting_microphone_is_ahead_of_one_that_does_not() -> None:
    exact, fast = SimMicrophone(LOUD), SimMicrophone(LOUD, 1000.0)
    assert exact._beat.time(1000) - exact._beat.time(0) == pytest.approx(10.0)
    assert fast._beat.time(1001) - fast._beat.time(0) == pytest.approx(10.0)


def test_close_lets_a_read_return() -> None:
    microphone = SimMicrophone(LOUD)
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.extend(iter(microphone.read, b"")))
    thread.start()
    microphone.close()
    thread.join(10)
    assert not thread.is_alive()
    assert microphone.read() == b""


class Played:
    """A speaker with its record, and a hand on its clock, which stands still."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path / "played.wav"
        self.now = 1000.0
        monkeypatch.setattr("board.sim.audio.time", self)
        self.speaker = SimSpeaker(WaveWriter(str(self.path)))

    def monotonic(self) -> float:
        return self.now

    def blocks(self) -> int:
        self.speaker.close()
        return (self.path.stat().st_size - 44) // BLOCK_BYTES


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    return Played(tmp_path, monkeypatch)


def test_what_is_played_is_recorded(played: Played) -> None:
    speaker: Speaker = played.speaker
    for n in range(15):
        speaker.write(LOUD.block(n))
    assert played.blocks() == 15
    assert find_tone(played.path, 1000) == pytest.approx(-6, abs=0.1)


def test_what_finds_no_room_is_dropped(played: Played) -> None:
    for n in range(200):
        played.speaker.write(LOUD.block(n))
    assert played.blocks() == 20


def test_who_writes_at_the_speakers_pace_loses_nothing(played: Played) -> None:
    for n in range(500):
        played.speaker.write(LOUD.block(n))
        played.now += 0.01
    assert played.blocks() == 500
    assert find_tone(played.path, 1000, window=5.0) == pytest.approx(-6, abs=0.1)


def test_where_nothing_comes_there_is_silence(played: Played) -> None:
    played.now += 0.501
    played.speaker.write(LOUD.block(0))
    assert played.blocks() == 50 + 4 + 1
    assert level(played.path.read_bytes()[44 : 44 + 40 * BLOCK_BYTES]) == SILENCE


def test_a_long_silence_is_shortened(played: Played) -> None:
    played.now += 10_000
    played.speaker.write(LOUD.block(0))
    assert played.blocks() == 101


def test_a_fast_speaker_takes_more() -> None:
    exact, fast = SimSpeaker(None), SimSpeaker(None, 1000.0)
    assert exact._period / fast._period == pytest.approx(1.001)


@pytest.mark.parametrize(("percent", "decibel"), [(100, -6.0), (50, -18.04), (10, -46.0), (0, SILENCE), (-5, SILENCE)])
def test_volume(played: Played, percent: int, decibel: float) -> None:
    played.speaker.set_volume(percent)
    for n in range(15):
        played.speaker.write(LOUD.block(n))
    played.speaker.close()
    assert find_tone(played.path, 1000) == pytest.approx(decibel, abs=1)


def test_volume_above_all_is_all(played: Played) -> None:
    played.speaker.set_volume(1000)
    played.speaker.write(LOUD.block(3))
    played.speaker.close()
    assert played.path.read_bytes()[-BLOCK_BYTES:] == LOUD.block(3)


def test_a_speaker_that_is_not_recorded() -> None:
    speaker = SimSpeaker(None)
    speaker.write(LOUD.block(0))
    speaker.close()
