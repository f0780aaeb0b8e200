"""What stands in for sockets where an endpoint runs on the virtual network: its transport and its media ports."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from wire import Wire

from firmware.errors import CallError
from firmware.sansio import Address, Core, Flow


class WireTransport:
    """What `firmware.net.driver.Driver` is on a real network; events that come inside of an event wait their turn."""

    _inside: ClassVar[set[Wire]] = set()

    def __init__(self, wire: Wire, address: Address, core: Core, on_event: Callable[[Any], None]) -> None:
        self.wire, self.address, self._on_event = wire, address, on_event
        self.listeners: tuple[tuple[str, Address], ...] = ()
        self.core = core
        wire.attach(address, core, self._event)

    def now(self) -> float:
        return self.wire.now

    def run(self) -> None:
        if self.wire not in self._inside:
            self.wire.collect()

    def local_flow(self, transport: str, remote: Address, domain: str = "") -> Flow:
        local = next((address for way, address in self.listeners if way == transport), self.address)
        return Flow(transport, local, remote, domain=domain.lower() if transport == "tls" else "")

    def failure(self, flow: Flow) -> str:
        return ""

    async def listen(self, transport: str, host: str, port: int) -> None:
        self.listeners += ((transport, (host, port)),)
        self.wire.attach(self.address, self.core, self._event, also=[(host, port)])

    async def stop(self) -> None:
        self.wire.cores.pop(self.address, None)

    def _event(self, event: Any) -> None:
        nested = self.wire in self._inside
        self._inside.add(self.wire)
        try:
            self._on_event(event)
        finally:
            if not nested:
                self._inside.discard(self.wire)


class MemoryPair:
    def __init__(self, address: Address) -> None:
        self.address = address


class MemoryPorts:
    """What `firmware.net.ports.PortPool` is on a real network."""

    def __init__(self, first: int = 40_000, count: int = 1_000) -> None:
        self._next, self._count = first, count
        self.reserved: set[Address] = set()

    def reserve(self, host: str) -> MemoryPair:
        if len(self.reserved) >= self._count:
            raise CallError("no pair of media ports is free")
        address = (host, self._next)
        self._next += 2
        self.reserved.add(address)
        return MemoryPair(address)

    def release(self, address: Address) -> None:
        self.reserved.discard(address)


def complete(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that has nothing to wait for on the virtual network."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise AssertionError("it waits for something")
