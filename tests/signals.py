"""What tests ask of sound: is this tone in it, how loud is it.

A sound is a WAV file of 16 bits (also one that is being written), or bytes as they pass between firmware and board.
Levels are dB to full scale: a sine that reaches it has 0; nothing at all has SILENCE.
"""

from __future__ import annotations

import math
import struct
from array import array
from pathlib import Path

SILENCE = -120.0

Sound = Path | bytes


def find_tone(sound: Sound, frequency: float, window: float = 0.1) -> float:
    """The level of a sine of this frequency (Hz) where it is loudest, looked for in windows of this many seconds."""
    samples, rate = samples_of(sound)
    length = round(rate * window)
    starts = range(0, len(samples) - length + 1, length)
    return max((_goertzel(samples[n : n + length], frequency, rate) for n in starts), default=SILENCE)


def level(sound: Sound) -> float:
    """The level of the sine that would be as strong as the whole sound (RMS)."""
    samples, _ = samples_of(sound)
    if not samples:
        return SILENCE
    return _decibel(math.sqrt(2 * sum(sample * sample for sample in samples) / len(samples)))


def samples_of(sound: Sound) -> tuple[array[int], int]:
    """Samples of the first channel, and their rate, Hz."""
    if isinstance(sound, bytes):
        return _array(sound), 48_000
    data = sound.read_bytes()
    channels, rate = struct.unpack_from("<HI", data, 22)
    assert data[:4] == b"RIFF"
    assert struct.unpack_from("<H", data, 34) == (16,), "the sound is not of 16 bits"
    start = data.index(b"data") + 8
    (length,) = struct.unpack_from("<I", data, start - 4)
    return _array(data[start : start + length])[::channels], rate


def _array(data: bytes) -> array[int]:
    return array("h", data[: len(data) // 2 * 2])


def _goertzel(samples: array[int], frequency: float, rate: int) -> float:
    step = 2 * math.pi * frequency / rate
    turn = 2 * math.cos(step)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    power = last * last + before * before - turn * last * before
    return _decibel(2 * math.sqrt(max(0.0, power)) / len(samples))


def _decibel(amplitude: float) -> float:
    return max(SILENCE, 20 * math.log10(amplitude / 32_767)) if amplitude > 0 else SILENCE
