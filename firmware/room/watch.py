"""Looks after the machine: its health every few seconds, and the watchdogs, which are fed only while the unit is well.

Rule 1: the unit is well while its event loop runs and sound and picture work, or worked a moment ago.
Rule 2: looking is done in a thread, since a failing card may let a look wait; meanwhile there is no other look.
Rule 3: a warning that begins or ends is one line in the log.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware import health
from firmware.errors import DeviceError
from firmware.room.health import Judge

if TYPE_CHECKING:
    from firmware import config, ports
    from firmware.room.room import Room

logger = logging.getLogger(__name__)

LOOK_TIME: Final = 10.0
"""Between two looks, s."""
ILL_TIME: Final = 60.0
"""How long sound and picture may fail before the watchdogs are left hungry, s."""
MEALS: Final = 4
"""How often a watchdog is fed in its time."""


class Watch:
    """Begin by `start`; on the event loop on which the room runs."""

    def __init__(self, board: ports.Board, settings: config.Health, folder: Path, room: Room) -> None:
        self._board = board
        self._settings = settings
        self._folder = folder
        self._room = room
        self._judge = Judge(settings.temperature)
        self._dog: ports.Watchdog | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._well_at = 0.0

    def start(self) -> None:
        """Look from now on."""
        loop = asyncio.get_running_loop()
        self._well_at = loop.time()
        self._tasks.append(loop.create_task(self._look()))
        if self._settings.watchdog:
            try:
                self._dog = self._board.open_watchdog(self._settings.watchdog)
            except DeviceError as error:
                self._room.set_fault("watchdog", str(error))
        times = [health.watchdog_time(), self._dog.timeout if self._dog is not None else None]
        shortest = min((time for time in times if time is not None), default=None)
        if shortest is not None:
            self._tasks.append(loop.create_task(self._feed(shortest / MEALS)))

    async def stop(self) -> None:
        """Look no more; the watchdog sleeps."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._dog is not None:
            self._dog.close()
            self._dog = None

    @property
    def well(self) -> bool:
        """Whether the unit does what it is for, or did a moment ago."""
        now = asyncio.get_running_loop().time()
        if self._room.state.ready:
            self._well_at = now
        return now < self._well_at + ILL_TIME

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            found = await asyncio.to_thread(self._board.read_health, self._folder)
            warnings = self._judge.look(found, loop.time())
            for words in self._judge.begun:
                logger.warning("= %s", words)
            for words in self._judge.ended:
                logger.info("= this is over: %s", words)
            self._room.set_health(found, warnings)
            await asyncio.sleep(LOOK_TIME)

    async def _feed(self, interval: float) -> None:
        starved = False
        while True:
            if self.well:
                starved = False
                health.notify(health.ALIVE)
                if self._dog is not None:
                    with suppress(DeviceError):  # then the machine restarts
                        self._dog.feed()
            elif not starved:
                starved = True
                logger.error("the watchdog is not fed any more: there was no sound and picture for %g s", ILL_TIME)
            await asyncio.sleep(interval)
