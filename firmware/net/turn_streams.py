"""A TURN server by TCP or TLS (RFC 8656 2.1), for the UDP sockets of a pair of ports: where nothing else is let out.

::

    RTP's socket  ◀── UDP, on this machine ──▶  `address`  ◀── a stream of its own ──▶  TURN server
    RTCP's socket ◀──────────────────────────▶             ◀──────────────────────────▶

Rule 1: to whoever has the sockets, this is the server: an allocation belongs to its stream (RFC 8656 6), so
that the streams are kept in the room's process, and outlive a media process that dies.
Rule 2: what can't leave within `PATIENCE` is dropped, requests excepted: TCP would hold back what is new for what is
old.  Each socket has a stream of its own, so that no picture holds back the sound.
Rule 3: what a server sends that is not TURN ends the stream; what comes faster than it is read, the kernel drops.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.ice.attribute import LIFETIME
from firmware.ice.datagram import is_stun
from firmware.ice.framing import MAX_MESSAGE, FrameReader, frame
from firmware.ice.message import REFRESH
from firmware.net.address import at, kernel_address, own_kernel_address, remote_address
from firmware.net.connections import Connections
from firmware.sansio import Flow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firmware.net.tls import Tls
    from firmware.sansio import Address

logger = logging.getLogger(__name__)

PATIENCE: Final = 0.4
"""Seconds for which something may have been waiting all the time; then what is new is dropped until nothing waits."""
MAX_WAITING: Final = 192 * 1024
"""Bytes of one stream: some 0.4 s of 4 Mbit/s."""
LAST_WORDS: Final = 1.0
"""Seconds after `TurnStreams.close` in which the media process may still give its allocations back."""
NOT_SENT: Final = 16_384
"""Bytes not sent yet that the kernel takes of a stream; it would take megabytes, where nobody can drop them."""
_REFRESH: Final = REFRESH.to_bytes(2, "big")
_LIFETIME_0: Final = (LIFETIME.type << 16 | 4).to_bytes(4, "big") + bytes(4)
BURST: Final = 64
"""Datagrams read before others have their turn."""


@dataclass(slots=True)
class _Client:
    """One socket that uses the server."""

    flow: Flow
    reader: FrameReader = field(default_factory=FrameReader)
    waiting_since: float = 0.0
    """When nothing was waiting to be sent last."""
    dropped: int = 0
    given_back: bool = False
    """The client wants no allocation any more: the server may close the stream."""
    gone: bool = False


class TurnStreams:
    """The streams of these *clients*, addresses of ours, to a server.

    *transport* is ``tcp`` or ``tls``; the certificate must then be for *domain*.  *on_failed* is called once, with the
    reason, when one of them can't be made or is lost.  OSError: no socket can be made.
    """

    def __init__(
        self,
        clients: Iterable[Address],
        transport: str,
        server: Address,
        domain: str,
        tls: Tls | None,
        on_failed: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_failed = on_failed
        self._clients = {client: _Client(Flow(transport, client, server, domain=domain)) for client in clients}
        self._by_flow = {known.flow: (client, known) for client, known in self._clients.items()}
        host = next(iter(self._clients))[0]
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind(own_kernel_address((host, 0)))
        except OSError:
            self._socket.close()
            raise
        self.address: Final[Address] = (host, self._socket.getsockname()[1])
        """Where the clients' sockets reach the server."""
        self._failed = self._closing = False
        self._loop.add_reader(self._socket, self._read)
        self._connections = Connections(self, tls)
        for known in self._clients.values():
            self._connections.open(known.flow)

    def close(self) -> None:
        """End the streams, after what the clients have yet to say."""
        if not self._closing:
            self._closing = True
            self._loop.call_later(LAST_WORDS, self._end)

    def _end(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for known in self._clients.values():
            self._connections.close(known.flow)

    # What the clients send

    def _read(self) -> None:
        now = self._loop.time()
        for _ in range(BURST):
            try:
                data, source = self._socket.recvfrom(MAX_MESSAGE + 1)
            except OSError:
                return
            known = self._clients.get(remote_address(source))
            if known is not None and not known.gone and len(data) <= MAX_MESSAGE:
                self._send(known, data, now)

    def _send(self, known: _Client, data: bytes, now: float) -> None:
        unsent = self._connections.unsent(known.flow)
        if not unsent:
            known.waiting_since = now
        late = now - known.waiting_since > PATIENCE or unsent > MAX_WAITING
        if late and not _is_request(data):
            if not known.dropped:
                logger.warning("= TURN server %s: the stream is too slow, packets are dropped", at(known.flow.remote))
            known.dropped += 1
            return
        known.given_back = known.given_back or _gives_back(data)
        self._connections.send(known.flow, frame(data))

    # Connections' user

    def flow_opened(self, flow: Flow) -> None:
        """Take that a stream is there."""
        self._connections.keep_little_unsent(flow, NOT_SENT)

    def flow_received(self, flow: Flow, data: bytes) -> None:
        """Pass on what the server says."""
        client, known = self._by_flow[flow]
        try:
            datagrams = known.reader.receive(data)
        except DecodeError as error:
            self._connections.drop(flow)
            self.flow_failed(flow, f"it does not speak TURN: {error}")
            return
        for datagram in datagrams:
            try:
                self._socket.sendto(datagram, kernel_address(client))
            except OSError as error:
                logger.debug("To %s: %s", at(client), error)

    def flow_failed(self, flow: Flow, words: str) -> None:
        """Take that a stream is over, or was never to be: the others are of no use then."""
        _, known = self._by_flow[flow]
        known.gone = True
        if not self._failed and not self._closing and not known.given_back:
            self._failed = True
            self._loop.call_soon(self._on_failed, words)


def _gives_back(data: bytes) -> bool:
    """Whether this ends an allocation: a Refresh request with a LIFETIME of 0 (RFC 8656 8)."""
    return data.startswith(_REFRESH) and _LIFETIME_0 in data


def _is_request(data: bytes) -> bool:
    """Whether somebody waits for an answer to this (RFC 8489 5: a class of 0b00); it goes once only."""
    return is_stun(data) and not (data[0] & 1 or data[1] & 0x10)
