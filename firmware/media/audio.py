"""The audio thread: every 10 ms one block from the microphone, one to the speaker, one to and one from every far end.

::

    microphone ──read──▶ ┐                     ┌──▶ speaker
    far ends ───pull───▶ ┴▶ mixer: who hears whom ┴──push──▶ far ends

Rule 1: the microphone's clock is the beat.  Where there is none (absent, missing, failed, or the unit echoes), time is.
Rule 2: nothing in a tick waits: not for a lock held long, not for the network, not for a device but the microphone.
Rule 3: devices are open only while there is a far end.
Rule 4: a channel whose sound can't be coded is left out and reported; all others go on.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from firmware.call.media import Direction
from firmware.errors import DeviceError
from firmware.media.border import attempt
from firmware.media.device import Device
from firmware.media.fault import Fault
from firmware.media.lateness import Lateness
from firmware.media.message import Report
from firmware.media.mixer import ROOM, heard_by, mix
from firmware.ports import BLOCK_BYTES, BLOCK_TIME

if TYPE_CHECKING:
    from firmware.media.audio_receive import AudioReceiver
    from firmware.media.audio_send import AudioSender
    from firmware.ports import Board, Microphone, Speaker

PRIORITY = 10
"""Of SCHED_FIFO, 1 to 99; above everything ordinary, below the kernel's own threads."""
NICE = -11
"""What sound servers take where real time is not permitted."""
_SILENCE = bytes(BLOCK_BYTES)


@dataclass(frozen=True, slots=True)
class FarEnd:
    """The sound of one call, by direction."""

    receiver: AudioReceiver | None
    sender: AudioSender | None
    on_failed: Callable[[Direction, Exception], None]
    """Called in the audio thread with what ended this direction."""


class Audio:
    """All sound of the unit."""

    def __init__(self, board: Board, echo: bool, report: Callable[[Report], None]) -> None:
        self.muted = False
        self.tick_time = time.monotonic()
        """When the last tick began; `idle` says whether there are any."""
        self._echo = echo
        self._report = report
        self._microphone: Device[Microphone] = Device(
            board.open_microphone,
            Fault("microphone", board.look_for, report),
            absent="microphone" in board.absent,
        )
        self._speaker: Device[Speaker] = Device(
            board.open_speaker, Fault("speaker", board.look_for, report), absent="speaker" in board.absent
        )
        self._volume: int | None = None
        self._delay = 0.0
        """From the tick until it is heard, s."""
        self._loudness: tuple[Speaker, int | None] | None = None
        """The speaker that was written to, and the volume it was told."""
        self._far_ends: Mapping[str, FarEnd] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._taken = 0.0
        """When the microphone's last block began, s."""
        self._next = 0.0
        """When the next tick is due where there is no microphone."""
        self._thread = threading.Thread(target=self._run, name="audio", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether there is nobody to hear."""
        return not self._far_ends

    def use(self, far_ends: Mapping[str, FarEnd]) -> None:
        """Make these the far ends, from the next tick on."""
        with self._changed:
            if not self._far_ends:
                self.tick_time = time.monotonic()
            self._far_ends = dict(far_ends)
            self._changed.notify()
            if not far_ends:
                self._microphone.close()  # lets a read return

    def set_volume(self, percent: int) -> None:
        """Set how loud the speaker is, 0 to 100."""
        self._volume = percent

    def rescue(self) -> None:
        """Close a microphone that no longer gives anything, so that the tick goes on by time; any thread may ask."""
        self._microphone.fail(DeviceError("it gives no sound"))

    def look(self) -> None:
        """See whether the devices are there, while nobody is to be heard."""
        if self.idle and not self._echo:
            self._microphone.look()
            self._speaker.look()

    def stop(self) -> None:
        """End the thread and release the devices."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._microphone.close()
        self._thread.join(1.0)

    def _run(self) -> None:
        _raise_priority()
        while not self._stopped:
            with self._changed:
                while not self._far_ends and not self._stopped:
                    self._changed.wait()
            error = attempt("The audio tick", self._sound)
            if error is not None:
                self._microphone.fail(error)
                time.sleep(BLOCK_TIME)
            self._microphone.close()
            self._speaker.close()

    def _sound(self) -> None:
        """Tick until nobody is there."""
        lateness = Lateness(BLOCK_TIME, self._report)
        self._next = time.monotonic()
        while self._far_ends and not self._stopped:
            block = self._read()
            now = self.tick_time = time.monotonic()
            lateness.tick(now)
            self._tick(block, now, now if block is None else self._taken)

    def _tick(self, block: bytes | None, now: float, taken: float) -> None:
        """Give everybody what he is to hear; *taken* is when the room's sound began, or what there is instead."""
        far_ends = self._far_ends
        sounds: dict[str, bytes | None] = {ROOM: None if self.muted else block}
        for name, far in far_ends.items():
            sounds[name] = None
            if far.receiver is not None:
                error = attempt("Receiving sound", _pull, far.receiver, now, now + self._delay, sounds, name)
                if error is not None:
                    self._leave_out(name, replace(far, receiver=None), Direction.RECEIVE, error)
        for name, far in far_ends.items():
            if far.sender is not None:
                sound = mix([sounds[source] for source in heard_by(name, far_ends, self._echo)])
                error = attempt("Sending sound", far.sender.push, sound, taken)
                if error is not None:
                    self._leave_out(name, replace(far, sender=None), Direction.SEND, error)
        if not self._echo:
            self._write(mix([sounds[source] for source in heard_by(ROOM, far_ends, self._echo)]))

    def _leave_out(self, name: str, rest: FarEnd, direction: Direction, error: Exception) -> None:
        """Go on with the rest of a far end, until `use` says otherwise."""
        with self._changed:
            if name in self._far_ends:
                self._far_ends = {**self._far_ends, name: rest}
        rest.on_failed(direction, error)

    def _read(self) -> bytes | None:
        """Wait for the tick; give the microphone's block where there is one."""
        microphone = None if self._echo else self._microphone.get()
        if microphone is not None:
            try:
                block = microphone.read()
            except DeviceError as error:
                self._microphone.fail(error)
            else:
                if block:
                    self._microphone.works()
                    self._taken = microphone.taken
                    self._next = time.monotonic() + BLOCK_TIME
                    return block
        wait = self._next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        elif wait < -0.1:
            self._next -= wait  # far behind: the time is lost
        self._next += BLOCK_TIME
        return None

    def _write(self, block: bytes | None) -> None:
        speaker = self._speaker.get()
        if speaker is None:
            return
        try:
            if self._loudness != (speaker, self._volume):
                self._loudness = (speaker, self._volume)
                if self._volume is not None:
                    speaker.set_volume(self._volume)
            speaker.write(block or _SILENCE)
            self._delay = speaker.delay
        except DeviceError as error:
            self._speaker.fail(error)
        else:
            self._speaker.works()


def _pull(receiver: AudioReceiver, now: float, heard: float, sounds: dict[str, bytes | None], name: str) -> None:
    sounds[name] = receiver.pull(now, heard)


def _raise_priority() -> None:
    """Let this thread run before all others where that is permitted: real time, else niceness."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
        return
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
