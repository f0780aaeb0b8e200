"""The other side of the sound card: hears what the unit plays, and plays what it shall hear (the kernel's snd-aloop).

Every sample of `NUMBERS` is one more than that before it, so that a lost or repeated sample is seen.
"""

from __future__ import annotations

import math
import subprocess
import tempfile
import threading
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median

from hil.driver import load
from hil.waiting import wait_for

from board.sim.audio import Tone
from firmware.ports import BLOCK_TIME

RATE = 48_000
SPAN = 30_000
"""The numbers go from 1 to this, and begin anew."""
NUMBERS = array("h", [n % SPAN + 1 for n in range(SPAN * 8)]).tobytes()
"""Five seconds."""
BREAK_TIME = 0.02
"""Seconds, the shortest break of a tone that is noticed."""
_EVERY = 6
"""Of the samples in which a tone is looked for, one of so many: 8 kHz."""
_SILENT_POWER = 100.0
"""-70 dB to full scale."""
_STATUS, _SAID = (Path(f"/proc/asound/Room/pcm1{direction}/sub0/status") for direction in "cp")
_PLAYING = Path("/proc/asound/Room/pcm0p/sub0/status")
_DRIVER, _DEVICE = Path("/sys/bus/platform/drivers/snd_aloop"), "snd_aloop.0"
_FORMAT = ("-q", "-t", "raw", "-f", "S16_LE", "-c", "1")


class Room:
    """A card whose other end is the room."""

    name = "Room"
    _other_end = "hw:Room,1"

    def __init__(self) -> None:
        load("snd-aloop", "index=0", "id=Room", "pcm_substreams=1")

    def unplug(self) -> None:
        """Pull it out: whoever has it open loses it.  The driver goes when all have let go of it."""
        self._going = threading.Thread(target=_tell_driver, args=("unbind",), daemon=True)
        self._going.start()

    def plug(self) -> None:
        """Put it in again."""
        self._going.join(30)
        assert not self._going.is_alive(), "somebody still holds the card that was pulled out"
        _tell_driver("bind")

    def waiting(self) -> int:
        """Samples that the kernel has still to play to the room."""
        found = dict(line.split(":") for line in _PLAYING.read_text().splitlines() if ":" in line)
        return int({name.strip(): value for name, value in found.items()}["delay"])

    @contextmanager
    def drifting(self, millionths: int) -> Iterator[None]:
        """Let the speaker's clock be this much too fast.

        The kernel's control stands at 100,000 where the clock is right; of its cables, device 1 is the speaker's.
        """
        control = ["amixer", "-q", "-c", self.name, "cset", "iface=PCM,name='PCM Rate Shift 100000',device=1"]
        subprocess.run([*control, str(100_000 - round(millionths / 10))], check=True)
        try:
            yield
        finally:
            subprocess.run([*control, "100000"], check=True)

    @contextmanager
    def heard(self, rate: int = RATE) -> Iterator[array[int]]:
        """Listen to what the unit plays; the samples are there afterwards.

        A speaker that is opened meanwhile has this rate and no other.
        """
        samples = array("h")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "heard"
            recorder = subprocess.Popen(
                ["arecord", "-D", self._other_end, *_FORMAT, "-r", str(rate), "--buffer-time=500000", str(path)]
            )
            try:
                wait_for(lambda: "RUNNING" in _STATUS.read_text())
                yield samples
            finally:
                recorder.terminate()
                recorder.wait(10)
            samples.frombytes(path.read_bytes())

    @contextmanager
    def said(self, sound: bytes, rate: int = RATE) -> Iterator[None]:
        """Play this to the unit's microphone.  One that is opened meanwhile has this rate and no other."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(sound)
            file.flush()
            player = subprocess.Popen(
                ["aplay", "-D", self._other_end, *_FORMAT, "-r", str(rate), "--buffer-time=500000", file.name]
            )
            try:
                if rate != RATE:
                    wait_for(lambda: "RUNNING" in _SAID.read_text())
                yield
            finally:
                player.terminate()
                player.wait(10)


def _tell_driver(what: str) -> None:
    (_DRIVER / what).write_text(_DEVICE)


def tone(frequency: int, seconds: float, rate: int = RATE) -> bytes:
    """A pure tone."""
    if rate != RATE:
        turn = 2 * math.pi * frequency / rate
        return array("h", (round(8_000 * math.sin(turn * n)) for n in range(round(seconds * rate)))).tobytes()
    generator = Tone(frequency)
    return b"".join(generator.block(number) for number in range(round(seconds / BLOCK_TIME)))


def strength(samples: array[int], frequency: int, rate: int = RATE) -> float:
    """The part of the power, 0 to 1, that this frequency has in that tenth of a second where it has most."""
    length = rate // 10
    pieces = [samples[place : place + length] for place in range(0, len(samples) - length + 1, length)]
    loud = [piece for piece in pieces if sum(sample * sample for sample in piece) / length > _SILENT_POWER]
    return max(_share(piece, frequency, rate) for piece in loud)


def is_heard(samples: array[int], frequency: int) -> bool:
    """Whether a tone is in these samples: for half a second in all, in whatever pieces, and for most of the sound."""
    few, rate = samples[::_EVERY], RATE // _EVERY
    length = rate // 20
    blocks = [few[place : place + length] for place in range(0, len(few) - length + 1, length)]
    powers = [sum(sample * sample for sample in block) / length for block in blocks]
    loud = [block for block, power in zip(blocks, powers, strict=True) if power > _SILENT_POWER]
    tones = [block for block in loud if _share(block, frequency, rate) > 0.5]
    return len(tones) >= 10 and len(tones) > len(loud) / 2


def _share(block: array[int], frequency: int, rate: int) -> float:
    """How much of the power is at this frequency: 0 to 1."""
    turn = 2 * math.pi * frequency / rate
    cosine = sum(sample * math.cos(turn * n) for n, sample in enumerate(block))
    sine = sum(sample * math.sin(turn * n) for n, sample in enumerate(block))
    return 2 * (cosine**2 + sine**2) / (len(block) * sum(sample * sample for sample in block))


def interruptions(samples: array[int]) -> list[float]:
    """Where a tone is interrupted: s from the beginning, of each BREAK_TIME in which it isn't half as loud as usual."""
    length = round(RATE * BREAK_TIME)
    peaks = [max(samples[place : place + length]) for place in range(0, len(samples) - length, length)]
    usual = median(peaks)
    return [round(number * BREAK_TIME, 2) for number, peak in enumerate(peaks) if peak <= usual / 2]


def longest_run(samples: array[int]) -> int:
    """How many samples of `NUMBERS` follow each other without a gap from the first on."""
    first = next((place for place, sample in enumerate(samples) if sample), len(samples))
    heard = memoryview(samples)[first:].cast("B")
    if not heard:
        return 0
    pattern = NUMBERS[(samples[first] - 1) * 2 :] + NUMBERS * (len(heard) // len(NUMBERS) + 1)
    if heard == pattern[: len(heard)]:
        return len(heard) // 2
    good, bad = 0, len(heard)
    while bad - good > 1:  # all up to good is right, all up to bad is not
        middle = (good + bad) // 2
        good, bad = (middle, bad) if heard[:middle] == pattern[:middle] else (good, middle)
    return good // 2


def gaps(samples: array[int]) -> list[tuple[int, int, int]]:
    """Where the numbers don't follow each other: place, what was there, what came then; silence is left out."""
    numbers = [(place, sample) for place, sample in enumerate(samples) if sample]
    return [
        (place, before, sample)
        for (before_place, before), (place, sample) in pairwise(numbers)
        if sample != before % SPAN + 1 or place != before_place + 1
    ]
