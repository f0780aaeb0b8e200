"""A microphone that hears a tone, a recording or nothing, and a speaker that is recorded.

Both keep time as sound hardware does, on clocks of their own: the microphone gives a block every 10 ms of its clock,
the speaker takes one.  Neither can be hurried, and a drift can be set, since two real clocks never agree.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from typing import TYPE_CHECKING, Protocol

from board.gain import Gain
from board.sim.beat import Beat
from firmware.ports import BLOCK_BYTES, BLOCK_TIME, SAMPLE_RATE

if TYPE_CHECKING:
    from board.sim.clap import Witness
    from board.sim.wave import WaveWriter

_PATIENCE = 20
"""Blocks that the microphone keeps for a late reader."""
_ROOM = 20
"""Blocks that the speaker keeps until they are played."""
_HEAD_START = 4
"""Blocks of silence that the speaker begins with, also after it ran dry, to be ahead of small delays."""
_LONGEST_SILENCE = 100
"""Blocks: a longer gap is recorded as this much."""

_SILENCE = bytes(BLOCK_BYTES)


class Sound(Protocol):
    """What the microphone hears."""

    def block(self, number: int) -> bytes:
        """The block of this number; numbers only grow.  DeviceError: it can't be had."""

    def close(self) -> None:
        """Release files."""


class Silence:
    """Nothing."""

    def block(self, number: int) -> bytes:  # noqa: ARG002
        """Give silence."""
        return _SILENCE

    def close(self) -> None:
        """Nothing is open."""


class Tone:
    """A sine of ``frequency`` (whole Hz), ``level`` dB below full scale: one second of it, which has no seam."""

    def __init__(self, frequency: int, level: float = -12.0) -> None:
        peak = 32_767 * 10 ** (level / 20)
        turn = 2 * math.pi * frequency / SAMPLE_RATE
        second = array("h", (round(peak * math.sin(turn * n)) for n in range(SAMPLE_RATE))).tobytes()
        self._blocks = [second[n : n + BLOCK_BYTES] for n in range(0, len(second), BLOCK_BYTES)]

    def block(self, number: int) -> bytes:
        """Give a hundredth of the second."""
        return self._blocks[number % len(self._blocks)]

    def close(self) -> None:
        """Nothing is open."""


class SimMicrophone:
    """A `firmware.ports.Microphone`; ``drift`` is how much its clock is too fast, in millionths."""

    def __init__(self, sound: Sound, drift: float = 0.0) -> None:
        self._sound = sound
        self._beat = Beat(BLOCK_TIME / (1 + drift * 1e-6), _PATIENCE)
        self._listening = threading.Lock()
        self.taken = self._beat.time(0)

    def read(self) -> bytes:
        """Wait for the next block; b"" once closed.  A reader that stays away for longer than 0.2 s loses sound."""
        number = self._beat.wait()
        with self._listening:
            if number is None or self._beat.stopped:
                return b""
            self.taken = self._beat.time(number - 1)
            return self._sound.block(number)

    def close(self) -> None:
        """Let ``read`` return, and release the recording."""
        self._beat.stop()
        with self._listening:
            self._sound.close()


class SimSpeaker:
    """A `firmware.ports.Speaker`, recorded where a writer is given, heard by a witness where there is one.

    It plays a block every 10 ms of its clock.  Where none has come, it plays silence; where 0.2 s are waiting already,
    another is dropped.
    """

    def __init__(self, record: WaveWriter | None, drift: float = 0.0, witness: Witness | None = None) -> None:
        self._record = record
        self._witness = witness
        self._period = BLOCK_TIME / (1 + drift * 1e-6)
        self._start = time.monotonic()
        self._written = 0  # blocks, silence included
        self._gain = Gain()
        self.delay = _HEAD_START * BLOCK_TIME

    def write(self, block: bytes) -> None:
        """Play a block after those before it.  DeviceError: the record can't be written, the disk is full say."""
        now = time.monotonic()
        played = math.floor((now - self._start) / self._period)
        if self._written >= played + _ROOM:
            return
        if self._written < played:
            gap = played + _HEAD_START - self._written
            if self._record is not None:
                self._record.write(_SILENCE * min(gap, _LONGEST_SILENCE))
            self._written += gap
        begins = self._start + self._written * self._period
        self.delay = max(0.0, begins - now)
        self._written += 1
        if self._witness is not None:
            self._witness.listen(block, begins)
        if self._record is not None:
            self._record.write(self._gain.apply(block))

    def set_volume(self, percent: int) -> None:
        """Set the loudness, 0 to 100."""
        self._gain.set_volume(percent)

    def close(self) -> None:
        """Finish the record."""
        if self._record is not None:
            self._record.close()
