"""`firmware.room.watch`, on the simulated board."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from simple_room import SimpleEndpoint, SimpleMedia
from simple_web import until

from board.sim.board import WELL, SimBoard
from firmware import config
from firmware.errors import DeviceError
from firmware.ports import Watchdog
from firmware.room import Room, Watch, watch


class Dog:
    """A watchdog that counts its meals."""

    timeout = 0.04

    def __init__(self) -> None:
        self.meals = 0
        self.closed = False

    def feed(self) -> None:
        self.meals += 1

    def close(self) -> None:
        self.closed = True


class Bench(SimBoard):
    """A simulated board with such a watchdog, or with none."""

    def __init__(self) -> None:
        super().__init__({})
        self.dog: Dog | None = Dog()

    def open_watchdog(self, timeout: float) -> Watchdog:
        if self.dog is None:
            raise DeviceError("there is no watchdog")
        return self.dog


@asynccontextmanager
async def watching(board: Bench, **settings: Any) -> AsyncIterator[tuple[Room, SimpleMedia, Watch]]:
    media = SimpleMedia()
    room = Room(config.Room(), [SimpleEndpoint()], media)
    await room.start()
    watch = Watch(board, config.Health(**settings), Path("/"), room)
    watch.start()
    yield room, media, watch
    await watch.stop()
    await room.stop()


def test_what_is_wrong_becomes_part_of_the_rooms_state(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        board = Bench()
        async with watching(board) as (room, _, _):
            await until(lambda: room.health == WELL)
            assert room.state.warnings == ()
            board.pretend(replace(WELL, temperature=93.0))
            await until(lambda: bool(room.state.warnings))
            board.pretend(WELL)
            await until(lambda: not room.state.warnings)

    monkeypatch.setattr(watch, "LOOK_TIME", 0.005)
    monkeypatch.setattr("firmware.room.health.SHOW_TIME", 0.02)
    with caplog.at_level("INFO"):
        asyncio.run(main())
    lines = [(record.levelname, record.message) for record in caplog.records if "hot" in record.message]
    assert [level for level, _ in lines] == ["WARNING", "INFO"]
    assert lines[0][1] == "= The unit is too hot, 93 °C: let more air come to it."
    assert lines[1][1].startswith("= this is over: ")


def test_without_a_setting_there_is_no_watchdog() -> None:
    async def main() -> None:
        board = Bench()
        assert board.dog is not None
        async with watching(board):
            await asyncio.sleep(0.05)
        assert board.dog.meals == 0

    asyncio.run(main())


def test_the_watchdog_is_fed_only_while_the_unit_is_well(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        board = Bench()
        dog = board.dog
        assert dog is not None
        async with watching(board, watchdog=15.0) as (_, media, _):
            await until(lambda: dog.meals >= 3)
            media.running = False
            await until(lambda: "not fed any more" in caplog.text)
            meals = dog.meals
            await asyncio.sleep(0.05)
            assert dog.meals == meals
            media.running = True
            await until(lambda: dog.meals > meals)
            assert not dog.closed
        assert dog.closed

    monkeypatch.setattr(watch, "ILL_TIME", 0.05)
    asyncio.run(main())
    assert caplog.text.count("not fed any more") == 1


def test_a_watchdog_that_is_missing_is_a_fault_and_no_more() -> None:
    async def main() -> None:
        board = Bench()
        board.dog = None
        async with watching(board, watchdog=15.0) as (room, _, _):
            assert room.state.faults == ("The watchdog does not work: there is no watchdog",)
            await until(lambda: room.health == WELL)

    asyncio.run(main())


def test_systemd_hears_that_the_unit_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> set[bytes]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(tmp_path / "notify"))
            systemd.setblocking(False)
            async with asyncio.timeout(10), watching(Bench()):
                return {await asyncio.get_running_loop().sock_recv(systemd, 64) for _ in range(3)}

    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    assert asyncio.run(main()) == {b"WATCHDOG=1"}
