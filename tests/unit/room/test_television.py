"""`firmware.room.television`: when the television is switched, on the virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from room_scene import Scene, scene
from simple_room import SimpleTelevision

from firmware import config
from firmware.errors import DeviceError
from firmware.ports import TelevisionStatus
from firmware.room import Television

IDLE = 900.0


class Bench(Scene):
    """A room with a television."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.settings = config.Television(**settings)
        self.device = SimpleTelevision()
        self.television: Television

    def told(self) -> list[str]:
        told, self.device.told = self.device.told, []
        return told


@asynccontextmanager
async def bench(**settings: Any) -> AsyncIterator[Bench]:
    async with Bench(**settings) as b:
        b.television = Television(b.device, b.settings, b.room)
        yield b
        b.television.close()


async def soon() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@scene
async def test_a_call_that_rings_wakes_it_and_so_does_answering() -> None:
    async with bench() as b:
        b.endpoint.ring("far@example.com")
        await soon()
        assert b.told() == ["wake"]
        b.room.answer()
        await soon()
        assert b.told() == ["wake"]


@scene
async def test_a_call_that_is_made_wakes_it_once() -> None:
    async with bench() as b:
        call = b.dialled()
        await soon()
        assert b.told() == ["wake"]
        b.room.hold(call.id)
        b.room.set_volume(3)
        await soon()
        assert b.told() == []


@scene
async def test_it_is_woken_for_what_the_settings_say_only() -> None:
    async with bench(wake_for=("call",)) as b:
        b.television.touched()
        b.endpoint.ring("far@example.com")
        await soon()
        assert b.told() == []
        b.room.answer()
        await soon()
        assert b.told() == ["wake"]


@scene
async def test_a_button_wakes_it() -> None:
    async with bench() as b:
        b.television.touched()
        assert b.told() == ["wake"]


@scene
async def test_it_goes_to_standby_a_while_after_the_last_call() -> None:
    async with bench() as b:
        b.device.become()
        await asyncio.sleep(IDLE - 1)
        call = b.dialled()
        await asyncio.sleep(2 * IDLE)
        assert b.told() == ["wake"]
        call.hang_up()
        await asyncio.sleep(IDLE - 1)
        assert b.told() == []
        await asyncio.sleep(2)
        assert b.told() == ["standby"]


@scene
async def test_every_button_begins_the_while_anew() -> None:
    async with bench(wake_for=()) as b:
        b.device.become()
        await asyncio.sleep(IDLE - 1)
        b.television.touched()
        await asyncio.sleep(IDLE - 1)
        assert b.told() == []
        await asyncio.sleep(2)
        assert b.told() == ["standby"]


@pytest.mark.parametrize("shows_room", [False, None])
def test_another_source_is_left_alone(shows_room: bool | None) -> None:
    @scene
    async def test() -> None:
        async with bench() as b:
            b.device.become()
            await asyncio.sleep(IDLE / 2)
            b.device.become(shows_room=shows_room)
            await asyncio.sleep(2 * IDLE)
            assert b.told() == []

    test()


@scene
async def test_zero_is_never() -> None:
    async with bench(standby_time=0) as b:
        b.device.become()
        await asyncio.sleep(86_400)
        assert b.told() == []


@scene
async def test_its_status_is_part_of_the_rooms_state() -> None:
    async with bench() as b:
        assert b.room.state.television == TelevisionStatus(reachable=True, on=False)
        b.device.become()
        await soon()
        assert b.states[-1].television == TelevisionStatus(reachable=True, on=True, shows_room=True)
    assert b.room.state.television is None


def test_a_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    @scene
    async def test() -> None:
        async with bench() as b:
            for on in (True, True, False, False, None):
                b.device.become(on=on)
                await soon()
            b.device.become(reachable=False)
            await soon()

    with caplog.at_level("INFO"):
        test()
    words = [record.message for record in caplog.records if "television" in record.message]
    assert words == [f"= the television is {state}" for state in ("on", "in standby", "there", "not to be reached")]


@scene
async def test_switching_by_hand() -> None:
    async with bench(wake_for=()) as b:
        b.television.switch(True)
        assert b.told() == ["wake"]
        with pytest.raises(DeviceError, match="does not show this room"):
            b.television.switch(False)
        b.device.become()
        await soon()
        b.television.switch(False)
        assert b.told() == ["standby"]
        b.device.become(reachable=False)
        await soon()
        with pytest.raises(DeviceError, match="no television"):
            b.television.switch(False)
        b.television.switch(True)
        assert b.told() == ["wake"]


@scene
async def test_after_close_nothing_happens() -> None:
    async with bench() as b:
        b.device.become()
        await soon()
        b.television.close()
        b.endpoint.ring("far@example.com")
        b.device.become(on=False)
        await asyncio.sleep(2 * IDLE)
        assert b.told() == []
        assert b.room.television is None
