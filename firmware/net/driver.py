"""Run one protocol core on the event loop: its bytes, its timers, its events.

Rule 1: whoever gives the core a command calls `Driver.run` afterwards; what comes from the network runs it by itself,
once for all that came together.
Rule 2: the local address of a flow is one that the far end can reach, never a wildcard (see `firmware.sansio.Flow`).
Rule 3: whatever goes wrong with one flow ends that flow only.  This is the first of the three borders that catch every
exception: the flow is dropped, and one line says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from firmware.errors import FirmwareError
from firmware.net.datagram import DatagramSocket
from firmware.net.stream import Stream
from firmware.sansio import Close, Flow, Open, Send

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sansio import Action, Address, Core

logger = logging.getLogger(__name__)

MAX_STREAMS: Final = 256
"""Connections at the same time."""
MAX_STREAMS_PER_HOST: Final = 32
"""Accepted connections from one address; a proxy needs one or two."""
CONNECT_TIME: Final = 10.0
"""Seconds for a connection to be made."""
STOP_TIME: Final = 0.5
"""Seconds in which `stop` lets written bytes leave."""
MAX_ROUNDS: Final = 100
"""Times that a core may want something more at once, before the event loop gets its turn."""
MAX_REMEMBERED: Final = 1024
"""Far ends that ICMP errors are told apart by."""
BACKLOG: Final = 64

_NO_FAMILY: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)


class Driver:
    """The sockets of one core.  *on_event* is called with each of the core's events."""

    def __init__(self, core: Core, on_event: Callable[[Any], None]) -> None:
        self._core = core
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._datagrams: dict[Address, DatagramSocket] = {}
        self._servers: dict[Address, asyncio.Server] = {}
        self._streams: dict[Flow, Stream] = {}
        self._accepted: Counter[str] = Counter()
        self._connecting: set[asyncio.Task[None]] = set()
        self._failed: list[tuple[Flow, str]] = []
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
        return (*(("udp", a) for a in self._datagrams), *(("tcp", a) for a in self._servers))

    async def listen(self, transport: str, host: str, port: int) -> None:
        """Listen for ``udp`` or ``tcp`` on an address of ours, or on the wildcard of a family (passed over where the
        machine has no such family).  FirmwareError: that can't be done, and why.
        """
        try:
            if transport == "udp":
                datagrams = DatagramSocket(self._loop, (host, port), self._datagram, self._unreachable, self.run)
                self._datagrams[datagrams.address] = datagrams
            else:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
                address = listener.getsockname()[:2]
                self._servers[address] = await self._loop.create_server(self._accept, sock=listener)
        except OSError as error:
            if error.errno in _NO_FAMILY and ipaddress.ip_address(host).is_unspecified:
                logger.info("= no %s on %s: %s", transport, at((host, port)), error.strerror)
                return
            words = _OS_WORDS.get(error.errno or 0) or error.strerror or str(error)
            raise FirmwareError(f"cannot listen on {transport} {at((host, port))}: {words}") from None

    def local_flow(self, transport: str, remote: Address) -> Flow:
        """Give the flow by which *remote* is called.  FirmwareError: there is no way to it."""
        listening = self._servers if transport == "tcp" else self._datagrams
        ipv6 = ":" in remote[0]
        fitting = [address for address in listening if (":" in address[0]) is ipv6]
        if not fitting:
            raise FirmwareError(f"this unit does not use {transport} with {'IPv6' if ipv6 else 'IPv4'}")
        source = source_address(remote)
        for address in fitting:
            if address[0] == source or ipaddress.ip_address(address[0]).is_unspecified:
                return Flow(transport, (source, address[1]), remote)
        return Flow(transport, fitting[0], remote)

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
        for server in self._servers.values():
            server.close()
        for task in self._connecting:
            task.cancel()
        streams = [stream for stream in self._streams.values() if stream.transport is not None]
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        # What is written may still leave; a far end that does not read gets no more than this.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIME):
                await asyncio.gather(*(stream.lost.wait() for stream in streams))
        for stream in streams:
            stream.abort()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        await asyncio.sleep(0)

    # The core's side

    def _round(self) -> bool:
        """Collect actions and events once; whether there were any."""
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
        again = bool(actions or events or failed or self._woken)
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
                stream = self._streams.get(flow)
                if stream is None:
                    self._failed.append((flow, "there is no such connection"))
                elif not stream.write(data):
                    self._drop(flow)
                    self._failed.append((flow, "the far end does not read"))
            case Open() if flow in self._streams:
                if self._streams[flow].transport is not None:
                    self._guard(flow, self._core.flow_opened, flow, self.now())
            case Open():
                self._open(flow)
            case Close():
                stream = self._streams.pop(flow, None)
                if stream is not None:
                    self._count_out(stream)
                    stream.close()

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
                self._drop(flow)
                self._failed.append((flow, "dropped"))

    def _lost(self, flow: Flow, words: str) -> None:
        logger.debug("= %s %s: %s", flow.transport, at(flow.remote), words)
        try:
            self._core.flow_closed(flow, self.now())
        except Exception as error:
            logger.error("= %s %s: %s: %s", flow.transport, at(flow.remote), type(error).__name__, error)

    # Datagrams

    def _datagram(self, local: Address, remote: Address, data: bytes) -> None:
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

    def _open(self, flow: Flow) -> None:
        if len(self._streams) >= MAX_STREAMS:
            self._failed.append((flow, "too many connections"))
            return
        stream = self._streams[flow] = Stream(self._opened, self._data, self._closed, flow)
        task = self._loop.create_task(self._connect(flow, stream))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, flow: Flow, stream: Stream) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIME):
                await self._loop.create_connection(lambda: stream, *flow.remote, local_addr=(flow.local[0], 0))
        except OSError as error:  # TimeoutError is one
            stream.fail(error.strerror or f"not connected within {CONNECT_TIME:.0f} s")

    def _accept(self) -> Stream:
        return Stream(self._opened, self._data, self._closed)

    def _opened(self, stream: Stream) -> bool:
        transport = stream.transport
        if self._stopped or transport is None:
            return False
        if stream.flow is None:
            remote, local = transport.get_extra_info("peername")[:2], transport.get_extra_info("sockname")[:2]
            flow = Flow("tcp", (_without_scope(local[0]), local[1]), remote)
            if flow in self._streams:
                # It calls from the port at which we have called it: to the core, both would be one and the same.
                logger.debug("= tcp %s: refused, there is one already", at(remote))
                return False
            if len(self._streams) >= MAX_STREAMS or self._accepted[remote[0]] >= MAX_STREAMS_PER_HOST:
                logger.debug("= tcp %s: refused, too many connections", at(remote))
                return False
            stream.flow = flow
            self._streams[flow] = stream
            self._accepted[remote[0]] += 1
        self._guard(stream.flow, self._core.flow_opened, stream.flow, self.now())
        self._soon()
        return True

    def _data(self, stream: Stream, data: bytes) -> None:
        assert stream.flow is not None
        _log("<", stream.flow, data)
        self._guard(stream.flow, self._core.receive_data, stream.flow, data, self.now())
        self.run()

    def _closed(self, stream: Stream, words: str) -> None:
        flow = stream.flow
        if flow is not None and self._streams.get(flow) is stream:
            del self._streams[flow]
            self._count_out(stream)
            self._failed.append((flow, words))
            self._soon()

    def _drop(self, flow: Flow) -> None:
        stream = self._streams.pop(flow, None)
        if stream is not None:
            self._count_out(stream)
            stream.abort()

    def _count_out(self, stream: Stream) -> None:
        if stream.accepted and stream.flow is not None:
            host = stream.flow.remote[0]
            self._accepted[host] -= 1
            if self._accepted[host] <= 0:
                del self._accepted[host]

    def _soon(self) -> None:
        self._loop.call_soon(self.run)


_OS_WORDS: Final = {
    errno.EADDRINUSE: "the port is in use",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "not allowed to use this port",
}


def source_address(remote: Address) -> str:
    """Give the address of ours from which the kernel would send there.  FirmwareError: there is no route."""
    with socket.socket(socket.AF_INET6 if ":" in remote[0] else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(remote)  # sends nothing
        except OSError as error:
            raise FirmwareError(f"no way to {at(remote)}: {error.strerror}") from None
        return _without_scope(probe.getsockname()[0])


def _log(direction: str, flow: Flow, data: bytes) -> None:
    """Write the first line of what is sent or received; the rest may hold what is nobody's business."""
    if logger.isEnabledFor(logging.DEBUG):
        line = repr(data[:100].split(b"\r\n", 1)[0])[2:-1]
        logger.debug("%s %s %s %s (%d bytes)", direction, flow.transport, at(flow.remote), line, len(data))


def _without_scope(host: str) -> str:
    return host.partition("%")[0]


def at(address: Address) -> str:
    """Write an address for people: ``192.0.2.1:5060``, ``[2001:db8::1]:5060``."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
