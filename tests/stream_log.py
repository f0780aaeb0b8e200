"""Who owns a connection in tests, and remembers what he heard of it."""

from __future__ import annotations

import asyncio
from typing import Any

from firmware.net.stream import Stream


class Log:
    """A `firmware.net.stream.Owner`; one that does not welcome accepted connections refuses them."""

    def __init__(self, *, welcome: bool = True) -> None:
        self.entries: list[Any] = []
        """``"connected"``, ``"opened"``, what was received, ``("closed", words)``."""
        self.welcome = welcome

    def connected(self, stream: Stream) -> bool:
        self.entries.append("connected")
        return self.welcome

    def opened(self, stream: Stream) -> None:
        self.entries.append("opened")

    def received(self, stream: Stream, data: bytes) -> None:
        self.entries.append(data)

    def closed(self, stream: Stream, words: str) -> None:
        self.entries.append(("closed", words))

    async def until(self, entry: Any) -> None:
        for _ in range(5_000):
            if entry in self.entries:
                return
            await asyncio.sleep(0.002)
        raise AssertionError(f"{entry} is not in {self.entries}")

    async def holds(self, size: int) -> None:
        for _ in range(5_000):
            if sum(len(entry) for entry in self.entries if isinstance(entry, bytes)) >= size:
                return
            await asyncio.sleep(0.002)
        raise AssertionError(f"it never gets {size} bytes")
