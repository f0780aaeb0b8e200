"""A small file that keeps up with what it is to say, written where nobody waits for the storage.

Rule 1: of several texts that come while one is written, the newest is written next, and no other.
Rule 2: what can't be written is one line in the log; the next text is tried anew.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from firmware.errors import ConfigError

logger = logging.getLogger(__name__)


class KeptFile:
    """For the event loop's thread."""

    def __init__(self, path: Path, what: str) -> None:
        """*what* it holds, in words that can be followed by "can't be kept"."""
        self.path = path
        self._what = what
        self._newest: str | None = None
        """What is to be written next."""
        self._writing: asyncio.Task[None] | None = None

    def keep(self, text: str) -> None:
        """Let the file say this soon; whoever reads meanwhile, or after a power cut, finds an earlier text whole."""
        self._newest = text
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def settle(self) -> None:
        """Wait until all is written, or can't be."""
        if self._writing is not None:
            await asyncio.wait((self._writing,))

    async def _write(self) -> None:
        while self._newest is not None:
            text, self._newest = self._newest, None
            try:
                await asyncio.to_thread(self._save, text)
            except (OSError, ConfigError) as error:
                logger.warning("%s can't be kept: %s", self._what, error)
        self._writing = None

    def _save(self, text: str) -> None:
        from firmware.config.write import save  # few units ever do

        self.path.parent.mkdir(parents=True, exist_ok=True)
        save(text, self.path)
