"""``visavis run``: the unit itself, until SIGINT or SIGTERM."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from firmware import health
from firmware.command.process import start_log, until, until_stopped
from firmware.command.settings import settings
from firmware.command.unit import Unit

if TYPE_CHECKING:
    import asyncio
    from argparse import Namespace

    from firmware.command.hardware import Hardware

logger = logging.getLogger(__name__)


def run(arguments: Namespace, hardware: Hardware) -> int:
    """Run a unit until it is told to stop."""
    began = time.monotonic()
    config = settings(arguments, hardware.settings)
    start_log(config.log.level)

    async def serve(stopped: asyncio.Event) -> int:
        unit = Unit(config, hardware)
        try:
            await until(stopped, unit.start())
            if stopped.is_set():
                return 0
            addresses = " or ".join(unit.room.state.addresses) or "nothing: no network, or no protocol is enabled"
            health.notify(health.READY)
            logger.info("= ready after %.2f s; call %s", time.monotonic() - began, addresses)
            for panel in unit.panels:
                logger.info("= panel at %s", panel)
            await stopped.wait()
            logger.info("= stopping")
            health.notify(health.STOPPING)
        finally:
            await unit.stop()
        return 0

    return until_stopped(serve)
