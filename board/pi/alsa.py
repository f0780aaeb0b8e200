"""One direction of a sound card, opened without blocking so that it can be closed while somebody waits for it.

Rule 1: the card's own rate is used, the nearest to the firmware's; whoever uses this converts.
Rule 2: the kernel is asked for periods of 10 ms; a card that has others is asked for the nearest, and what comes is cut
into blocks by the user of this.
Rule 3: the kernel says when it looked at the card last, and what the card had then (htimestamp).  From that follows
when a sample was heard, or will be, whenever the thread that asks has its turn.
"""

from __future__ import annotations

import errno
import os
import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from firmware.errors import DeviceError
from firmware.ports import BLOCK_TIME, SAMPLE_RATE

if TYPE_CHECKING:
    from board.pi.sound_card import SoundCard

_OLDEST = 1.0
"""Seconds since the kernel's last look at a running card at most; pyalsaaudio does not tell when there was none."""
XRUN = -32
"""-EPIPE: what pyalsaaudio gives when the buffer ran over or dry; it has made the card ready again by then."""


class Alsa:
    """A stream of mono sound to or from a card, with ``periods`` of 10 ms in its buffer.

    DeviceError: the card is missing, busy or lost; by OSError ENODEV, if it was pulled out.
    """

    def __init__(self, card: SoundCard, *, hears: bool, periods: int) -> None:
        try:
            import alsaaudio
        except ImportError as error:
            raise DeviceError(f"there is no sound: {error}") from error
        self.name = f"{card.name} ({card.title})" if card.title else card.name
        self._error: type[Exception] = alsaaudio.ALSAAudioError
        kind = alsaaudio.PCM_CAPTURE if hears else alsaaudio.PCM_PLAYBACK
        try:
            self.rate = _own_rate(alsaaudio, kind, card.hardware(hears=hears))
            """Hz."""
            self._pcm: Any = alsaaudio.PCM(
                kind,
                alsaaudio.PCM_NONBLOCK,
                device=card.device(hears=hears),
                rate=self.rate,
                channels=1,
                format=alsaaudio.PCM_FORMAT_S16_LE,
                periodsize=round(self.rate * BLOCK_TIME),
                periods=periods,
            )
        except self._error as error:
            raise DeviceError(f"the sound card {self.name} can't be opened: {error}") from error
        info = self._pcm.info()
        if (info["rate"], info["channels"], info["format"]) != (self.rate, 1, alsaaudio.PCM_FORMAT_S16_LE):
            self._pcm.close()
            raise DeviceError(f"the sound card {self.name} does not take mono at {self.rate} Hz")
        self._buffer: int = info["buffer_size"]
        with suppress(RuntimeError):  # then the time of asking must do
            self._pcm.set_tstamp_mode(alsaaudio.PCM_TSTAMP_ENABLE)
            self._pcm.set_tstamp_type(alsaaudio.PCM_TSTAMP_TYPE_MONOTONIC)
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
            raise DeviceError(f"the sound card {self.name} is lost: {error}") from _cause(error)
        return read

    def write(self, sound: bytes) -> int:
        """Give sound to play: samples taken (0: there is no room; XRUN: it had run dry, and took nothing)."""
        try:
            taken: int = self._pcm.write(sound)
        except self._error as error:
            raise DeviceError(f"the sound card {self.name} is lost: {error}") from _cause(error)
        return taken

    def heard_until(self) -> float:
        """Until when what was read is heard: s, CLOCK_MONOTONIC."""
        seen = self._look()
        return time.monotonic() if seen is None else seen[0] - seen[1] / self.rate

    def waiting(self) -> float | None:
        """How much of what was written is still to be played, s; None: the card does not tell."""
        seen = self._look()
        return None if seen is None else (self._buffer - seen[1]) / self.rate - (time.monotonic() - seen[0])

    def _look(self) -> tuple[float, int] | None:
        """When the kernel looked at the card last, and how many samples could then be read or written."""
        seconds, nanoseconds, samples = self._pcm.htimestamp()
        looked, now = seconds + nanoseconds * 1e-9, time.monotonic()
        return (looked, samples) if now - _OLDEST < looked <= now and 0 <= samples <= self._buffer else None

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


def _cause(error: Exception) -> Exception:
    """What the kernel said; pyalsaaudio has only the words of it."""
    gone = os.strerror(errno.ENODEV)
    return OSError(errno.ENODEV, gone) if str(error).startswith(gone) else error


def _own_rate(alsaaudio: Any, kind: int, hardware: str) -> int:
    """The nearest to SAMPLE_RATE that the card has itself."""
    if not hardware:
        return SAMPLE_RATE
    try:
        pcm = alsaaudio.PCM(kind, alsaaudio.PCM_NONBLOCK, device=hardware, rate=SAMPLE_RATE)
    except alsaaudio.ALSAAudioError:
        return SAMPLE_RATE  # opening it for use says what is wrong
    rate: int = pcm.info()["rate"]
    pcm.close()
    return rate
