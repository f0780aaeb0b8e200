"""A STUN and TURN server for the simulated internet: it obeys RFC 8656's rules, and can be told to be difficult."""

from __future__ import annotations

from dataclasses import dataclass, field

from ice_network import Deliver, Network

from firmware.errors import DecodeError
from firmware.ice import channel_data
from firmware.ice.attribute import (
    ALTERNATE_SERVER,
    CHANNEL_NUMBER,
    DATA,
    ERROR_CODE,
    LIFETIME,
    NONCE,
    PASSWORD_ALGORITHMS,
    REALM,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    XOR_PEER_ADDRESS,
    XOR_RELAYED_ADDRESS,
    ErrorCode,
    Field,
)
from firmware.ice.credentials import long_term_key
from firmware.ice.datagram import is_channel_data
from firmware.ice.message import ALLOCATE, BINDING, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, SEND, Kind, Message
from firmware.ice.message import DATA as DATA_INDICATION
from firmware.sansio import Address

REALM_NAME = "example.org"


@dataclass
class Allocated:
    """What one client has."""

    relayed: Address
    expires: float
    permissions: dict[str, float] = field(default_factory=dict)
    """When each host's ends."""
    channels: dict[int, tuple[Address, float]] = field(default_factory=dict)


class TurnSimulation:
    """One server on the simulated internet."""

    def __init__(self, network: Network, host: str, users: dict[str, str]) -> None:
        self.network = network
        self.address = (host, 3478)
        self.users = users
        self.nonce = b"nonce-1"
        self.sha256 = False
        """It names SHA-256 as its algorithm of passwords."""
        self.refuses: dict[int, int] = {}
        """Error code by method."""
        self.alternate: Address | None = None
        self.silent = False
        self.lifetime = 600
        self.allocated: dict[Address, Allocated] = {}
        self.requests: list[tuple[float, int]] = []
        """When, and which method, of each that was granted."""
        self.relayed = 0
        """Datagrams, both ways."""
        self._ports = iter(range(50_000, 60_000))
        network.attach(self.address, self.receive)

    def receive(self, data: bytes, source: Address, now: float) -> None:
        if self.silent:
            return
        allocated = self.allocated.get(source)
        if is_channel_data(data):
            found = channel_data.decode(data)
            if allocated is not None and found is not None and found[0] in allocated.channels:
                peer, ends = allocated.channels[found[0]]
                if ends > now:
                    self._relay(allocated, peer, found[1])
            return
        try:
            message = Message.decode(data)
        except DecodeError:
            return
        if message.kind is Kind.INDICATION and message.method == SEND and allocated is not None:
            peer_address, inner = message.get(XOR_PEER_ADDRESS), message.get(DATA)
            if peer_address and inner is not None and allocated.permissions.get(peer_address[0], 0) > now:
                self._relay(allocated, peer_address, inner)
        elif message.kind is Kind.REQUEST and message.method == BINDING:
            self._grant(message, source, XOR_MAPPED_ADDRESS(source))
        elif message.kind is Kind.REQUEST:
            self._request(message, source, now)

    def _request(self, message: Message, source: Address, now: float) -> None:
        if not message.signatures:
            self._refuse(message, source, 401, REALM(REALM_NAME), NONCE(self.nonce), *self._algorithms())
            return
        if message.get(NONCE) != self.nonce:
            self._refuse(message, source, 438, REALM(REALM_NAME), NONCE(self.nonce), *self._algorithms())
            return
        if not message.proves(self._key(message), sha256=self.sha256):
            self._refuse(message, source, 401, REALM(REALM_NAME), NONCE(self.nonce))
            return
        if message.method == ALLOCATE and self.alternate is not None:
            self._refuse(message, source, 300, ALTERNATE_SERVER(self.alternate))
            return
        if message.method in self.refuses:
            self._refuse(message, source, self.refuses[message.method])
            return
        allocated = self.allocated.get(source)
        if message.method != ALLOCATE and (allocated is None or allocated.expires <= now):
            self._refuse(message, source, 437)
            return
        self.requests.append((now, message.method))
        if message.method == ALLOCATE:
            self._allocate(message, source, now)
        elif allocated is not None:
            self._use(message, allocated, source, now)

    def _allocate(self, message: Message, source: Address, now: float) -> None:
        if source not in self.allocated:
            self.allocated[source] = Allocated((self.address[0], next(self._ports)), 0.0)
            self.network.attach(self.allocated[source].relayed, self._relay_port(source))
        allocated = self.allocated[source]
        allocated.expires = now + self.lifetime
        fields = XOR_RELAYED_ADDRESS(allocated.relayed), XOR_MAPPED_ADDRESS(source), LIFETIME(self.lifetime)
        self._grant(message, source, *fields)

    def _use(self, message: Message, allocated: Allocated, source: Address, now: float) -> None:
        peer = message.get(XOR_PEER_ADDRESS)
        if message.method == REFRESH:
            wanted = min(message.get(LIFETIME) or 0, self.lifetime)
            allocated.expires = now + wanted
            if not wanted:
                del self.allocated[source]
            self._grant(message, source, LIFETIME(wanted))
        elif message.method == CREATE_PERMISSION and peer is not None:
            allocated.permissions[peer[0]] = now + 300
            self._grant(message, source)
        elif message.method == CHANNEL_BIND and peer is not None:
            number = message.get(CHANNEL_NUMBER) or 0
            others = {other: known for other, (known, ends) in allocated.channels.items() if ends > now}
            # RFC 8656 12.2: a number for one peer, and a peer by one number.
            if others.get(number, peer) != peer or (number not in others and peer in others.values()):
                self._refuse(message, source, 400)
                return
            allocated.channels[number] = (peer, now + 600)
            allocated.permissions[peer[0]] = now + 300
            self._grant(message, source)

    def _relay(self, allocated: Allocated, peer: Address, data: bytes) -> None:
        self.relayed += 1
        self.network.send(allocated.relayed, peer, data)

    def _relay_port(self, client: Address) -> Deliver:
        def receive(data: bytes, source: Address, now: float) -> None:
            allocated = self.allocated.get(client)
            if allocated is None or allocated.permissions.get(source[0], 0) <= now or self.silent:
                return
            self.relayed += 1
            for number, (peer, ends) in allocated.channels.items():
                if peer == source and ends > now:
                    self.network.send(self.address, client, channel_data.encode(number, data))
                    return
            fields = XOR_PEER_ADDRESS(source), DATA(data)
            self.network.send(
                self.address, client, Message.of(DATA_INDICATION, Kind.INDICATION, bytes(12), *fields).encode()
            )

        return receive

    def _key(self, message: Message) -> bytes:
        name = message.get(USERNAME) or ""
        return long_term_key(name, REALM_NAME, self.users.get(name, "?"), sha256=self.sha256)

    def _algorithms(self) -> list[Field]:
        return [PASSWORD_ALGORITHMS((2, 1))] if self.sha256 else []

    def _grant(self, message: Message, source: Address, *fields: Field) -> None:
        answer = Message.of(message.method, Kind.SUCCESS, message.transaction, *fields)
        key = self._key(message) if message.signatures else b""
        self.network.send(self.address, source, answer.encode(key, sha256=self.sha256))

    def _refuse(self, message: Message, source: Address, code: int, *fields: Field) -> None:
        answer = Message.of(message.method, Kind.ERROR, message.transaction, ERROR_CODE(ErrorCode(code)), *fields)
        self.network.send(self.address, source, answer.encode())
