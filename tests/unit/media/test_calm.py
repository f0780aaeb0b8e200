from __future__ import annotations

import asyncio

import virtual_loop

from firmware.media.calm import INTERVAL, Calm
from firmware.media.message import Command, ForceKeyFrame, Volume


def test_the_first_goes_at_once_and_then_the_newest_only() -> None:
    async def main() -> None:
        sent: list[Command] = []
        calm = Calm(sent.append)
        for percent in range(100):
            calm.send("volume", Volume(percent))
        assert sent == [Volume(0)]
        await asyncio.sleep(INTERVAL * 1.5)
        assert sent == [Volume(0), Volume(99)]
        await asyncio.sleep(INTERVAL)
        calm.send("volume", Volume(5))
        assert sent == [Volume(0), Volume(99), Volume(5)]

    virtual_loop.run(main())


def test_kinds_do_not_wait_for_each_other() -> None:
    async def main() -> None:
        sent: list[Command] = []
        calm = Calm(sent.append)
        for call in ("1", "2"):
            calm.send((ForceKeyFrame, call), ForceKeyFrame(call))
        assert sent == [ForceKeyFrame("1"), ForceKeyFrame("2")]

    virtual_loop.run(main())


def test_a_flood_of_some_seconds_is_bounded_and_leaves_nothing() -> None:
    async def main() -> None:
        sent: list[Command] = []
        calm = Calm(sent.append)
        for number in range(1_000):
            calm.send("volume", Volume(number % 101))
            await asyncio.sleep(0.001)
        assert 15 <= len(sent) <= 1 / INTERVAL + 1
        await asyncio.sleep(INTERVAL * 3)
        assert calm._newest == calm._timers == {}

    virtual_loop.run(main())


def test_closed_it_sends_nothing_more() -> None:
    async def main() -> None:
        sent: list[Command] = []
        calm = Calm(sent.append)
        calm.send("volume", Volume(1))
        calm.send("volume", Volume(2))
        calm.close()
        await asyncio.sleep(INTERVAL * 2)
        assert sent == [Volume(1)]

    virtual_loop.run(main())
