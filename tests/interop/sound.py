"""Tones: written to WAV files, and found again in what arrived."""

from __future__ import annotations

import array
import math
import wave
from pathlib import Path


def write_tone(path: Path, frequency: float, rate: int, channels: int = 1, seconds: float = 30.0) -> Path:
    """Write a WAV file of a tone, 16 bits, a third of full scale."""
    period = array.array("h")
    for n in range(rate):  # a second: any whole number of Hz closes on itself
        period.extend([round(10_000 * math.sin(2 * math.pi * frequency * n / rate))] * channels)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        for _ in range(math.ceil(seconds)):
            file.writeframes(period.tobytes())
    return path


def read_samples(path: Path, channels: int = 1) -> array.array[int]:
    """The first channel of a WAV file of 16 bits, also of one still being written, or yet to come."""
    samples = array.array("h")
    data = path.read_bytes()[44:] if path.exists() else b""
    samples.frombytes(data[: len(data) // 2 * 2])
    return samples[::channels]


def tone_share(samples: array.array[int], frequency: float, rate: int, width: float = 12.0) -> float:
    """How much of the power is at this frequency, 0 to 1: the best second of it, near *frequency* by *width* Hz.

    1 for the pure tone alone, near 0 for another tone, noise or silence.
    """
    best = 0.0
    for start in range(0, len(samples) - rate // 2, rate // 2):
        block = samples[start : start + rate // 2]
        power = sum(sample * sample for sample in block) / len(block)
        if power < 100.0:  # -70 dBFS: silence
            continue
        step = rate / len(block)
        found = sum(
            _amplitude(block, frequency + n * step, rate) ** 2 / 2
            for n in range(-int(width / step), int(width / step) + 1)
        )
        best = max(best, min(1.0, found / power))
    return best


GAP = 0.05
"""Seconds in which a tone is looked for by `gaps`."""


def gaps(samples: array.array[int], frequency: float, rate: int) -> list[float]:
    """Where in this sound, s from its start, a tone is not what there is most of, for one GAP each."""
    size = round(rate * GAP)
    found = []
    for start in range(0, len(samples) - size + 1, size):
        part = samples[start : start + size]
        power = sum(sample * sample for sample in part) / size
        if power < 100.0 or _amplitude(part, frequency, rate) ** 2 / 2 < power / 2:
            found.append(start / rate)
    return found


def _amplitude(block: array.array[int], frequency: float, rate: int) -> float:
    """The amplitude of one frequency, by Goertzel's algorithm."""
    turn = 2 * math.pi * frequency / rate
    coefficient = 2 * math.cos(turn)
    before = last = 0.0
    for sample in block:
        before, last = last, sample + coefficient * last - before
    power = last * last + before * before - coefficient * last * before
    return 2 * math.sqrt(max(0.0, power)) / len(block)
