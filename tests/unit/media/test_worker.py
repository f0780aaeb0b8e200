"""The worker without its process: commands in, reports out, on real sockets."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from board import open_board
from firmware.call.media import PCMU, Channel, Direction, Format, Kind
from firmware.media import worker as module
from firmware.media.link import ReportReader, send_command
from firmware.media.message import (
    Alive,
    Apply,
    AudioTick,
    Command,
    Configure,
    DeviceFailed,
    DeviceRestored,
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
    Statistics,
    Stop,
    TakeScreenshot,
    Volume,
)
from firmware.media.scene import Scene
from firmware.net.ports import PortPool


class Room:
    """The other end of a worker that runs in a thread of this process."""

    def __init__(self, **settings: str) -> None:
        self.reports: list[Report] = []
        self.commands, commands = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._reports, reports = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        board = open_board("sim", {"microphone": "silence", "display_width": 320, "display_height": 180} | settings)
        arguments = (board, commands.detach(), reports.detach())
        self.worker = threading.Thread(target=module.run, args=arguments, daemon=True)
        self.worker.start()
        threading.Thread(target=self._read, daemon=True).start()

    def tell(self, command: Command, *descriptors: int) -> None:
        send_command(self.commands, command, descriptors)

    def has(self, kind: type[Report]) -> bool:
        return any(isinstance(report, kind) for report in self.reports)

    def _read(self) -> None:
        reader = ReportReader()
        while data := self._reports.recv(65_536):
            self.reports += reader.receive(data)


@pytest.fixture
def room() -> Iterator[Room]:
    interval = sys.getswitchinterval()
    room = Room()
    yield room
    room.commands.close()
    room.worker.join(10)
    assert not room.worker.is_alive()
    sys.setswitchinterval(interval)


def test_it_is_ready_only_once_configured(room: Room, eventually) -> None:
    assert room.reports == []
    room.tell(Configure())
    eventually(lambda: room.has(Alive))
    assert room.reports[0] == Ready()
    room.tell(Stop())
    room.worker.join(10)
    assert not room.worker.is_alive()


def test_a_room_that_goes_before_it_says_anything() -> None:
    room = Room()
    room.commands.close()
    room.worker.join(10)
    assert not room.worker.is_alive()
    assert room.reports == []


def test_every_command_is_taken(room: Room, ports: PortPool, eventually) -> None:
    port = ports.reserve("127.0.0.1")
    channels = tuple(
        Channel(Kind.AUDIO, direction, (Format(0, PCMU),), port.address, ("127.0.0.1", 9))
        for direction in (Direction.SEND, Direction.RECEIVE)
    )
    room.tell(Configure())
    room.tell(Apply("1", channels), port.rtp.fileno(), port.rtcp.fileno())
    room.tell(Mute(True))
    room.tell(Volume(30))
    room.tell(SendDigits("1", "5"))
    room.tell(ForceKeyFrame("1"))
    room.tell(ForceKeyFrame("unknown"))
    room.tell(FreezePicture("1"))
    room.tell(FreezePicture("unknown"))
    room.tell(SendDigits("unknown", "5"))
    room.tell(Apply("unknown", ()))
    room.tell(Show(Scene()))
    room.tell(MoveCamera(1.0, 0.0, 0.0, 0.1))
    room.tell(PointCamera(None, None, 0.5))
    eventually(lambda: room.has(Statistics) and room.has(AudioTick))
    room.tell(TakeScreenshot(7, "png", 32, 18))
    eventually(lambda: room.has(Screenshot))
    (shot,) = [report for report in room.reports if isinstance(report, Screenshot)]
    assert (shot.number, shot.image[:4]) == (7, b"\x89PNG")
    room.tell(Apply("1", ()))
    before = len(room.reports)
    eventually(lambda: sum(isinstance(report, Alive) for report in room.reports[before:]) > 3)
    port.rtp.fileno()  # the room's own sockets are untouched


def test_what_is_no_command_is_skipped(room: Room, eventually) -> None:
    room.tell(Configure())
    room.commands.send(b"\x93rubbish")
    room.tell(TakeScreenshot(1, "tiff", 10_000_000, -5))
    eventually(lambda: room.has(Screenshot))
    assert Screenshot(1, b"") in room.reports
    eventually(lambda: room.has(Alive))


def test_devices_that_come_and_go_without_a_call_are_told(
    eventually, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_TIME", 0.02)
    film = tmp_path / "film.mp4"
    room = Room(camera=str(film))
    room.tell(Configure())
    gone = DeviceFailed("camera", f"the film {film} can't be opened: No such file or directory")
    eventually(lambda: gone in room.reports)
    film.touch()
    eventually(lambda: DeviceRestored("camera") in room.reports)
    film.unlink()
    eventually(lambda: room.reports.count(gone) == 2)
    room.commands.close()
    room.worker.join(10)


def test_a_unit_that_echoes_misses_no_camera(eventually, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_TIME", 0.02)
    room = Room(camera="/nowhere/film.mp4")
    room.tell(Configure(echo=True))
    eventually(lambda: sum(isinstance(report, Alive) for report in room.reports) > 1)
    assert not room.has(DeviceFailed)
    room.commands.close()
    room.worker.join(10)


def test_a_worker_with_a_stuck_thread_ends(room: Room, eventually, monkeypatch: pytest.MonkeyPatch) -> None:
    room.tell(Configure())
    eventually(lambda: room.has(Alive))
    monkeypatch.setattr(module, "DEAD", -1.0)  # from now on every thread is late
    room.worker.join(10)
    assert not room.worker.is_alive()
