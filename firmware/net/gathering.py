"""Where a pair of media ports can be reached, asked of STUN and TURN servers before a call says so (RFC 8445 5.1).

Rule 1: nobody waits longer than `PATIENCE`, names of servers included: what is known by then has to do.
Rule 2: what was found is kept until the sockets go to the media process, or the call is over: a far end may ring for
minutes.
Rule 3: without servers nothing is sent, and the sockets are left alone.
Rule 4: streams to a TURN server stay here as long as the call lasts, see `turn_streams`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from firmware.config.nat import DEFAULT_PORT, TurnUri, read_turn
from firmware.config.words import host_and_port
from firmware.errors import CallError, FirmwareError
from firmware.ice.gathering import Gathering
from firmware.ice.turn_server import TurnServer
from firmware.net.address import at, kernel_address, remote_address, without_scope
from firmware.net.resolver import is_address, resolve

if TYPE_CHECKING:
    import socket

    from firmware.call.ice import Allocation, Candidate
    from firmware.config import Nat
    from firmware.net.ports import PortPool
    from firmware.net.tls import Tls
    from firmware.net.turn_streams import TurnStreams
    from firmware.sansio import Address

logger = logging.getLogger(__name__)

PATIENCE: Final = 2.0
"""Seconds: a person has just dialled."""
LOOK_UP_TIME: Final = 1.0
"""Of it, for the names of the servers."""
MAX_OTHERS: Final = 3
"""Addresses of this machine beside that by which the far end is called: each is checked with each of the far end's."""
MAX_DATAGRAM: Final = 2_048
"""Bytes; no server's answer is that long."""
BURST: Final = 16
"""Datagrams read before others have their turn."""


class Gatherers:
    """Makes them: call it with the RTP address of a reserved pair of ports."""

    def __init__(
        self,
        ports: PortPool,
        nat: Nat,
        rng: random.Random | None = None,
        *,
        tls: Tls | None = None,
        hosts: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """*tls* is what streams to a TURN server are secured with, where the settings want that; *hosts* gives all
        addresses of this machine at which a far end may find it.
        """
        self._ports = ports
        self._nat = nat
        self._rng = rng or random.SystemRandom()
        self._tls = tls
        self._hosts = hosts

    def __call__(self, address: Address) -> Gatherer:
        """Begin to gather."""
        sockets = dict(enumerate(self._ports.sockets(address), 1))
        others = self._reserve_others(address[0])
        return Gatherer(sockets, address, self._nat, self._rng, self._tls, others, self._ports.release)

    def _reserve_others(self, host: str) -> tuple[Address, ...]:
        """Reserve a pair of ports at each other address of this machine; who is called on loopback needs none."""
        if ipaddress.ip_address(without_scope(host)).is_loopback:
            return ()
        try:
            others = [other for other in self._hosts() if other != host][:MAX_OTHERS]
        except OSError as error:
            logger.debug("Own addresses: %s", error)
            return ()
        reserved: list[Address] = []
        for other in others:
            with contextlib.suppress(CallError):  # gone meanwhile, or all its ports are in use
                reserved.append(self._ports.reserve(other).address)
        return tuple(reserved)


class Gatherer:
    """What is found of one pair (`firmware.signaling.sip_ice.Gatherer`)."""

    def __init__(
        self,
        sockets: dict[int, socket.socket],
        address: Address,
        nat: Nat,
        rng: random.Random,
        tls: Tls | None = None,
        others: tuple[Address, ...] = (),
        release: Callable[[Address], None] = lambda _address: None,
    ) -> None:
        """*sockets* are those of RTP (1) and RTCP (2), at *address* and the next port; *others* are RTP addresses that
        are reserved as well, which *release* gives back.
        """
        self.on_done: Callable[[], None] = lambda: None
        self.done = False
        """Whether all is known that will be."""
        self._sockets = sockets
        self._bases = _bases(address)
        self.others: Final = others
        """More RTP addresses of ours, which are candidates too; reserved until `close`."""
        self._release = release
        self._nat = nat
        self._rng = rng
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._left = self._closed = False
        self._tls = tls
        self._turn: TurnUri | None = read_turn(nat.turn) if nat.turn else None
        self._streams: TurnStreams | None = None
        servers = [host_and_port(name, DEFAULT_PORT) for name in nat.stun]
        if self._turn is not None:
            servers.append((self._turn.host, self._turn.port))
        if all(is_address(host) for host, _ in servers):
            self._gathering = self._begin(servers)
            self._run()
        else:
            self._gathering = self._begin([])
            self._task = self._loop.create_task(self._look_up(servers))
        self._patience = self._loop.call_later(PATIENCE, self._finish)
        if self.done:
            self._patience.cancel()

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What was found."""
        return self._gathering.candidates

    @property
    def allocations(self) -> tuple[Allocation, ...]:
        """What TURN servers keep for us, as it is now."""
        return self._gathering.allocations

    def hand_over(self) -> None:
        """Leave the sockets and all that was found to the media process."""
        if not self._left:
            self._left = True
            for sock in self._sockets.values():
                self._loop.remove_reader(sock)
            for running in (self._task, self._timer, self._patience):
                if running is not None:
                    running.cancel()

    def close(self) -> None:
        """Leave the sockets, and give back the allocations that were not handed over; streams end."""
        if not self._left:
            self._gathering.close(self._loop.time())
            self._send()
            self.hand_over()
        if self._streams is not None:
            self._streams.close()
        if not self._closed:
            self._closed = True
            for address in self.others:
                self._release(address)

    async def _look_up(self, servers: list[Address]) -> None:
        """Begin with the addresses of the servers, as far as they are found in time."""
        found = await asyncio.gather(*map(self._address_of, servers))
        if not self._left and not self.done:
            self._gathering = self._begin(found)
            self._run()

    async def _address_of(self, server: Address) -> Address | None:
        try:
            async with asyncio.timeout(LOOK_UP_TIME):
                addresses = [address for _, address in await resolve(*server, "")]
        except (FirmwareError, TimeoutError) as error:
            logger.warning("= STUN or TURN server %s: %s", server[0], error or "its name is not found in time")
            return None
        family = [address for address in addresses if (":" in address[0]) is (":" in self._bases[1][0])]
        return family[0] if family else None

    def _begin(self, servers: list[Address | None] | list[Address]) -> Gathering:
        """Begin to ask; *servers* are those of STUN, and that of TURN last, None where unknown."""
        found = list(servers)
        turn = found.pop() if self._turn is not None and found else None
        return Gathering(
            self._bases,
            [address for address in found if address is not None],
            self._turn_server(self._turn, turn) if self._turn is not None and turn is not None else None,
            self._rng,
            self._loop.time(),
            [_bases(address) for address in self.others],
        )

    def _turn_server(self, uri: TurnUri, address: Address) -> TurnServer | None:
        user = self._nat.turn_user, self._nat.turn_password
        if uri.transport == "udp":
            return TurnServer(address, *user, name=uri.host)
        from firmware.net.turn_streams import TurnStreams  # only where nothing else is let out

        domain = uri.host if uri.transport == "tls" else ""
        clients = self._bases.values()
        try:
            self._streams = TurnStreams(clients, uri.transport, address, domain, self._tls, self._stream_failed)
        except OSError as error:
            logger.warning("= TURN server %s: %s", uri.host, error.strerror)
            return None
        return TurnServer(self._streams.address, *user, reliable=True, name=uri.host)

    def _stream_failed(self, words: str) -> None:
        if self.done:
            logger.warning("= TURN server %s: %s", self._nat.turn, words)
        if not self._left:
            self._gathering.turn_unreachable(words, self._loop.time())
            self._go_on()

    def _run(self) -> None:
        if not self._gathering.done:
            for component, sock in self._sockets.items():
                self._loop.add_reader(sock, self._read, component, sock)
        self._go_on()

    def _read(self, component: int, sock: socket.socket) -> None:
        for _ in range(BURST):
            try:
                data, source = sock.recvfrom(MAX_DATAGRAM)
            except OSError:  # nothing more, or an answer of ICMP, which a server may send as well as anybody
                break
            self._gathering.receive(component, data, remote_address(source), self._loop.time())
        self._go_on()

    def _handle_timer(self) -> None:
        self._gathering.handle_timer(self._loop.time())
        self._go_on()

    def _go_on(self) -> None:
        """Send what is to be sent, and be there when the next is due."""
        self._send()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._gathering.timer()
        if due is not None and not self._left:
            self._timer = self._loop.call_at(due, self._handle_timer)
        if self._gathering.done:
            self._finish()

    def _send(self) -> None:
        for datagram in self._gathering.datagrams():
            try:
                self._sockets[datagram.component].sendto(datagram.data, kernel_address(datagram.destination))
            except OSError as error:
                logger.debug("To %s: %s", at(datagram.destination), error)

    def _finish(self) -> None:
        if self.done or self._left:
            return
        self.done = True
        if self._streams is not None and not self._gathering.allocations:
            self._streams.close()
        for failure in self._gathering.failures:
            logger.warning("= %s", failure)
        self.on_done()


def _bases(address: Address) -> dict[int, Address]:
    """Give the addresses of RTP's socket and RTCP's."""
    return {1: address, 2: (address[0], address[1] + 1)}
