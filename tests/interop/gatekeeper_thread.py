"""The gatekeepers of the tests on sockets of their own, beside a test that waits for others."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any

from gatekeeper import Gatekeeper, serve
from interop.ports import own_address
from tunnel_gatekeeper import TunnelGatekeeper

from firmware.h323.ras_settings import RAS_PORT
from firmware.net.driver import Driver
from firmware.net.tls import Tls
from firmware.sansio import Flow
from firmware.signaling.h323_address import DEFAULT_PORT, SECURE_PORT


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


class TunnelThread:
    """The same for calls and RAS by one connection (H.460.17); use as a context manager."""

    def __init__(self, tls: Tls | None = None, address: str = "", **how: Any) -> None:
        self.address = address or own_address()
        self.gatekeeper = TunnelGatekeeper(self.address, **how)
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> TunnelThread:
        self._thread.start()
        self.do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self._driver.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this where the gatekeeper runs."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        self._driver = Driver(self.gatekeeper, lambda event: None, self._tls)
        way, port = ("tcp", DEFAULT_PORT) if self._tls is None else ("tls", SECURE_PORT)
        await self._driver.listen(way, self.address, port)

    async def say(self, flow: Flow, packets: list[bytes]) -> None:
        """Send what comes to mind."""
        for packet in packets:
            self.gatekeeper.send_octets(flow, packet)
        self._driver.run()

    async def hang_up(self, flow: Flow) -> None:
        """Close a connection, as a translator does that forgets it."""
        self.gatekeeper.hang_up(flow)
        self._driver.run()

    def names(self) -> set[str]:
        """Who is registered, by all names."""
        return {text for endpoint in list(self.gatekeeper.zone.endpoints.values()) for _, text in endpoint.aliases}
