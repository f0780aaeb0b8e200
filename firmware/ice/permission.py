"""Whom a TURN server relays to: permissions and channels of one allocation (RFC 8656 9, 12).

Rule 1: a permission is for a host, lasts 5 minutes, and is asked for when the first datagram is for it; what is to be
sent until it is granted waits, the newest few for each host.
Rule 2: permissions and channels are renewed as long as they are used, before they end.
Rule 3: where a channel is refused, datagrams go on in Send indications; where a permission is refused, that host can't
be reached.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from firmware.ice import channel_data
from firmware.ice.attribute import CHANNEL_NUMBER, DATA, XOR_PEER_ADDRESS, Field
from firmware.ice.message import CHANNEL_BIND, CREATE_PERMISSION, SEND, Kind, Message
from firmware.sansio import Address

RENEW: Final = 240.0
"""Seconds after which a permission (5 minutes) or a channel (10 minutes, with its permission 5) is asked for again."""
USED: Final = 300.0
"""Seconds without a datagram after which it is not."""
MAX_HOSTS: Final = 64
"""That may have a permission at a time."""
MAX_PEERS: Final = 256
"""That are remembered by their channel."""
WAITING: Final = 4
"""Datagrams that wait for the permission of one host."""

Request = Callable[[int, list[Field], Callable[[Message | None, float], None], float], None]
"""Method, attributes, what is to be done with the answer, now."""


@dataclass(slots=True)
class _Host:
    used: float
    granted: bool = False
    refused: bool = False
    renew: float = float("inf")
    waiting: deque[tuple[Address, bytes]] = field(default_factory=lambda: deque(maxlen=WAITING))


@dataclass(slots=True)
class _Channel:
    peer: Address
    bound: bool = False
    renew: float = float("inf")


class Permissions:
    """What one allocation may send to whom.

    *request* asks the server; *send* sends octets to it; *identifier* gives one for a transaction.
    """

    def __init__(self, request: Request, send: Callable[[bytes], None], identifier: Callable[[], bytes]) -> None:
        self._request = request
        self._send = send
        self._identifier = identifier
        self._hosts: dict[str, _Host] = {}
        self._channels: dict[int, _Channel] = {}
        self._numbers: dict[int, Address] = {}
        """Peers by the channel that they would have: whoever had the allocation before may have bound it."""

    def send(self, peer: Address, data: bytes, now: float) -> None:
        """Send a datagram to a peer, now or when it is permitted."""
        host = self._hosts.get(peer[0])
        if host is None:
            if len(self._hosts) >= MAX_HOSTS:
                return
            host = self._hosts[peer[0]] = _Host(now)
            self._permit(peer[0], now)
        host.used = now
        if len(self._numbers) < MAX_PEERS:
            self._numbers.setdefault(channel_data.number_of(peer), peer)
        if host.granted:
            self._send(self._wrapped(peer, data))
        elif not host.refused:
            host.waiting.append((peer, data))

    def wrap(self, peer: Address, data: bytes) -> bytes | None:
        """Give the octets that take a datagram to a peer; None: that is not permitted."""
        host = self._hosts.get(peer[0])
        return self._wrapped(peer, data) if host is not None and host.granted else None

    def bind(self, peer: Address, now: float) -> None:
        """Ask for a channel to a peer."""
        number = channel_data.number_of(peer)
        if number not in self._channels:
            self._channels[number] = _Channel(peer)
            self._bind(number, now)

    def peer(self, number: int) -> Address | None:
        """Give whom a channel leads to."""
        channel = self._channels.get(number)
        return channel.peer if channel is not None else self._numbers.get(number)

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        dues = [host.renew for host in self._hosts.values()]
        dues += [channel.renew for channel in self._channels.values()]
        due = min(dues, default=float("inf"))
        return due if due < float("inf") else None

    def handle_timer(self, now: float) -> None:
        """Renew what is used."""
        for name, host in list(self._hosts.items()):
            if host.renew <= now:
                host.renew = float("inf")
                if host.used + USED > now:
                    self._permit(name, now)
                else:
                    del self._hosts[name]
        for number, channel in list(self._channels.items()):
            if channel.renew <= now:
                channel.renew = float("inf")
                if channel.peer[0] in self._hosts:
                    self._bind(number, now)
                else:
                    del self._channels[number]

    def clear(self) -> None:
        """Forget all of it."""
        self._hosts.clear()
        self._channels.clear()
        self._numbers.clear()

    def _wrapped(self, peer: Address, data: bytes) -> bytes:
        number = channel_data.number_of(peer) if self._channels else 0
        channel = self._channels.get(number)
        if channel is not None and channel.bound and channel.peer == peer:
            return channel_data.encode(number, data)
        fields = XOR_PEER_ADDRESS(peer), DATA(data)  # RFC 8656 11.1
        return Message.of(SEND, Kind.INDICATION, self._identifier(), *fields).encode(fingerprint=False)

    def _permit(self, name: str, now: float) -> None:
        def ended(message: Message | None, now: float) -> None:
            host = self._hosts.get(name)
            if host is None:
                return
            host.granted = message is not None and message.kind is Kind.SUCCESS
            host.refused = not host.granted
            host.renew = now + RENEW if host.granted else float("inf")
            waiting = list(host.waiting)
            host.waiting.clear()
            for peer, data in waiting if host.granted else ():
                self._send(self._wrapped(peer, data))

        self._request(CREATE_PERMISSION, [XOR_PEER_ADDRESS((name, 0))], ended, now)

    def _bind(self, number: int, now: float) -> None:
        channel = self._channels[number]

        def ended(message: Message | None, now: float) -> None:
            channel.bound = message is not None and message.kind is Kind.SUCCESS
            channel.renew = now + RENEW if channel.bound else float("inf")

        self._request(CHANNEL_BIND, [CHANNEL_NUMBER(number), XOR_PEER_ADDRESS(channel.peer)], ended, now)
