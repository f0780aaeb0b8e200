"""The other side of the sound card: hears what the unit plays, and plays what it shall hear (the kernel's snd-aloop).

Every sample of `NUMBERS` is one more than that before it, so that a lost or repeated sample is seen.
"""

from __future__ import annotations

import subprocess
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from hil.driver import load
from hil.waiting import wait_for

RATE = 48_000
SPAN = 30_000
"""The numbers go from 1 to this, and begin anew."""
NUMBERS = array("h", [n % SPAN + 1 for n in range(SPAN * 8)]).tobytes()
"""Five seconds."""
_STATUS = Path("/proc/asound/Room/pcm1c/sub0/status")
_FORMAT = ("-q", "-t", "raw", "-f", "S16_LE", "-r", str(RATE), "-c", "1")


class Room:
    """A card whose other end is the room."""

    name = "Room"
    _other_end = "hw:Room,1"

    def __init__(self) -> None:
        load("snd-aloop", "index=0", "id=Room", "pcm_substreams=1")

    @contextmanager
    def heard(self) -> Iterator[array[int]]:
        """Listen to what the unit plays; the samples are there afterwards."""
        samples = array("h")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "heard"
            recorder = subprocess.Popen(["arecord", "-D", self._other_end, *_FORMAT, "--buffer-time=500000", str(path)])
            try:
                wait_for(lambda: "RUNNING" in _STATUS.read_text())
                yield samples
            finally:
                recorder.terminate()
                recorder.wait(10)
            samples.frombytes(path.read_bytes())

    @contextmanager
    def said(self, sound: bytes) -> Iterator[None]:
        """Play this to the unit's microphone."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(sound)
            file.flush()
            player = subprocess.Popen(["aplay", "-D", self._other_end, *_FORMAT, "--buffer-time=500000", file.name])
            try:
                yield
            finally:
                player.terminate()
                player.wait(10)


def gaps(samples: array[int]) -> list[tuple[int, int, int]]:
    """Where the numbers don't follow each other: place, what was there, what came then; silence is left out."""
    numbers = [(place, sample) for place, sample in enumerate(samples) if sample]
    return [
        (place, before, sample)
        for (before_place, before), (place, sample) in pairwise(numbers)
        if sample != before % SPAN + 1 or place != before_place + 1
    ]
