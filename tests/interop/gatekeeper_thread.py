"""The gatekeeper of the tests on a socket of its own, beside a test that waits for others."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from gatekeeper import Gatekeeper, serve
from interop.ports import own_address

from firmware.h323.ras_settings import RAS_PORT


class GatekeeperThread:
    """Use as a context manager: inside, `gatekeeper` answers at `address`."""

    def __init__(self, **how: Any) -> None:
        self.address = own_address()
        self.gatekeeper = Gatekeeper((self.address, RAS_PORT), **how)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> GatekeeperThread:
        self._thread.start()
        self._socket, self._protocol = asyncio.run_coroutine_threadsafe(serve(self.gatekeeper), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        self._socket.close()
        await asyncio.sleep(0)  # it closes in the next round of the loop

    def names(self) -> set[str]:
        """Who is registered, by all names."""
        return {text for endpoint in list(self.gatekeeper.endpoints.values()) for _, text in endpoint.aliases}

    def disengage(self, name: str, call: bytes) -> None:
        """Tell an endpoint to end a call."""

        def tell() -> None:
            gatekeeper = self.gatekeeper
            gatekeeper.disengage(gatekeeper.named(name), call, time.monotonic())
            self._protocol.flush()

        self._loop.call_soon_threadsafe(tell)
