"""One direction of a sound card, opened without blocking so that it can be closed while somebody waits for it.

pyalsaaudio gives the kernel's periods of 10 ms; a card that has others is asked for the nearest, and what comes is cut
into blocks by the user of this.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from firmware.errors import DeviceError
from firmware.ports import BLOCK_TIME, SAMPLE_RATE

if TYPE_CHECKING:
    from board.pi.sound_card import SoundCard

PERIOD = round(SAMPLE_RATE * BLOCK_TIME)
"""Samples."""
XRUN = -32
"""-EPIPE: what pyalsaaudio gives when the buffer ran over or dry; it has made the card ready again by then."""


class Alsa:
    """A stream of mono sound to or from a card, with ``periods`` of 10 ms in its buffer.

    DeviceError: the card is missing, busy or lost.
    """

    def __init__(self, card: SoundCard, *, hears: bool, periods: int) -> None:
        try:
            import alsaaudio
        except ImportError as error:
            raise DeviceError(f"there is no sound: {error}") from error
        self.name = f"{card.name} ({card.title})" if card.title else card.name
        self._error: type[Exception] = alsaaudio.ALSAAudioError
        try:
            self._pcm: Any = alsaaudio.PCM(
                alsaaudio.PCM_CAPTURE if hears else alsaaudio.PCM_PLAYBACK,
                alsaaudio.PCM_NONBLOCK,
                device=card.device(hears=hears),
                rate=SAMPLE_RATE,
                channels=1,
                format=alsaaudio.PCM_FORMAT_S16_LE,
                periodsize=PERIOD,
                periods=periods,
            )
        except self._error as error:
            raise DeviceError(f"the sound card {self.name} can't be opened: {error}") from error
        info = self._pcm.info()
        if (info["rate"], info["channels"], info["format"]) != (SAMPLE_RATE, 1, alsaaudio.PCM_FORMAT_S16_LE):
            self._pcm.close()
            raise DeviceError(f"the sound card {self.name} does not take mono at {SAMPLE_RATE} Hz")
        self._descriptors: list[tuple[int, int]] = self._pcm.polldescriptors()
        self._wake = os.eventfd(0)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)
        for descriptor, events in self._descriptors:
            self._poll.register(descriptor, events)
        self._closing = False

    def wait(self, seconds: float) -> bool:
        """Wait until there is sound or room; False: nothing happened, or `interrupt` was called."""
        events = self._poll.poll(seconds * 1000)
        return not self._closing and bool(events)

    def read(self) -> tuple[int, bytes]:
        """What there is, at most a period: samples (0: nothing yet; XRUN: some was lost) and their bytes."""
        try:
            read: tuple[int, bytes] = self._pcm.read()
        except self._error as error:
            raise DeviceError(f"the sound card {self.name} is lost: {error}") from error
        return read

    def write(self, sound: bytes) -> int:
        """Give sound to play: samples taken (0: there is no room; XRUN: it had run dry, and took nothing)."""
        try:
            taken: int = self._pcm.write(sound)
        except self._error as error:
            raise DeviceError(f"the sound card {self.name} is lost: {error}") from error
        return taken

    def interrupt(self) -> None:
        """Let `wait` return, now and ever after; any thread may ask."""
        self._closing = True
        with suppress(OSError):
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Release the card; nobody may be waiting."""
        with suppress(self._error):
            self._pcm.drop()  # close alone would wait until all is played
        with suppress(self._error):
            self._pcm.close()
        os.close(self._wake)
