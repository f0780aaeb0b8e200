"""The microphone and the speaker: ALSA in blocks of 10 ms.

::

    card ─10 ms─▶ kernel's buffer ─▶ read()            write() ─▶ kernel's buffer ─10 ms─▶ card
                  (0.3 s for a late reader)                       (80 ms, 40 of them silence at the start)

Rule 1: the microphone's card is the clock; a block that it has is given at once, so a late reader catches up.
Rule 2: what ran over or dry is made ready again and counted, never an error; the log tells the first and the sum.
Rule 3: the speaker begins with 40 ms of silence, also after it ran dry, to be ahead of small delays.  Two cards have
two clocks: `drift` keeps that lead.
Rule 4: ``taken`` is when the kernel had the sound, not when a thread came to fetch it.
Rule 5: a card of another rate is used at its own; `sound_rate` converts.
Rule 6: a card that was pulled out, or gives nothing for a second, is a DeviceError; who opens it anew takes what is
there then.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from board.pi.alsa import XRUN, Alsa
from board.pi.drift import Drift
from board.pi.sound_rate import converter
from board.pi.volume import open_volume
from firmware.errors import DeviceError
from firmware.ports import BLOCK_BYTES, BLOCK_TIME, SAMPLE_RATE

if TYPE_CHECKING:
    from board.pi.sound_card import SoundCard

logger = logging.getLogger(__name__)

_PATIENCE = 30
"""Blocks that the card keeps for a late reader."""
_ROOM = 8
"""Blocks that the card keeps until they are played."""
_HEAD_START = 4
"""Blocks of silence."""
_SILENT = 1.0
"""Seconds without sound after which a microphone has failed."""


class AlsaMicrophone:
    """A `firmware.ports.Microphone`."""

    def __init__(self, card: SoundCard) -> None:
        self.taken = time.monotonic()
        self._alsa = Alsa(card, hears=True, periods=_PATIENCE)
        self._convert = converter(self._alsa.rate, SAMPLE_RATE)
        self._waiting = bytearray()
        self._until = self.taken
        """Until when that is heard, s."""
        self._overruns = _Count(f"microphone: {self._alsa.name}", "lost sound because nobody fetched it")
        self._closed = False
        self._reading = threading.Lock()

    def read(self) -> bytes:
        """Wait for the next block and give it; b"" once closed.  DeviceError: the card is gone, or gives nothing."""
        with self._reading:
            while not self._closed:
                if len(self._waiting) >= BLOCK_BYTES:
                    self.taken = self._until - len(self._waiting) / 2 / SAMPLE_RATE
                    block = bytes(self._waiting[:BLOCK_BYTES])
                    del self._waiting[:BLOCK_BYTES]
                    return block
                count, sound = self._alsa.read()
                if count == XRUN:
                    self._overruns.add()
                elif count > 0:
                    self._waiting += self._convert(sound)
                    self._until = self._alsa.heard_until()
                elif not self._alsa.wait(_SILENT) and not self._closed:
                    raise DeviceError(f"the sound card {self._alsa.name} gives no sound")
            return b""

    def close(self) -> None:
        """Let ``read`` return, and release the card."""
        if self._closed:
            return
        self._closed = True
        self._alsa.interrupt()
        with self._reading:
            self._overruns.tell()
            self._alsa.close()


class AlsaSpeaker:
    """A `firmware.ports.Speaker`."""

    def __init__(self, card: SoundCard) -> None:
        self._alsa = Alsa(card, hears=False, periods=_ROOM)
        self._convert = converter(SAMPLE_RATE, self._alsa.rate)
        self._head_start = bytes(_HEAD_START * round(self._alsa.rate * BLOCK_TIME) * 2)
        self._drift = Drift(_HEAD_START * BLOCK_TIME)
        self._volume = open_volume(card)
        self._underruns = _Count(f"speaker: {self._alsa.name}", "ran dry")
        self._playing = False
        self._closed = False
        self._writing = threading.Lock()
        self.delay = _HEAD_START * BLOCK_TIME

    def write(self, block: bytes) -> None:
        """Play a block after those before it, drop it where there is no room.  DeviceError: the card is gone."""
        with self._writing:
            if self._closed:
                return
            if not self._playing:
                self._playing = True
                self._alsa.write(self._head_start)
            waiting = self._alsa.waiting()
            if waiting is not None:
                self.delay = waiting
                block = self._drift.correct(block, waiting)
            sound = self._convert(self._volume.apply(block))
            if self._alsa.write(sound) == XRUN:
                self._underruns.add()
                self._drift.restart()
                self._alsa.write(self._head_start)
                self._alsa.write(sound)

    def set_volume(self, percent: int) -> None:
        """Set the loudness, 0 to 100: the card's own where it has one."""
        with self._writing:
            if not self._closed:
                self._volume.set_volume(percent)

    def close(self) -> None:
        """Stop at once, and release the card."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            self._underruns.tell()
            self._volume.close()
            self._alsa.close()


class _Count:
    """Counts what is no error as long as it is rare."""

    def __init__(self, who: str, what: str) -> None:
        self._who, self._what = who, what
        self._times = 0

    def add(self) -> None:
        self._times += 1
        if self._times == 1:
            logger.info("%s %s", self._who, self._what)

    def tell(self) -> None:
        if self._times > 1:
            logger.info("%s %s, %d times in all", self._who, self._what, self._times)
