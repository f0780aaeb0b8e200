"""``visavis echo``: a far end that answers every call and gives back the sound and the picture that it receives.

It is a unit like any other, but for its room, which answers at once and holds nobody, and its media, which send each
caller its own.  Once it can be called it prints its addresses, one a line, and then READY.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from firmware.command.process import start_log, until, until_stopped
from firmware.command.settings import settings
from firmware.command.unit import Unit

if TYPE_CHECKING:
    import asyncio
    from argparse import Namespace

    from firmware.command.hardware import Hardware
    from firmware.config import Config

READY: Final = "Answering every call until Ctrl-C."


def run(arguments: Namespace, hardware: Hardware) -> int:
    """Run the far end until it is told to stop."""
    config = echoing(settings(arguments, hardware.settings))
    start_log(config.log.level)

    async def serve(stopped: asyncio.Event) -> int:
        unit = Unit(config, hardware, echo=True)
        try:
            await until(stopped, unit.start())
            if stopped.is_set():
                return 0
            print(*unit.room.state.addresses, READY, sep="\n", flush=True)
            await stopped.wait()
        finally:
            await unit.stop()
        return 0

    return until_stopped(serve)


def echoing(config: Config) -> Config:
    """Give these settings with what makes a unit an echo."""
    name = "Echo" if config.room.name == type(config.room)().name else config.room.name
    room = replace(config.room, name=name, auto_answer=True, answer_delay=0.0, max_calls=16, several_calls="together")
    return replace(config, room=room, web=replace(config.web, enabled=False))
