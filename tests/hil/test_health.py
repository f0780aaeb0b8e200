"""The machine's health by the kernel's own files, and its watchdog."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

import pytest
from hil.condition import Condition, Dog
from hil.waiting import wait_for
from simple_room import SimpleEndpoint, SimpleMedia
from simple_web import until

from board.pi.health import SYS, read_health
from board.pi.watchdog import PiWatchdog
from firmware import config
from firmware.errors import DeviceError
from firmware.ports import Board
from firmware.room import Room, Watch


@pytest.fixture(scope="module")
def condition(on_bench: bool) -> Condition:
    if not on_bench:
        pytest.skip("nobody heats this machine")
    return Condition()


@pytest.fixture(scope="module")
def dog(on_bench: bool) -> Dog:
    if not on_bench:
        pytest.skip("the watchdog of this machine would really restart it")
    return Dog()


def test_every_machine_tells_something(board: Board) -> None:
    found = board.read_health(Path("/tmp"))
    assert 0 < (found.memory_free or 0) < (found.memory_size or 0)
    assert 0 < (found.storage_free or 0) <= (found.storage_size or 0)
    assert found.storage_read_only is False


def test_a_storage_that_takes_nothing_in_says_so(on_bench: bool, board: Board, tmp_path: Path) -> None:
    if not on_bench:
        pytest.skip("nothing is mounted on this machine for a test")
    for state in ("ro", "remount,rw"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", state, "data", str(tmp_path)], check=True)
        assert board.read_health(tmp_path).storage_read_only is (state == "ro")
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("degrees", [41.5, 83.0, -5.0])
def test_the_temperature(condition: Condition, board: Board, degrees: float) -> None:
    condition.set_temperature(degrees)
    assert board.read_health(Path("/")).temperature == degrees


@pytest.mark.parametrize(
    ("bits", "under_voltage", "throttled"), [(0, False, False), (1, True, False), (6, False, True)]
)
def test_voltage_and_clock(condition: Condition, board: Board, bits: int, under_voltage: bool, throttled: bool) -> None:
    condition.set_throttled(bits)
    found = board.read_health(Path("/"))
    assert (found.under_voltage, found.throttled) == (under_voltage, throttled)


def test_the_kernels_driver_tells_the_voltage_too(condition: Condition, tmp_path: Path) -> None:
    sys = tmp_path / "sys"
    (sys / "class").mkdir(parents=True)
    (sys / "class" / "hwmon").symlink_to(SYS / "class" / "hwmon")
    for bits in (0x10001, 0):
        condition.set_throttled(bits)
        assert wait_for(lambda bits=bits: read_health(Path("/"), sys).under_voltage is bool(bits), 20)
    assert read_health(Path("/"), sys).throttled is None


def test_a_watchdog_that_is_fed_sleeps_and_a_hungry_one_barks(dog: Dog) -> None:
    with dog:
        watchdog = PiWatchdog(2)
        assert watchdog.timeout == 2
        with pytest.raises(DeviceError, match="another program feeds it"):
            PiWatchdog(2)
        before = dog.barks
        for _ in range(8):
            time.sleep(0.5)
            watchdog.feed()
        assert dog.barks == before
        assert wait_for(lambda: dog.barks > before, 20)
        watchdog.close()


def test_closing_it_calls_it_off(dog: Dog) -> None:
    with dog:
        before = dog.barks
        PiWatchdog(1).close()
        time.sleep(2.5)
        PiWatchdog(1).close()
        assert dog.barks == before


def test_a_room_says_what_is_wrong_and_feeds_the_watchdog_while_it_is_well(
    condition: Condition, dog: Dog, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        media = SimpleMedia()
        room = Room(config.Room(), [SimpleEndpoint()], media)
        await room.start()
        watch = Watch(board, config.Health(watchdog=2.0), Path("/tmp"), room)
        before = dog.barks
        watch.start()
        await until(lambda: room.health is not None)
        assert room.state.faults == ()
        assert room.state.warnings == ()
        condition.set_temperature(92)
        condition.set_throttled(1)
        await until(lambda: len(room.state.warnings) == 2)
        await asyncio.sleep(3)
        assert dog.barks == before
        media.running = False
        await until(lambda: dog.barks > before)
        await watch.stop()
        await room.stop()

    condition.set_temperature(50)
    condition.set_throttled(0)
    monkeypatch.setattr("firmware.room.watch.LOOK_TIME", 0.2)
    monkeypatch.setattr("firmware.room.watch.ILL_TIME", 1.0)
    with dog:
        asyncio.run(main())


def test_a_time_that_it_can_not_wait_is_refused(dog: Dog) -> None:
    with dog, pytest.raises(DeviceError, match="does not take 1e\\+06 s"):
        PiWatchdog(1_000_000)


def test_without_one_the_unit_is_told_so(on_bench: bool, board: Board) -> None:
    if not on_bench:
        pytest.skip("this machine has a watchdog")
    with pytest.raises(DeviceError, match="/dev/watchdog can't be opened"):
        board.open_watchdog(10)
