"""The media process: takes commands, owns the devices and the sessions.

The main thread reads commands and hands them on; four times a second it says that the process is alive, if every
thread that should have done something lately has.  A process that goes on without its network thread, or that a
hostile picture keeps busy for ever, ends, and is replaced by the room.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import queue
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from firmware.media import dtls
from firmware.media.audio import Audio
from firmware.media.border import attempt
from firmware.media.camera import CameraFeed
from firmware.media.compositor import Compositor
from firmware.media.fault import Fault
from firmware.media.link import ReportWriter, receive_command
from firmware.media.message import (
    Alive,
    Apply,
    Command,
    Configure,
    ForceKeyFrame,
    FreezePicture,
    MoveCamera,
    Mute,
    PointCamera,
    Ready,
    Report,
    Screenshot,
    SendDigits,
    Show,
    Stop,
    TakeScreenshot,
    Volume,
    own_addresses,
)
from firmware.media.network import Network
from firmware.media.session import MediaSession
from firmware.media.studio import Studio
from firmware.ports import View

if TYPE_CHECKING:
    from firmware.ports import Board

logger = logging.getLogger(__name__)

ALIVE_INTERVAL = 0.25
"""Seconds between two signs of life."""
QUIET = 1.0
"""Seconds after which a thread that should have done something does not: a microphone is then closed."""
DEAD = 3.0
"""Seconds after which such a thread will never come back: the process ends."""
LOOK_TIME = 2.0
"""Seconds between two looks at which devices are there."""
SWITCH_INTERVAL = 0.0001
"""Seconds that Python code runs on while another thread wants to: the audio tick waits for no longer than this."""


NICE = -10
"""Of the whole process, where that is permitted."""


def run(board: Board, command_fd: int, report_fd: int) -> None:
    """Do what comes down *command_fd* until it is closed; report by *report_fd*."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    with contextlib.suppress(OSError):
        # Whoever holds the interpreter's lock must get a processor, or the audio thread waits with it.
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    report = ReportWriter(socket.socket(fileno=report_fd))
    with socket.socket(fileno=command_fd) as commands:
        first = receive_command(commands)
        if first is None or not isinstance(first[0], Configure):
            return
        worker = Worker(board, first[0], report)
        # All that exists now stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        report(Ready())
        if not worker.serve(commands):
            return  # in order would take for ever: a stuck thread can't be waited for
        worker.stop()
    board.close()


class Looking(Protocol):
    """What has devices that may be missing."""

    def look(self) -> None:
        """See whether those that nobody uses are there."""


class Worker:
    """Everything in the media process."""

    def __init__(self, board: Board, configure: Configure, report: Callable[[Report], None]) -> None:
        self._report = report
        self._network = Network()
        self._audio = Audio(board, configure.echo, report)
        self._compositor = Compositor(board, report)
        self._camera = CameraFeed(
            lambda: board.open_camera(configure.width, configure.height, configure.frame_rate),
            Fault("camera", board.look_for, report),
            report,
            absent="camera" in board.absent,
        )
        self._camera.watch(self._compositor.self_view())
        self._studio = Studio(configure, self._network, self._camera, self._compositor, report, board.open_decoder)
        self._sessions: dict[str, MediaSession] = {}
        self._screenshots: queue.Queue[TakeScreenshot] = queue.Queue(maxsize=4)
        threading.Thread(target=self._take_screenshots, name="screenshots", daemon=True).start()
        self._stopped = threading.Event()
        devices = (self._audio, self._compositor) if configure.echo else (self._audio, self._compositor, self._camera)
        threading.Thread(target=self._look_out, args=(devices,), name="lookout", daemon=True).start()

    def serve(self, commands: socket.socket) -> bool:
        """Do what comes until Stop, or until the room has gone; False: a thread is stuck, nothing can be done."""
        poll = select.poll()
        poll.register(commands, select.POLLIN)
        due = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= due:
                due = now + ALIVE_INTERVAL
                if not self._is_alive(now):
                    return False
                self._report(Alive())
            if not poll.poll(max(0.0, due - now) * 1000):
                continue
            try:
                received = receive_command(commands)
            except msgspec.MsgspecError:
                logger.exception("A command can't be read")
                continue
            if received is None or isinstance(received[0], Stop):
                return True
            self.do(*received)

    def do(self, command: Command, descriptors: list[int]) -> None:
        """Do a command; *descriptors* are those that came with it."""
        match command:
            case Apply():
                self._apply(command, descriptors)
            case Mute(on=on):
                self._audio.muted = on
            case Volume(percent=percent):
                self._audio.set_volume(percent)
            case SendDigits(call_id=call_id, digits=digits) if call_id in self._sessions:
                self._sessions[call_id].send_digits(digits)
            case ForceKeyFrame(call_id=call_id) if call_id in self._sessions:
                self._network.call(self._sessions[call_id].force_key_frame)
            case FreezePicture(call_id=call_id) if call_id in self._sessions:
                self._network.call(self._sessions[call_id].freeze_picture)
            case Show(scene=scene):
                self._compositor.show(scene)
            case MoveCamera(pan=pan, tilt=tilt, zoom=zoom, seconds=seconds):
                self._camera.control.move({"pan": pan, "tilt": tilt, "zoom": zoom}, seconds)
            case PointCamera(pan=pan, tilt=tilt, zoom=zoom):
                self._camera.control.go_to(View(pan, tilt, zoom))
            case TakeScreenshot(number=number):
                try:
                    self._screenshots.put_nowait(command)
                except queue.Full:
                    self._report(Screenshot(number, b""))

    def stop(self) -> None:
        """End all calls and release the devices."""
        self._stopped.set()
        for session in self._sessions.values():
            self._network.call(session.close)
        self._sessions.clear()
        self._audio.stop()
        self._compositor.stop()
        self._network.stop()

    def _apply(self, command: Apply, descriptors: list[int]) -> None:
        addresses = own_addresses(command)
        opened = [_socket(number) for number in descriptors]
        sockets = dict(zip(addresses, zip(opened[::2], opened[1::2], strict=True), strict=True))
        session = self._sessions.get(command.call_id)
        if not command.channels:
            if session is not None:
                del self._sessions[command.call_id]
                self._use_sound()
                self._network.call(session.close)
                if not self._sessions:
                    _give_back_memory()
            return
        if session is None:
            session = self._network.call(lambda: MediaSession(command.call_id, self._studio))
            self._sessions[command.call_id] = session
        if any(channel.handshake is not None for channel in command.channels):
            dtls.prepare()
        chosen = session
        self._network.call(lambda: chosen.apply(command.channels, sockets))
        self._use_sound()

    def _use_sound(self) -> None:
        sounds = {call_id: session.sound for call_id, session in self._sessions.items()}
        self._audio.use({call_id: sound for call_id, sound in sounds.items() if sound is not None})

    def _is_alive(self, now: float) -> bool:
        """Whether every thread does its work; a microphone that keeps the audio thread waiting is closed before."""
        audio_late = 0.0 if self._audio.idle else now - self._audio.tick_time
        if audio_late > QUIET:
            self._audio.rescue()
        decoding = (since for session in self._sessions.values() if (since := session.decoding_since) is not None)
        late = max(audio_late, now - self._network.beat, now - min(decoding, default=now))
        if late >= DEAD:
            logger.error("A media thread has been stuck for %.1f s", late)
        return late < DEAD

    def _look_out(self, devices: Sequence[Looking]) -> None:
        """Look for devices that nobody uses, in a thread of its own: it may take a while."""
        while not self._stopped.wait(LOOK_TIME):
            for each in devices:
                attempt("Looking for a device", each.look)

    def _take_screenshots(self) -> None:
        while True:
            wanted = self._screenshots.get()
            if attempt("A screenshot", self._take_screenshot, wanted) is not None:
                self._report(Screenshot(wanted.number, b""))

    def _take_screenshot(self, wanted: TakeScreenshot) -> None:
        image = self._compositor.screenshot(wanted.format, wanted.width, wanted.height)
        self._report(Screenshot(wanted.number, image))


def _give_back_memory() -> None:
    """Return what a call took: the unit is idle most of the day."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc keeps freed memory by itself; other C libraries have no such call


def _socket(number: int) -> socket.socket:
    sock = socket.socket(fileno=number)
    sock.setblocking(False)
    os.set_inheritable(number, False)
    return sock
