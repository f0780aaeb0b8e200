"""One end of ICE on real sockets: the core's gathering and agent, moved by asyncio."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from firmware.call.ice import Candidate, Credentials, Ice, Selected
from firmware.ice.agent import Agent
from firmware.ice.credentials import make_credentials
from firmware.ice.datagram import Datagram
from firmware.ice.event import Event
from firmware.ice.gathering import Gathering
from firmware.ice.turn_server import TurnServer
from firmware.sansio import Address


async def until(wanted: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until it is so."""
    for _ in range(int(seconds * 100)):
        if wanted():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes, Address], None]) -> None:
        self.datagram_received = receive  # type: ignore[assignment]


class IceEnd:
    """An end with a socket for each component.  Use as an asynchronous context manager."""

    def __init__(
        self, address: str, components: int = 1, *, stun: Sequence[Address] = (), turn: TurnServer | None = None
    ) -> None:
        self.credentials: Credentials = make_credentials(random.SystemRandom())
        self.gathering: Gathering
        self.agent: Agent | None = None
        self.events: list[Event] = []
        self.heard: list[tuple[int, bytes, Address]] = []
        self.only: Address | None = None
        """Whom alone its datagrams reach, and whose reach it: as behind a wall."""
        self._address, self._components, self._stun, self._turn = address, components, stun, turn
        self._sockets: dict[int, asyncio.DatagramTransport] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> IceEnd:
        self._loop = asyncio.get_running_loop()
        bases: dict[int, Address] = {}
        for component in range(1, self._components + 1):
            transport, _ = await self._loop.create_datagram_endpoint(
                lambda number=component: _Socket(  # type: ignore[misc]
                    lambda data, source: self._receive(number, data, (source[0], source[1]))
                ),
                local_addr=(self._address, 0),
            )
            self._sockets[component] = transport
            bases[component] = transport.get_extra_info("sockname")[:2]
        self.gathering = Gathering(bases, self._stun, self._turn, random.SystemRandom(), self._loop.time())
        self._flush()
        await until(lambda: self.gathering.done, 5.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        (self.agent or self.gathering).close(self._loop.time())
        self._flush()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.sleep(0)
        for transport in self._sockets.values():
            transport.close()

    def start(self, theirs: Credentials, remote: tuple[Candidate, ...], *, controlling: bool) -> None:
        """Look for a way."""
        gathering = self.gathering
        ice = Ice(controlling, self.credentials, theirs, gathering.candidates, remote, gathering.allocations)
        self.agent = Agent(ice, random.SystemRandom(), self._loop.time())
        self._flush()

    def say(self, data: bytes, component: int = 1) -> None:
        assert self.agent is not None
        datagram = self.agent.wrap(component, data)
        assert datagram is not None, "there is no way"
        self._send(datagram)

    def selected(self) -> dict[int, Selected]:
        return {each.component: each for each in self.events if isinstance(each, Selected)}

    def _receive(self, component: int, data: bytes, source: Address) -> None:
        if self.only is not None and source != self.only:
            return
        now = self._loop.time()
        if self.agent is None:
            self.gathering.receive(component, data, source, now)
        elif (found := self.agent.receive(component, data, source, now)) is not None:
            self.heard.append((component, *found))
        self._flush()

    def _due(self) -> None:
        (self.agent or self.gathering).handle_timer(self._loop.time())
        self._flush()

    def _flush(self) -> None:
        core = self.agent or self.gathering
        for datagram in core.datagrams():
            self._send(datagram)
        if self.agent is not None:
            self.events += self.agent.events()
        if self._timer is not None:
            self._timer.cancel()
        due = core.timer()
        self._timer = self._loop.call_at(due, self._due) if due is not None else None

    def _send(self, datagram: Datagram) -> None:
        if self.only is None or datagram.destination == self.only:
            self._sockets[datagram.component].sendto(datagram.data, datagram.destination)
