"""`board.sim.recording`: files of every usual kind become 48 kHz mono."""

import math
import wave
from array import array
from pathlib import Path

import av
import pytest
from signals import SILENCE, find_tone, level

from board.sim.recording import Recording
from firmware.errors import DeviceError
from firmware.ports import BLOCK_BYTES


def record(path: Path, *, rate: int = 48_000, channels: int = 1, seconds: float = 0.5, width: int = 2) -> str:
    """A WAV file of 1 kHz at half of full scale."""
    peak = (1 << (width * 8 - 1)) * 0.5
    frames = bytearray()
    for n in range(round(rate * seconds)):
        sample = round(peak * math.sin(2 * math.pi * 1000 * n / rate))
        code = (sample + 128).to_bytes(1, "little") if width == 1 else sample.to_bytes(width, "little", signed=True)
        frames += code * channels
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(frames))
    return str(path)


def read(recording: Recording, blocks: int) -> bytes:
    sound = [recording.block(n) for n in range(blocks)]
    recording.close()
    assert all(len(block) == BLOCK_BYTES for block in sound)
    return b"".join(sound)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_every_rate_and_sample_size(tmp_path: Path, rate: int, width: int) -> None:
    sound = read(Recording(record(tmp_path / "tone.wav", rate=rate, width=width)), 40)
    assert find_tone(sound, 1000) == pytest.approx(-6, abs=0.5)
    assert find_tone(sound, 3000) < -35


def test_stereo_is_mixed(tmp_path: Path) -> None:
    sound = read(Recording(record(tmp_path / "tone.wav", channels=2)), 40)
    assert find_tone(sound, 1000) == pytest.approx(-6, abs=0.5)


def test_it_begins_again_at_the_same_pitch(tmp_path: Path) -> None:
    sound = read(Recording(record(tmp_path / "tone.wav", rate=8_000, seconds=0.2)), 100)
    for begin in range(0, 90, 10):
        piece = sound[begin * BLOCK_BYTES : (begin + 10) * BLOCK_BYTES]
        assert find_tone(piece, 1000) == pytest.approx(-6, abs=1)


def test_other_files_than_wav(tmp_path: Path) -> None:
    path = str(tmp_path / "tone.flac")
    with av.open(path, "w") as file:
        stream = file.add_stream("flac", rate=16_000, layout="mono")
        samples = array("h", (round(16_384 * math.sin(2 * math.pi * 500 * n / 16_000)) for n in range(8_000)))
        frame = av.AudioFrame("s16", "mono", len(samples))
        frame.rate = 16_000
        frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        frame.pts = 0
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    sound = read(Recording(path), 20)
    assert find_tone(sound, 500) == pytest.approx(-6, abs=0.5)
    assert level(bytes(BLOCK_BYTES)) == SILENCE


@pytest.mark.parametrize("content", [None, b"", b"RIFF" + bytes(100)])
def test_a_file_that_is_no_recording(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "sound.wav").write_bytes(content)
    with pytest.raises(DeviceError, match=r"sound\.wav"):
        Recording(str(tmp_path / "sound.wav"))


def test_a_recording_of_no_length(tmp_path: Path) -> None:
    recording = Recording(record(tmp_path / "empty.wav", seconds=0))
    with pytest.raises(DeviceError, match="has no sound"):
        recording.block(0)
    with pytest.raises(DeviceError, match="can't be read"):
        recording.block(1)
    recording.close()


def test_after_close_there_is_no_more_sound(tmp_path: Path) -> None:
    recording = Recording(record(tmp_path / "tone.wav"))
    recording.block(0)
    recording.close()
    with pytest.raises(DeviceError, match="can't be read"):
        [recording.block(n) for n in range(20)]
