"""Commands wait for a worker that has no turn, in order and with bounds."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from simple_web import until

from firmware.media import backlog as module
from firmware.media.backlog import MAX_WAITING, Backlog
from firmware.media.link import receive_command
from firmware.media.message import Command, Volume


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class Bench:
    """A backlog, and the worker's end of its socket."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for sock in (self.ours, self.theirs):
            sock.setblocking(False)
        self.failed: list[str] = []
        self.backlog = Backlog(self.ours, self.failed.append)
        self.count = 0

    def fill(self) -> None:
        """Send until the socket is full, and something waits."""
        while not self.backlog._waiting:
            self.send()

    def send(self, descriptors: tuple[int, ...] = ()) -> None:
        self.backlog.send(Volume(self.count), descriptors)
        self.count += 1

    async def take(self) -> tuple[Command, list[int]]:
        while True:
            try:
                received = receive_command(self.theirs)
            except BlockingIOError:
                await asyncio.sleep(0.001)
            else:
                assert received is not None
                return received

    def close(self) -> None:
        self.backlog.close()
        self.ours.close()
        self.theirs.close()


def run(test: Callable[[Bench], Coroutine[None, None, None]]) -> None:
    async def main() -> None:
        bench = Bench()
        try:
            await test(bench)
        finally:
            bench.close()

    before = open_files()
    asyncio.run(main())
    assert open_files() == before


def test_what_finds_no_room_comes_later_and_in_order() -> None:
    async def test(bench: Bench) -> None:
        bench.fill()
        for _ in range(100):
            bench.send()
        for number in range(bench.count):
            assert await bench.take() == (Volume(number), [])
        bench.send()
        assert await bench.take() == (Volume(bench.count - 1), [])
        assert bench.failed == []

    run(test)


def test_descriptors_are_those_of_the_moment_when_the_command_was_given(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        bench.fill()
        number = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
        bench.send((number,))
        os.close(number)
        last = bench.count - 1
        while True:
            command, descriptors = await bench.take()
            if command == Volume(last):
                break
        os.write(descriptors[0], b"through")
        os.close(descriptors[0])
        assert (tmp_path / "file").read_bytes() == b"through"

    run(test)


def test_who_takes_nothing_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)

    async def test(bench: Bench) -> None:
        bench.fill()
        number = os.open("/dev/null", os.O_RDONLY)
        bench.send((number,))
        os.close(number)
        assert bench.failed == []
        await until(lambda: bool(bench.failed))
        bench.send()
        assert bench.failed == ["takes no commands"]
        assert not bench.backlog._waiting

    run(test)


def test_who_takes_them_slowly_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.5)

    async def test(bench: Bench) -> None:
        bench.fill()
        for _ in range(50):
            bench.send()
        for number in range(bench.count):
            if number % (bench.count // 10) == 0:
                await asyncio.sleep(0.15)
            await bench.take()
        assert bench.failed == []

    run(test)


def test_no_more_wait_than_can_be_kept() -> None:
    async def test(bench: Bench) -> None:
        bench.fill()
        for _ in range(MAX_WAITING - 1):
            bench.send()
        assert bench.failed == []
        bench.send()
        assert bench.failed == ["takes no commands"]

    run(test)


def test_a_worker_that_has_gone_is_told_at_once() -> None:
    async def test(bench: Bench) -> None:
        bench.fill()
        bench.theirs.close()
        await until(lambda: bool(bench.failed))
        assert len(bench.failed) == 1

    run(test)


def test_a_descriptor_that_can_not_be_kept_ends_it() -> None:
    async def test(bench: Bench) -> None:
        bench.fill()
        bench.send((0, 1_000_000))
        assert bench.failed == ["[Errno 9] Bad file descriptor"]

    run(test)
