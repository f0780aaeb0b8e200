"""`board.sim.audio`."""

import threading
import time
from pathlib import Path

import pytest
from signals import SILENCE, find_tone, level

from board.sim.audio import Silence, SimMicrophone, SimSpeaker, Tone
from board.sim.wave import WaveWriter
from firmware.ports import BLOCK_BYTES, Microphone, Speaker

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


def test_a_late_reader_catches_up() -> None:
    microphone = SimMicrophone(LOUD)
    microphone.read()
    time.sleep(0.1)
    begin = time.monotonic()
    for _ in range(9):
        microphone.read()
    assert time.monotonic() - begin < 0.05


def test_a_reader_that_is_too_late_loses_sound() -> None:
    microphone = SimMicrophone(LOUD)
    microphone.read()
    time.sleep(0.5)
    begin = time.monotonic()
    for _ in range(10):
        microphone.read()
    assert time.monotonic() - begin > 0.05


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
    """A speaker with its record, and a hand on its clock."""

    def __init__(self, path: Path, drift: float = 0.0) -> None:
        self.path = path / "played.wav"
        self.speaker = SimSpeaker(WaveWriter(str(self.path)), drift)

    def later(self, seconds: float) -> None:
        self.speaker._start -= seconds

    def blocks(self) -> int:
        self.speaker.close()
        return (self.path.stat().st_size - 44) // BLOCK_BYTES


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(tmp_path)


def test_what_is_played_is_recorded(played: Played) -> None:
    speaker: Speaker = played.speaker
    for n in range(15):
        speaker.write(LOUD.block(n))
    assert played.blocks() == 15
    assert find_tone(played.path, 1000) == pytest.approx(-6, abs=0.1)


def test_what_finds_no_room_is_dropped(played: Played) -> None:
    for n in range(200):
        played.speaker.write(LOUD.block(n))
    assert 20 <= played.blocks() < 100


def test_where_nothing_comes_there_is_silence(played: Played) -> None:
    played.later(0.5)
    played.speaker.write(LOUD.block(0))
    assert 54 <= played.blocks() < 90
    assert level(played.path.read_bytes()[44 : 44 + 40 * BLOCK_BYTES]) == SILENCE


def test_a_long_silence_is_shortened(played: Played) -> None:
    played.later(10_000)
    played.speaker.write(LOUD.block(0))
    assert played.blocks() == 101


def test_a_fast_speaker_takes_more(tmp_path: Path) -> None:
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
