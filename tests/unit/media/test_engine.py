"""The room's side, with real worker processes: two units call each other on loopback.

Picture and sound are proven by what arrives: the test card's counter on the far end's screen, and the tone in the far
end's loudspeaker.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from dtls_ends import handshake
from ice_ends import agreed
from PIL import Image
from signals import find_tone, level

from board.sim.counter import read_counter
from firmware.call.ice import Ice
from firmware.call.media import (
    G722,
    H264_BASELINE,
    OPUS,
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    Channel,
    Crypto,
    Direction,
    Feedback,
    Format,
    Handshake,
    Kind,
    Suite,
)
from firmware.errors import DeviceError, FirmwareError
from firmware.media import engine as module
from firmware.media.codecs import available
from firmware.media.engine import Engine
from firmware.media.message import (
    CameraView,
    Configure,
    DigitReceived,
    Gone,
    NotSecured,
    Ready,
    Report,
    Secured,
    WayFound,
    WayLost,
)
from firmware.media.scene import FULL_SCREEN, FarEnd, Scene
from firmware.net.ports import MediaPort, PortPool
from firmware.ports import AXES, View
from firmware.rtp.packet import Packet

T = TypeVar("T")

ROOT = Path(__file__).parents[3]
SOUND = {"G722": Format(9, G722), "PCMU": Format(0, PCMU), "PCMA": Format(8, PCMA), "opus": Format(96, OPUS)}
EVENTS = Format(101, TELEPHONE_EVENT)
VIDEO = Format(97, H264_BASELINE)
FEEDBACK = frozenset({Feedback.PLI, Feedback.NACK})
TONES = {"here": 440, "there": 1_000}


def run(work: Coroutine[None, None, T]) -> T:
    return asyncio.run(work)


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until it is true; how long that takes depends on the machine."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.02)


class Unit:
    """An engine with a simulated board, and the ports of one call."""

    def __init__(self, name: str, ports: PortPool, folder: Path, echo: bool = False) -> None:
        settings = {
            "camera_label": name,
            "microphone_tone": TONES[name],
            "speaker": str(folder / f"{name}.wav"),
            "display_width": 640,
            "display_height": 360,
        }
        command = [sys.executable, "-m", "firmware", "media-worker", "--board", "sim"]
        command += ["--settings", json.dumps(settings), "--log", "warning"]
        self.speaker = folder / f"{name}.wav"
        self.reports: list[Report] = []
        self.engine = Engine(command, Configure(640, 360, 30, echo), ports, self.reports.append)
        self.engine.show(Scene((FarEnd("1", FULL_SCREEN),)))
        self.ports: list[MediaPort] = [ports.reserve("127.0.0.1") for _ in range(2)]

    def call(self, other: Unit, sound: Format, handshake: Handshake | None = None, *ways: Ice) -> None:
        """Agree on channels with the other; *ways*: for sound and picture."""
        channels = []
        for direction in (Direction.SEND, Direction.RECEIVE):
            formats_of = ((sound, EVENTS), (VIDEO,))
            for mine, theirs, formats, way in zip(
                self.ports, other.ports, formats_of, ways or (None, None), strict=True
            ):
                feedback = FEEDBACK if formats[0] is VIDEO else frozenset()
                channel = Channel(
                    formats[0].codec.kind,
                    direction,
                    formats,
                    mine.address,
                    theirs.address,
                    bitrate=800_000,
                    feedback=feedback,
                    handshake=handshake,
                    ice=way,
                )
                channels.append(channel)
        self.engine.apply("1", channels)

    async def counter(self, label: str) -> int | None:
        """The counter of the test card with this label on the screen."""
        with contextlib.suppress(DeviceError):
            shot = await self.engine.screenshot("png", 640, 360)
            return read_counter(Image.open(io.BytesIO(shot)).convert("RGB"), label)
        return None

    async def sees(self, label: str) -> None:
        """Wait until the card is on the screen and moves."""
        end = time.monotonic() + 30
        first = None
        while True:
            assert time.monotonic() < end, f"{label} never moves on the screen"
            counter = await self.counter(label)
            first = first if first is not None else counter
            if counter is not None and first is not None and counter > first:
                return
            await asyncio.sleep(0.05)

    def heard(self) -> bytes:
        """The last half second that was played."""
        return self.speaker.read_bytes()[44:][-48_000:] if self.speaker.exists() else b""

    async def hears(self, tone: int, other: int) -> None:
        """Wait until the tone is in the last half second, alone."""
        await until(lambda: find_tone(self.heard(), tone, 0.2) > -25 and find_tone(self.heard(), other, 0.5) < -50)


@contextlib.asynccontextmanager
async def units(ports: PortPool, folder: Path, echo: bool = False) -> AsyncIterator[tuple[Unit, Unit]]:
    here, there = Unit("here", ports, folder), Unit("there", ports, folder, echo)
    try:
        await asyncio.gather(here.engine.start(), there.engine.start())
        yield here, there
    finally:
        await asyncio.gather(here.engine.stop(), there.engine.stop())


@pytest.mark.parametrize("codec", available())
def test_a_call(ports: PortPool, tmp_path: Path, codec: str) -> None:
    async def call() -> None:
        async with units(ports, tmp_path) as (here, there):
            here.call(there, SOUND[codec])
            there.call(here, SOUND[codec])
            await asyncio.gather(here.sees("there"), there.sees("here"))
            await asyncio.gather(here.hears(1_000, 440), there.hears(440, 1_000))
            here.engine.mute(True)
            await until(lambda: level(there.heard()) < -60)
            here.engine.mute(False)
            await there.hears(440, 1_000)
            here.engine.send_digits("1", "4#")
            await until(lambda: [r.digit for r in there.reports if isinstance(r, DigitReceived)] == ["4", "#"])
            await until(lambda: here.engine.statistics("1") and here.engine.audio_tick)
            statistics = here.engine.statistics("1")
            assert statistics is not None
            streams = {(stream.kind, stream.direction): stream for stream in statistics.streams}
            assert streams[Kind.AUDIO, Direction.RECEIVE].codec == codec
            picture = streams[Kind.VIDEO, Direction.RECEIVE]
            assert (picture.codec, picture.width, picture.height) == ("H264", 640, 360)
            assert picture.key_frames >= 1
            here.engine.apply("1", ())
            assert here.engine.statistics("1") is None

    run(call())


def test_an_echo(ports: PortPool, tmp_path: Path) -> None:
    async def call() -> None:
        async with units(ports, tmp_path, echo=True) as (here, there):
            here.call(there, SOUND["G722"])
            there.call(here, SOUND["G722"])
            await here.sees("here")
            await here.hears(440, 1_000)
            assert not there.speaker.exists()

    run(call())


def test_a_worker_that_is_killed_is_replaced_and_the_call_goes_on(ports: PortPool, tmp_path: Path) -> None:
    async def call() -> None:
        async with units(ports, tmp_path) as (here, there):
            here.call(there, SOUND["G722"])
            there.call(here, SOUND["G722"])
            there.engine.mute(True)
            await asyncio.gather(here.sees("there"), there.sees("here"))
            for _ in range(2):
                killed = there.engine.process_id
                assert killed is not None
                os.kill(killed, signal.SIGKILL)
                await until(lambda: not there.engine.running)
                await until(lambda: there.engine.running)
                assert there.engine.process_id != killed
                # The far end of the killed worker sees the other card start anew, from a new source.
                await asyncio.gather(here.sees("there"), there.sees("here"))
                await there.hears(440, 1_000)
                await until(lambda: level(here.heard()) < -60)  # it is still mute
            there.engine.mute(False)
            await here.hears(1_000, 440)

    run(call())


def test_the_far_end_sees_where_the_camera_is_pointed_and_a_new_worker_points_it_there(
    ports: PortPool, tmp_path: Path
) -> None:
    """Of the card's seven colour bars, the fourth is green."""

    async def sees_green(unit: Unit) -> None:
        end = time.monotonic() + 30
        while True:
            with contextlib.suppress(DeviceError):
                shot = Image.open(io.BytesIO(await unit.engine.screenshot("png", 64, 36))).convert("RGB")
                pixel = shot.getpixel((32, 18))
                assert isinstance(pixel, tuple)
                if pixel[1] > 150 and max(pixel[0], pixel[2]) < 60:
                    return
            assert time.monotonic() < end, "it never sees green"

    async def call() -> None:
        async with units(ports, tmp_path) as (here, there):
            here.call(there, SOUND["G722"])
            there.call(here, SOUND["G722"])
            await here.sees("there")
            there.engine.point_camera(View(0.0, -0.37, 1.0))
            await sees_green(here)
            await until(lambda: CameraView(tuple(AXES), 0.0, -0.37, 1.0) in there.reports)
            killed = there.engine.process_id
            assert killed is not None
            there.reports.clear()
            os.kill(killed, signal.SIGKILL)
            await until(lambda: CameraView(tuple(AXES), 0.0, -0.37, 1.0) in there.reports)
            await sees_green(here)
            there.engine.move_camera(0.0, 0.0, -1.0, 10.0)
            await here.sees("there")
            await until(lambda: CameraView(tuple(AXES), 0.0, -0.37, 0.0) in there.reports)
            there.engine.apply("1", ())
            await until(lambda: CameraView() in there.reports)

    run(call())


def test_keys_that_were_agreed_outlive_the_worker_and_hold(ports: PortPool, tmp_path: Path) -> None:
    async def call() -> None:
        async with units(ports, tmp_path) as (here, there):

            def connect() -> None:
                here.call(there, SOUND["G722"], handshake("here", "there", True))
                there.call(here, SOUND["G722"], handshake("there", "here", False))

            connect()
            await until(lambda: [sum(isinstance(r, Secured) for r in unit.reports) for unit in (here, there)] >= [2, 2])
            await asyncio.gather(here.sees("there"), there.sees("here"))
            for unit in (here, there):
                assert unit.engine.process_id is not None
                os.kill(unit.engine.process_id, signal.SIGKILL)
                await until(lambda u=unit: not u.engine.running)  # type: ignore[misc]
                await until(lambda u=unit: u.engine.running)  # type: ignore[misc]
                await asyncio.gather(here.sees("there"), there.sees("here"))
            for unit in (here, there):
                unit.engine.apply("1", ())
            connect()
            await here.hears(1_000, 440)
            await there.hears(440, 1_000)
            assert not any(isinstance(report, NotSecured) for report in here.reports + there.reports)

    run(call())


def test_the_way_that_was_found_outlives_the_worker(ports: PortPool, tmp_path: Path) -> None:
    async def call() -> None:
        async with units(ports, tmp_path) as (here, there):
            ways = [
                agreed((mine.rtp, mine.rtcp), (theirs.rtp, theirs.rtcp))
                for mine, theirs in zip(here.ports, there.ports, strict=True)
            ]

            def connect() -> None:
                here.call(there, SOUND["G722"], None, *(way[0] for way in ways))
                there.call(here, SOUND["G722"], None, *(way[1] for way in ways))

            def found(unit: Unit) -> int:
                return len({r.local for r in unit.reports if isinstance(r, WayFound)})

            connect()
            await until(lambda: found(here) == found(there) == 2)
            await asyncio.gather(here.sees("there"), there.sees("here"))
            for unit in (here, there):
                assert unit.engine.process_id is not None
                os.kill(unit.engine.process_id, signal.SIGKILL)
                await until(lambda u=unit: not u.engine.running)  # type: ignore[misc]
                await until(lambda u=unit: u.engine.running)  # type: ignore[misc]
                await asyncio.gather(here.sees("there"), there.sees("here"))
            # On hold nothing but the way is kept.
            idle = [
                replace(channel, direction=Direction.NEITHER)
                for channel in here.engine._channels["1"]
                if channel.direction is Direction.RECEIVE
            ]
            here.engine.apply("1", idle)
            await until(lambda: level(there.heard()) < -60)
            connect()
            await here.hears(1_000, 440)
            await there.hears(440, 1_000)
            assert not any(isinstance(report, WayLost) for report in here.reports + there.reports)

            def ways_of_streams() -> set[str]:
                statistics = here.engine.statistics("1")
                return {stream.way for stream in statistics.streams} if statistics is not None else set()

            await until(lambda: ways_of_streams() == {"direct"})

    run(call())


def test_a_worker_that_hangs_is_replaced(ports: PortPool, tmp_path: Path) -> None:
    async def call() -> None:
        async with units(ports, tmp_path) as (here, there):
            here.call(there, SOUND["G722"])
            there.call(here, SOUND["G722"])
            await here.sees("there")
            stopped = there.engine.process_id
            assert stopped is not None
            os.kill(stopped, signal.SIGSTOP)
            await until(lambda: there.engine.running and there.engine.process_id != stopped)
            await here.sees("there")

    run(call())


def test_hostile_packets_do_not_end_a_call(ports: PortPool, tmp_path: Path) -> None:
    async def call() -> None:
        async with units(ports, tmp_path) as (here, there):
            here.call(there, SOUND["G722"])
            there.call(here, SOUND["G722"])
            await here.sees("there")
            process = here.engine.process_id
            chance = random.Random(1)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
                attacker.bind(("127.0.0.1", 0))  # the far end's own host: its packets are looked at
                for port in here.ports:
                    host, number = port.address
                    for _ in range(1_500):
                        payload = chance.randbytes(chance.choice((0, 1, 12, 100, 1_400)))
                        kind = chance.choice((0, 9, 97, 101))
                        stamp, sequence = chance.randrange(1 << 32), chance.randrange(1 << 16)
                        packet = Packet(kind, True, sequence, stamp, chance.choice((1, 2)), payload).encode()
                        attacker.sendto(chance.choice((packet, payload, packet[:14])), (host, number))
                        control = bytes([0x81, chance.choice((200, 201, 202, 203, 205, 206))]) + payload
                        attacker.sendto(control, (host, number + 1))
            await asyncio.gather(here.sees("there"), there.sees("here"))
            await here.hears(1_000, 440)
            assert here.engine.process_id == process

    run(call())


def test_nothing_is_open_after_a_call(ports: PortPool, tmp_path: Path) -> None:
    async def call() -> None:
        async with units(ports, tmp_path) as (here, there):
            process = here.engine.process_id

            def sockets() -> int:
                count = 0
                for link in list(Path(f"/proc/{process}/fd").iterdir()):
                    with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                        count += str(link.readlink()).startswith("socket:")
                return count

            before = sockets()
            for _ in range(3):
                here.call(there, SOUND["PCMU"])
                there.call(here, SOUND["PCMU"])
                await here.sees("there")
                assert sockets() == before + 4
                here.engine.apply("1", ())
                there.engine.apply("1", ())
                await until(lambda: sockets() == before)

    run(call())


def worker(code: str) -> list[str]:
    """A command line of a worker that misbehaves: commands is argument 2, reports is argument 4."""
    head = "import sys, socket, time; from firmware.media.link import *; from firmware.media.message import *\n"
    head += "commands, reports = (socket.socket(fileno=int(sys.argv[n])) for n in (2, 4))\n"
    head += "def report(it):\n    d = msgspec.msgpack.encode(it); reports.sendall(len(d).to_bytes(4, 'big') + d)\n"
    return [sys.executable, "-c", head + code]


def engine_of(command: list[str], reports: list[Report] | None = None) -> Engine:
    return Engine(command, Configure(), PortPool(41_000, 41_999), (reports if reports is not None else []).append)


def test_every_worker_is_told_the_same_timeline(tmp_path: Path) -> None:
    told = tmp_path / "told"
    tell = f"open({str(told)!r}, 'a').write(str(receive_command(commands)[0].timeline) + ' ')"
    code = f"{tell}; report(Ready()); time.sleep(0.2)"

    async def watch() -> None:
        engine = engine_of(worker(code))
        await engine.start()
        await until(lambda: len(told.read_text().split()) >= 3)
        await engine.stop()

    run(watch())
    timelines = set(told.read_text().split())
    assert len(timelines) == 1
    assert timelines != {"0"}


def test_a_worker_that_can_not_start() -> None:
    for command in (
        ["/nonexistent"],
        worker("sys.exit(1)"),
        worker("reports.sendall(bytes([255] * 4)); time.sleep(60)"),
    ):
        engine = engine_of(command)
        with pytest.raises(FirmwareError):
            run(engine.start())
        assert not engine.running
        assert engine.process_id is None


def test_a_worker_that_always_dies_is_started_at_longer_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY", 0.2)

    async def watch() -> None:
        reports: list[Report] = []
        engine = engine_of(worker("report(Ready())"), reports)
        await engine.start()
        await asyncio.sleep(3.0)
        assert 2 <= reports.count(Ready()) <= 7
        await engine.stop()

    run(watch())


def test_it_is_said_at_once_that_a_worker_is_gone() -> None:
    async def check() -> None:
        running: list[tuple[type[Report], bool]] = []
        engine = Engine(
            worker("report(Ready()); time.sleep(0.5)"),
            Configure(),
            PortPool(41_000, 41_999),
            lambda report: running.append((type(report), engine.running)),
        )
        await engine.start()
        await until(lambda: len(running) > 2)
        assert running[:3] == [(Ready, True), (Gone, False), (Ready, True)]
        await engine.stop()

    run(check())


def test_a_machine_without_descriptors_gets_its_worker_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        reports: list[Report] = []
        engine = engine_of(worker("report(Ready()); time.sleep(0.5)"), reports)
        await engine.start()
        pair = socket.socketpair
        refusals = iter([OSError(24, "Too many open files")] * 2)

        def refuse(*arguments: int) -> tuple[socket.socket, socket.socket]:
            for error in refusals:
                raise error
            return pair(*arguments)

        monkeypatch.setattr(module.socket, "socketpair", refuse)
        await until(lambda: reports.count(Ready()) > 1)
        await engine.stop()

    run(check())


def test_silence_counts_from_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE", 2.0)

    async def check() -> None:
        reports: list[Report] = []
        engine = engine_of(worker("report(Ready()); time.sleep(0.2); report(Alive()); time.sleep(60)"), reports)
        await engine.start()
        began = time.monotonic()
        await until(lambda: Gone("gives no sign of life") in reports)
        assert 1.0 < (time.monotonic() - began) / 2.0 < 1.75
        await engine.stop()

    run(check())


def test_a_worker_that_takes_no_commands_is_replaced() -> None:
    async def watch() -> None:
        engine = engine_of(worker("report(Ready())\nwhile True: report(Alive()); time.sleep(0.1)"))
        await engine.start()
        process = engine.process_id
        for number in range(20_000):
            engine.set_volume(number % 100)
            if not engine.running:
                break
        assert not engine.running
        await until(lambda: engine.running and engine.process_id != process)
        await engine.stop()

    run(watch())


def test_scenes_and_key_frames_by_the_thousand_fill_no_worker_that_has_no_turn() -> None:
    async def flood() -> None:
        engine = engine_of(worker("report(Ready())\nwhile True: report(Alive()); time.sleep(0.1)"))
        await engine.start()
        for number in range(5_000):
            engine.show(Scene((FarEnd(str(number), FULL_SCREEN),)))
            engine.force_key_frame("1")
            engine.freeze_picture("1")
            engine.apply(f"refused {number}", ())
            if number % 100 == 0:
                await asyncio.sleep(0)
        assert engine.running
        await engine.stop()

    run(flood())


def test_a_screenshot_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SCREENSHOT_TIME", 0.2)

    async def ask() -> None:
        engine = engine_of(worker("report(Ready())\nwhile True: report(Alive()); time.sleep(0.1)"))
        with pytest.raises(DeviceError):
            await engine.screenshot("png", 10, 10)
        await engine.start()
        with pytest.raises(DeviceError):
            await engine.screenshot("png", 10, 10)
        assert engine._screenshots == {}
        await engine.stop()

    run(ask())


def descriptors() -> set[Path]:
    return set(Path("/proc/self/fd").iterdir())


def test_stopping_while_a_worker_starts_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    async def check() -> None:
        before = descriptors()
        monkeypatch.setattr(asyncio, "create_subprocess_exec", never)
        task = asyncio.create_task(engine_of(["nobody"])._spawn())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert descriptors() == before

    run(check())


def test_stopping_while_a_worker_dies_leaves_no_socket() -> None:
    async def check() -> None:
        before = descriptors()
        gone = asyncio.Event()
        command = worker("receive_command(commands); report(Ready())")
        ports = PortPool(41_000, 41_999)
        engine = Engine(command, Configure(), ports, lambda report: gone.set() if isinstance(report, Gone) else None)
        await engine.start()
        await gone.wait()
        await engine.stop()
        await until(lambda: descriptors() <= before)  # others of before may be collected meanwhile

    run(check())


def test_stopping_leaves_no_process(ports: PortPool, tmp_path: Path) -> None:
    async def stop() -> int | None:
        async with units(ports, tmp_path) as (here, _):
            return here.engine.process_id

    process = run(stop())
    assert process is not None
    assert not Path(f"/proc/{process}").exists()


def test_a_stream_that_has_moved_keeps_its_keys_in_the_next_worker(ports: PortPool) -> None:
    """A worker that takes this one's place knows of the new address only."""

    async def work() -> None:
        engine = Engine([], Configure(), ports, lambda _report: None)
        shaken = handshake("here", "there", True)
        before, after = ("127.0.0.1", 4000), ("127.0.0.1", 4002)
        keys = tuple(Crypto(Suite.AES_CM_128_HMAC_SHA1_80, bytes([number]) * 16, salt=bytes(14)) for number in (1, 2))
        channel = Channel(Kind.AUDIO, Direction.SEND, (SOUND["PCMU"],), before, handshake=shaken)
        engine.apply("1", [channel])
        engine._received(Secured("1", before, shaken, *keys))
        moved = replace(channel, local=after, moved_from=before)
        for _ in range(2):
            engine.apply("1", [moved])
            [known] = engine._as_known("1", (moved,))
            assert (known.crypto, known.return_crypto) == keys
        [other] = engine._as_known("1", (replace(moved, handshake=handshake("there", "here", False)),))
        assert other.crypto is None

    asyncio.run(work())
