"""The room's side of the media: keeps a worker process running and tells it what to do.

The engine remembers everything that it was told (channels, mute, volume, scene), so a worker that dies is replaced by
one that is told the same.  A worker is dead when its process has ended, when it takes none of its commands for a while
(`backlog`) or when it has not said for `SILENCE` seconds that it is alive.  The command line it is started with gets
two arguments more, ``--command-fd N --report-fd N``, for `worker.run`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import msgspec

from firmware.call.media import Channel, Direction
from firmware.errors import DecodeError, DeviceError, FirmwareError
from firmware.media.backlog import Backlog
from firmware.media.calm import Calm
from firmware.media.link import ReportReader
from firmware.media.message import (
    Alive,
    Apply,
    AudioTick,
    CameraView,
    Command,
    Configure,
    ForceKeyFrame,
    FreezePicture,
    Gone,
    MoveCamera,
    Mute,
    PointCamera,
    Ready,
    Report,
    Screenshot,
    Secured,
    SendDigits,
    Show,
    Statistics,
    Stop,
    TakeScreenshot,
    Volume,
    WayFound,
    own_addresses,
)
from firmware.media.scene import Scene
from firmware.ports import View
from firmware.sansio import Address

logger = logging.getLogger(__name__)

SILENCE = 2.5
"""Seconds without a report after which a worker counts as dead; it says four times a second that it is alive, but a
machine with more to do than it can may hold that up.  One that has ended is known to be dead at once."""
START_TIME = 30.0
"""Seconds that a worker may take to get ready: a Pi with a cold SD card."""
STOP_TIME = 1.0
"""Seconds that a worker gets to end by itself."""
SCREENSHOT_TIME = 5.0
"""Seconds until a screenshot that has not come is given up."""
FIRST_DELAY, LONGEST_DELAY = 0.1, 10.0
"""Seconds before the second replacement in a row, and at most; it doubles, so one that always dies costs little."""
MAX_SECURED = 64
"""Streams whose keys and ways are remembered: two for each of the calls that a room can have."""
LONG_LIFE = 3.0
"""Seconds of life after which a death counts as the first again: whatever kills it at once would have by then."""

_ENVIRONMENT = {
    # Threads around C libraries would get an arena of glibc's each, and tens of megabytes would lie unused in them.
    "MALLOC_ARENA_MAX": "2",
    # A picture of 720p (1.4 MB) comes from the heap, again and again: fresh pages from the kernel each time made the
    # audio tick twice as late.  What is larger, a screenshot say, comes from the kernel and goes back at once.
    "MALLOC_MMAP_THRESHOLD_": "2000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000",
}


class Sockets(Protocol):
    """Where a channel's sockets come from (net.ports.PortPool)."""

    def sockets(self, address: Address) -> tuple[socket.socket, socket.socket]:
        """Give the RTP and the RTCP socket reserved at this address.  KeyError: none."""


class Engine:
    """The media of the room: one worker process, replaced when it dies.

    *command* is the worker's command line, *on_report* is called in the event loop with every report but `Alive` and
    `Screenshot`, and *ports* gives the sockets of the channels.
    """

    def __init__(
        self, command: Sequence[str], configure: Configure, ports: Sockets, on_report: Callable[[Report], None]
    ) -> None:
        self._command = list(command)
        self._configure = msgspec.structs.replace(configure, timeline=secrets.randbits(64))
        self._ports = ports
        self._on_report = on_report
        self._channels: dict[str, tuple[Channel, ...]] = {}
        self._secured: dict[tuple[str, Address], Secured] = {}
        """What the handshakes of the calls have come to; a call on hold has no channels, but goes on with its keys."""
        self._ways: dict[tuple[str, Address], WayFound] = {}
        """What the streams of the calls have found, on hold too."""
        self._mute = Mute(False)
        self._volume: Volume | None = None
        self._scene: Show | None = None
        self._calm = Calm(self._send)
        self._camera_view: CameraView | None = None
        """Where the camera last looked, of its own accord or told so."""
        self._statistics: dict[str, Statistics] = {}
        self._screenshots: dict[int, asyncio.Future[bytes]] = {}
        self._numbers = itertools.count(1)
        self._worker: _Worker | None = None
        self._task: asyncio.Task[None] | None = None
        self.audio_tick: AudioTick | None = None
        """How late the audio tick was in the last second of sound."""

    @property
    def running(self) -> bool:
        """Whether a worker is there and takes commands."""
        return self._worker is not None and self._worker.ready.is_set()

    @property
    def process_id(self) -> int | None:
        """The worker's process, or None while there is none."""
        return self._worker.process_id if self._worker is not None else None

    async def start(self) -> None:
        """Start the worker and wait until it is ready.  FirmwareError: it ends, or it is not ready in time."""
        worker = await self._spawn()
        if not await worker.wait_ready():
            await worker.end()
            self._worker = None
            raise FirmwareError(f"The media process does not start: {' '.join(self._command)}")
        self._told(worker)
        self._task = asyncio.create_task(self._keep_running(worker), name="media engine")

    async def stop(self) -> None:
        """End the worker in order, or by force when it does not end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._calm.close()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.send(Stop())
            await worker.end(STOP_TIME)
        self._forget_screenshots()

    def apply(self, call_id: str, channels: Iterable[Channel]) -> None:
        """Make these the channels of the call, all of them; none: the call's media end."""
        channels = tuple(channels)
        for channel in channels:
            self._keep_keys(call_id, channel)
        if channels:
            self._channels[call_id] = channels
        elif call_id not in self._channels:
            return  # as of each call that is refused
        else:
            del self._channels[call_id]
            self._statistics.pop(call_id, None)
        self._send(Apply(call_id, self._as_known(call_id, channels)))

    def _keep_keys(self, call_id: str, channel: Channel) -> None:
        """Let a stream that has moved have the keys that it had."""
        before = (call_id, channel.moved_from) if channel.moved_from is not None else None
        if before in self._secured:
            known = self._secured.pop(before)
            self._secured.setdefault((call_id, channel.local), msgspec.structs.replace(known, local=channel.local))

    def _as_known(self, call_id: str, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        """Give the channels with what the worker found out about them: it may be another than then.

        That is the keys that their handshakes have come to, and their ways.
        """
        filled = []
        for plain in channels:
            channel = self._with_way(call_id, plain)
            known = self._secured.get((call_id, channel.local))
            if known is None or known.handshake != channel.handshake:
                filled.append(channel)
            elif channel.direction is Direction.SEND:
                filled.append(replace(channel, crypto=known.send, return_crypto=known.receive))
            else:
                filled.append(replace(channel, crypto=known.receive, return_crypto=known.send))
        return tuple(filled)

    def _with_way(self, call_id: str, channel: Channel) -> Channel:
        way, ice = self._ways.get((call_id, channel.local)), channel.ice
        if way is None or ice is None or way.ice != (ice.ours.fragment, ice.theirs.fragment):
            return channel
        return replace(channel, ice=replace(ice, selected=way.selected))

    def send_digits(self, call_id: str, digits: str) -> None:
        """Send digits (``0-9 * # A-D``) as telephone events."""
        self._send(SendDigits(call_id, digits))

    def force_key_frame(self, call_id: str) -> None:
        """Send a key frame soon: the far end asked by signalling."""
        self._calm.send((ForceKeyFrame, call_id), ForceKeyFrame(call_id))

    def freeze_picture(self, call_id: str) -> None:
        """Show what the call shows now until the next key frame: the far end asked by signalling."""
        self._calm.send((FreezePicture, call_id), FreezePicture(call_id))

    def mute(self, on: bool) -> None:
        """Send silence instead of the microphone, or the microphone again."""
        self._mute = Mute(on)
        self._send(self._mute)

    def set_volume(self, percent: int) -> None:
        """Set how loud the speaker is, 0 to 100."""
        self._volume = Volume(percent)
        self._send(self._volume)

    def move_camera(self, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        """Move the camera for some time, from -1 (left, down, out) to 1; all 0: let it stand still."""
        self._send(MoveCamera(pan, tilt, zoom, seconds))

    def point_camera(self, view: View) -> None:
        """Let the camera look there."""
        self._send(PointCamera(view.pan, view.tilt, view.zoom))

    def show(self, scene: Scene) -> None:
        """Draw this scene from now on."""
        if self._scene is None or self._scene.scene != scene:
            self._scene = Show(scene)
            self._calm.send(Show, self._scene)

    def statistics(self, call_id: str) -> Statistics | None:
        """What the streams of a call did in the last second; None before the first report."""
        return self._statistics.get(call_id)

    async def screenshot(self, image_format: str, width: int, height: int) -> bytes:
        """Give what is on the screen as ``png`` or ``jpeg``.  DeviceError: there is no screen, or no answer."""
        number = next(self._numbers)
        future = asyncio.get_running_loop().create_future()
        self._screenshots[number] = future
        try:
            if not self._send(TakeScreenshot(number, image_format, width, height)):
                raise DeviceError("the media process is starting again")
            image: bytes = await asyncio.wait_for(future, SCREENSHOT_TIME)
        except TimeoutError:
            raise DeviceError("the screen gives no picture") from None
        finally:
            del self._screenshots[number]
        if not image:
            raise DeviceError("there is no screen")
        return image

    async def _keep_running(self, worker: _Worker) -> None:
        loop = asyncio.get_running_loop()
        delay = 0.0
        while True:
            began = loop.time()
            await worker.wait_dead()
            self._on_report(Gone(worker.why))
            await worker.end()
            self._worker = None
            self._forget_screenshots()
            logger.warning("The media process is gone (%s); starting it again", worker.why)
            if loop.time() - began > LONG_LIFE:
                delay = 0.0
            worker, delay = await self._replace(delay)

    async def _replace(self, delay: float) -> tuple[_Worker, float]:
        """Start workers until one gets ready; give it, and the delay before the next."""
        while True:
            await asyncio.sleep(delay)
            delay = min(max(delay * 2, FIRST_DELAY), LONGEST_DELAY)
            try:
                worker = await self._spawn()
            except (FirmwareError, OSError) as error:  # no descriptors left, say
                logger.error("%s", error)
                continue
            if await worker.wait_ready():
                self._told(worker)
                return worker, delay
            await worker.end()
            self._worker = None
            logger.error("The media process did not get ready (%s)", worker.why)

    async def _spawn(self) -> _Worker:
        self._worker = worker = await _Worker.spawn(self._command, self._received)
        worker.send(self._configure)
        return worker

    def _told(self, worker: _Worker) -> None:
        """Tell a new worker all that the one before knew."""
        if self._volume is not None:
            worker.send(self._volume)
        worker.send(self._mute)
        if self._camera_view is not None:
            worker.send(PointCamera(self._camera_view.pan, self._camera_view.tilt, self._camera_view.zoom))
        for call_id, channels in self._channels.items():
            try:
                self._send(Apply(call_id, self._as_known(call_id, channels)))
            except KeyError as error:
                logger.error("The sockets of call %s are gone: %s", call_id, error)
        if self._scene is not None:
            worker.send(self._scene)

    def _send(self, command: Command) -> bool:
        worker = self._worker
        if worker is None or not worker.ready.is_set():
            return False  # it is told everything once it is ready
        return worker.send(command, self._descriptors(command))

    def _descriptors(self, command: Command) -> list[int]:
        """The RTP and RTCP sockets of each of an Apply's `own_addresses`, in their order."""
        if not isinstance(command, Apply):
            return []
        return [sock.fileno() for address in own_addresses(command) for sock in self._ports.sockets(address)]

    def _received(self, report: Report) -> None:
        match report:
            case Screenshot(number=number, image=image):
                future = self._screenshots.get(number)
                if future is not None and not future.done():
                    future.set_result(image)
                return
            case Statistics(call_id=call_id):
                if call_id not in self._channels:
                    return
                self._statistics[call_id] = report
            case AudioTick():
                self.audio_tick = report
            case CameraView(axes=axes) if axes:
                self._camera_view = report
            case Secured(call_id=call_id, local=local):
                self._secured.pop((call_id, local), None)
                self._secured[call_id, local] = report
                while len(self._secured) > MAX_SECURED:
                    del self._secured[next(iter(self._secured))]
            case WayFound(call_id=call_id, local=local):
                self._ways.pop((call_id, local), None)
                self._ways[call_id, local] = report
                while len(self._ways) > MAX_SECURED:
                    del self._ways[next(iter(self._ways))]
        self._on_report(report)

    def _forget_screenshots(self) -> None:
        for future in self._screenshots.values():
            if not future.done():
                future.set_result(b"")


class _Worker:
    """One worker process, from its start to its end."""

    def __init__(self, process: asyncio.subprocess.Process, commands: socket.socket, reports: socket.socket) -> None:
        self.process_id = process.pid
        self.ready = asyncio.Event()
        self.why = ""
        """Why it counts as dead."""
        self._process = process
        self._commands = commands
        self._reports = reports
        self._dead = asyncio.Event()
        self._backlog = Backlog(commands, self.fail)
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        """When it last said something."""

    @classmethod
    async def spawn(cls, command: Sequence[str], on_report: Callable[[Report], None]) -> _Worker:
        """Start the process; `wait_ready` follows."""
        commands, their_commands = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        reports, their_reports = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        commands.setblocking(False)
        reports.setblocking(False)
        command_fd, report_fd = their_commands.fileno(), their_reports.fileno()
        with their_commands, their_reports:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    *("--command-fd", str(command_fd), "--report-fd", str(report_fd)),
                    pass_fds=(command_fd, report_fd),
                    stdin=asyncio.subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the room, which then stops the worker
                    env=_ENVIRONMENT | os.environ,
                )
            except (OSError, asyncio.CancelledError) as error:  # the engine may be stopped while it waits for this
                commands.close()
                reports.close()
                if isinstance(error, OSError):
                    raise FirmwareError(f"The media process does not start: {error}") from error
                raise
        self = cls(process, commands, reports)
        self._loop.add_reader(reports, self._read, ReportReader(), on_report)
        return self

    def send(self, command: Command, descriptors: Sequence[int] = ()) -> bool:
        """Give the worker a command, now or soon; False: it is dead, and nobody got it."""
        if self._dead.is_set():
            return False
        self._backlog.send(command, descriptors)
        return not self._dead.is_set()

    def fail(self, why: str) -> None:
        """Count it as dead from now on."""
        if not self._dead.is_set():
            self.why = why
            self._dead.set()
            self.ready.clear()
            self._backlog.close()
            self._loop.remove_reader(self._reports)

    async def wait_ready(self) -> bool:
        """Wait until it takes commands; False: it is dead, or too slow."""
        dead = asyncio.ensure_future(self._dead.wait())
        ready = asyncio.ensure_future(self.ready.wait())
        try:
            await asyncio.wait((dead, ready), timeout=START_TIME, return_when=asyncio.FIRST_COMPLETED)
        finally:
            dead.cancel()
            ready.cancel()
        return self.ready.is_set()

    async def wait_dead(self) -> None:
        """Wait until it is dead; watches that it says it is alive."""
        while not self._dead.is_set():
            due = self._heard + SILENCE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._dead.wait(), due - self._loop.time())
            now = self._loop.time()
            if now > due + 0.5:
                self._heard = now  # this loop itself was late: what the worker said in time may not be read yet
            elif now >= self._heard + SILENCE:
                self.fail("gives no sign of life")

    async def end(self, patience: float = 0.0) -> None:
        """Wait this long for the process to end, then end it.  Whoever is cancelled meanwhile leaves it to another."""
        self.fail("stopped")
        self._commands.close()  # it ends when it finds its commands closed, if it still can
        with contextlib.suppress(TimeoutError):
            if patience:
                await asyncio.wait_for(self._process.wait(), patience)
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._reports.close()

    def _read(self, reader: ReportReader, on_report: Callable[[Report], None]) -> None:
        try:
            data = self._reports.recv(262_144)
        except BlockingIOError:
            return
        except OSError as error:
            self.fail(str(error))
            return
        if not data:
            self.fail("ended")
            return
        self._heard = self._loop.time()
        try:
            for report in reader.receive(data):
                if isinstance(report, Ready):
                    self.ready.set()
                if not isinstance(report, Alive):
                    on_report(report)
        except DecodeError as error:
            self.fail(str(error))
