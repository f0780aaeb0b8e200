"""Run one protocol core on the event loop: its bytes, its timers, its events.

Rule 1: whoever gives the core a command calls `Driver.run` afterwards; what comes from the network runs it by itself,
once for all that came together.
Rule 2: the local address of a flow is one that the far end can reach, never a wildcard (see `firmware.sansio.Flow`).
Rule 3: whatever goes wrong with one flow ends that flow only.  This is the first of the three borders that catch every
exception: the flow is dropped, and one line says so.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
from typing import TYPE_CHECKING, Any, Final

from firmware.errors import FirmwareError
from firmware.net.address import at, source_address
from firmware.net.connections import Connections
from firmware.net.datagram import DatagramSocket
from firmware.sansio import Close, Flow, Open, Send

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.net.tls import Tls
    from firmware.sansio import Action, Address, Core

logger = logging.getLogger(__name__)

STOP_TIME: Final = 0.5
"""Seconds in which `stop` lets written bytes leave."""
MAX_ROUNDS: Final = 100
"""Times that a core may want something more at once, before the event loop gets its turn."""
MAX_FAILURES: Final = 64
"""Flows of which it is remembered why they failed."""
MAX_REMEMBERED: Final = 1024
"""Far ends that ICMP errors are told apart by."""

_WILDCARDS: Final = ("0.0.0.0", "::")
_NO_FAMILY: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)


class Driver:
    """The sockets of one core.  *on_event* is called with each of the core's events."""

    def __init__(self, core: Core, on_event: Callable[[Any], None], tls: Tls | None = None, dscp: int = 0) -> None:
        """*tls* is what connections by ``tls`` are secured with; None: there are none.  *dscp* marks what is sent."""
        self._core = core
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._datagrams: dict[Address, DatagramSocket] = {}
        self._dscp = dscp
        self._connections = Connections(self, tls, dscp)
        self._failed: list[tuple[Flow, str]] = []
        self._words: dict[Flow, str] = {}
        self._sent_by: dict[Address, Flow] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._running = False
        self._woken = False
        self._stopped = False

    def now(self) -> float:
        """The time that the core is told, s."""
        return self._loop.time()

    @property
    def listeners(self) -> tuple[tuple[str, Address], ...]:
        """Transport and address of everything that is listened on; an address may be a wildcard."""
        return (*(("udp", address) for address in self._datagrams), *self._connections.listeners)

    async def listen(self, transport: str, host: str, port: int) -> None:
        """Listen for ``udp``, ``tcp`` or ``tls`` on an address of ours, or on the wildcard of a family (passed over
        where the machine has no such family).  FirmwareError: that can't be done, and why.
        """
        try:
            if transport == "udp":
                datagrams = DatagramSocket(
                    self._loop, (host, port), self._datagram, self._unreachable, self.run, self._dscp
                )
                self._datagrams[datagrams.address] = datagrams
            else:
                await self._connections.listen(transport, host, port)
        except OSError as error:
            if error.errno in _NO_FAMILY and ipaddress.ip_address(host).is_unspecified:
                logger.info("= no %s on %s: %s", transport, at((host, port)), error.strerror)
                return
            words = _OS_WORDS.get(error.errno or 0) or error.strerror or str(error)
            raise FirmwareError(f"cannot listen on {transport} {at((host, port))}: {words}") from None

    def local_flow(self, transport: str, remote: Address, domain: str = "") -> Flow:
        """Give the flow by which *remote* is called; by TLS it must have a certificate for *domain*, or else for its
        address.  FirmwareError: there is no way to it.
        """
        ipv6 = ":" in remote[0]
        fitting = [address for way, address in self.listeners if way == transport and (":" in address[0]) is ipv6]
        if not fitting:
            raise FirmwareError(f"this unit does not use {transport} with {'IPv6' if ipv6 else 'IPv4'}")
        domain = domain.lower() if transport == "tls" else ""
        source = source_address(remote)
        for address in fitting:
            if address[0] in (source, *_WILDCARDS):
                return Flow(transport, (source, address[1]), remote, domain=domain)
        return Flow(transport, fitting[0], remote, domain=domain)

    def failure(self, flow: Flow) -> str:
        """Say why a flow failed lately, in words for people; "": it did not, or that is long ago."""
        return self._words.get(flow, "")

    def run(self) -> None:
        """Do what the core wants done, then wait for its next timer."""
        if self._running or self._stopped:
            self._woken = True
            return
        self._running, self._woken = True, False
        try:
            for _ in range(MAX_ROUNDS):
                if not self._round():
                    break
            else:
                self._soon()
        finally:
            self._running = False
        self._set_alarm()

    async def stop(self) -> None:
        """Deliver what is written, then close everything."""
        self.run()
        self._stopped = True
        if self._alarm is not None:
            self._alarm.cancel()
        for datagrams in self._datagrams.values():
            datagrams.close()
        await self._connections.stop(STOP_TIME)
        await asyncio.sleep(0)

    # The core's side

    def _round(self) -> bool:
        """Collect actions and events once; whether the core may have something more to say."""
        actions = self._core.actions()
        for action in actions:
            try:
                self._do(action)
            except OSError as error:
                self._failed.append((action.flow, error.strerror or str(error)))
        failed, self._failed = self._failed, []
        for flow, words in failed:
            self._lost(flow, words)
        events = self._core.events()
        for event in events:
            self._guard(None, self._on_event, event)
        again = bool(events or failed or self._woken)
        self._woken = False
        return again

    def _do(self, action: Action) -> None:
        flow = action.flow
        if isinstance(action, Send):
            _log(">", flow, action.data)
        match action:
            case Send(data=data) if flow.transport == "udp":
                self._remember(flow)
                self._datagrams_of(flow).send(flow.local, flow.remote, data)
            case Send(data=data):
                self._connections.send(flow, data)
            case Open():
                self._connections.open(flow)
            case Close():
                self._connections.close(flow)

    def _datagrams_of(self, flow: Flow) -> DatagramSocket:
        exact = self._datagrams.get(flow.local)
        if exact is not None:
            return exact
        wildcard = self._datagrams.get(("::" if ":" in flow.local[0] else "0.0.0.0", flow.local[1]))
        if wildcard is None:
            raise OSError(errno.EADDRNOTAVAIL, "this address is not listened on")
        return wildcard

    def _set_alarm(self) -> None:
        due = self._core.timer()
        if due == self._due and self._alarm is not None and not self._alarm.cancelled():
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._due = due
        self._alarm = self._loop.call_at(due, self._wake) if due is not None else None

    def _wake(self) -> None:
        due = self._due or 0.0
        self._alarm = self._due = None
        # Some loops count in milliseconds and may be early by one.
        self._guard(None, self._core.handle_timer, max(self.now(), due))
        self.run()

    def _guard(self, flow: Flow | None, call: Callable[..., object], *arguments: Any) -> None:
        """Call; border no. 1: whatever this raises ends the flow, not the unit."""
        try:
            call(*arguments)
        except Exception as error:
            where = f"{flow.transport} {at(flow.remote)}" if flow else getattr(call, "__name__", "a callback")
            logger.error("= %s: dropped after %s: %s", where, type(error).__name__, error)
            logger.debug("= where it was raised:", exc_info=True)
            if flow is not None and flow.reliable:
                self._connections.drop(flow)
                self._failed.append((flow, "dropped"))

    def _lost(self, flow: Flow, words: str) -> None:
        self._words.pop(flow, None)
        self._words[flow] = words
        if len(self._words) > MAX_FAILURES:
            del self._words[next(iter(self._words))]
        logger.debug("= %s %s: %s", flow.transport, at(flow.remote), words)
        try:
            self._core.flow_closed(flow, self.now())
        except Exception as error:
            logger.error("= %s %s: %s: %s", flow.transport, at(flow.remote), type(error).__name__, error)

    # Datagrams

    def _datagram(self, local: Address, remote: Address, data: bytes) -> None:
        flow = self._sent_by.get(remote)
        if flow is None or flow.local != local:
            flow = Flow("udp", local, remote)
        _log("<", flow, data)
        self._guard(flow, self._core.receive_data, flow, data, self.now())

    def _unreachable(self, remote: Address, words: str) -> None:
        """Take an ICMP error (RFC 3261 18.4)."""
        flow = self._sent_by.pop(remote, None)
        if flow is not None:
            self._failed.append((flow, words))
            self._soon()

    def _remember(self, flow: Flow) -> None:
        """Keep by which flow a far end was sent to, for an error that names the far end only."""
        if len(self._sent_by) >= MAX_REMEMBERED:
            self._sent_by.clear()
        self._sent_by[flow.remote] = flow

    # Streams

    def flow_opened(self, flow: Flow) -> None:
        """Take that data can go both ways."""
        self._words.pop(flow, None)
        self._guard(flow, self._core.flow_opened, flow, self.now())
        self._soon()

    def flow_received(self, flow: Flow, data: bytes) -> None:
        """Take what came."""
        _log("<", flow, data)
        self._guard(flow, self._core.receive_data, flow, data, self.now())
        self.run()

    def flow_failed(self, flow: Flow, words: str) -> None:
        """Take that a stream is over."""
        self._failed.append((flow, words))
        self._soon()

    def _soon(self) -> None:
        self._loop.call_soon(self.run)


_OS_WORDS: Final = {
    errno.EADDRINUSE: "the port is in use",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "not allowed to use this port",
}


def _log(direction: str, flow: Flow, data: bytes) -> None:
    """Write the first line of what is sent or received; the rest may hold what is nobody's business."""
    if logger.isEnabledFor(logging.DEBUG):
        line = repr(data[:100].split(b"\r\n", 1)[0])[2:-1]
        logger.debug("%s %s %s %s (%d bytes)", direction, flow.transport, at(flow.remote), line, len(data))
