"""An address of a TURN server that is ours: how it is asked for, kept, and given back (RFC 8656 6 to 8).

Rule 1: what the server relays is given only to peers that we have sent something to (`permission`).
Rule 2: it is refreshed a minute before its end, and at once by whoever takes it over from another: he learns so
whether it is still there.
Rule 3: a few octets go to it every 15 s, or a NAT on the way forgets us, and it us (RFC 8656 4.1, RFC 8445 11).
Rule 4: a server that sends us to another is obeyed, never twice to the same one; but not where it is asked by a
stream: there is none to the other.
Rule 5: by a stream nothing goes twice (RFC 8489 6.2.2).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from firmware.call.ice import Allocation
from firmware.ice import channel_data
from firmware.ice.attribute import (
    ALTERNATE_SERVER,
    ERROR_CODE,
    LIFETIME,
    REQUESTED_ADDRESS_FAMILY,
    REQUESTED_TRANSPORT,
    XOR_MAPPED_ADDRESS,
    XOR_RELAYED_ADDRESS,
    Field,
)
from firmware.ice.authentication import Authentication
from firmware.ice.datagram import Datagram
from firmware.ice.error import ALLOCATION_MISMATCH, TRY_ALTERNATE, words
from firmware.ice.message import ALLOCATE, BINDING, REFRESH, Kind, Message
from firmware.ice.permission import Permissions
from firmware.ice.transaction import RELIABLE, RTO, Transactions
from firmware.ice.turn_server import TurnServer
from firmware.sansio import Address

UDP: Final = 17
"""RFC 8656 18.6: the protocol's number."""
IPV6: Final = 2
MAX_ALTERNATES: Final = 3
LIFETIME_WANTED: Final = 600
"""Seconds (RFC 8656 3.2)."""
MAX_LIFETIME: Final = 3600
KEEP_ALIVE: Final = 15.0
"""Seconds between two datagrams that say nothing."""
REFRESH_BEFORE: Final = 60.0
"""Seconds before its end that an allocation is refreshed; half of it where that is less."""


class Relay:
    """One allocation, or the wish for one, of one component.

    *send* takes what is to be sent.  After `allocate`, or with an *allocation* of another's, `allocation` tells whether
    there is one, `failure` why not.
    """

    def __init__(
        self, component: int, server: TurnServer, rng: random.Random, send: Callable[[Datagram], None]
    ) -> None:
        self.server = server.address
        self.mapped: Address | None = None
        """Our socket, as the server sees it."""
        self.relayed: Address | None = None
        self.failure = ""
        self._component = component
        self._user = server
        self._send = send
        self._tried = {server.address}
        self._authentication = Authentication(server.username, server.password)
        self._transactions = Transactions(rng)
        self._permissions = Permissions(self._request, self._send_to_server, self._transactions.identifier)
        self._expires = 0.0
        self._refresh = float("inf")
        self._keep_alive = float("inf")
        self._closed = False

    @classmethod
    def of(cls, allocation: Allocation, rng: random.Random, send: Callable[[Datagram], None], now: float) -> Relay:
        """Take over an allocation."""
        user = TurnServer(allocation.server, allocation.username, allocation.password, allocation.reliable)
        self = cls(allocation.component, user, rng, send)
        self._authentication = Authentication.of(allocation)
        self.relayed = allocation.relayed
        self._expires = allocation.expires
        self._refresh = now
        self._keep_alive = now + KEEP_ALIVE
        return self

    @property
    def name(self) -> str:
        """What people know the server by."""
        return self._user.name or self.server[0]

    @property
    def reliable(self) -> bool:
        """Whether the server is asked by a stream."""
        return self._user.reliable

    @property
    def allocation(self) -> Allocation | None:
        """What somebody else needs to go on with it; None: there is none, or not yet."""
        if self.relayed is None or self.failure or self._closed:
            return None
        by = self._authentication
        return Allocation(
            *(self._component, self.server, self.relayed, self._user.username, self._user.password),
            *(by.realm, by.nonce, self._expires, by.algorithms, self._user.reliable),
        )

    def allocate(self, now: float, rto: float = RTO) -> None:
        """Ask for an address."""
        fields = [REQUESTED_TRANSPORT(UDP), LIFETIME(LIFETIME_WANTED)]
        if ":" in self.server[0]:
            fields.append(REQUESTED_ADDRESS_FAMILY(IPV6))  # RFC 8656 7.1: else the server gives an IPv4 address
        self._request(ALLOCATE, fields, self._allocated, now, rto)

    def receive(self, message: Message, now: float) -> bool:
        """Take a message from the server; False: it answers nothing that we asked."""
        return self._transactions.receive(message, self.server, now)

    def unwrap(self, data: bytes) -> tuple[bytes, Address] | None:
        """Give the datagram that came by a channel, and whom it is from; None: there is no such channel."""
        found = channel_data.decode(data)
        peer = self._permissions.peer(found[0]) if found is not None else None
        return (found[1], peer) if found is not None and peer is not None else None

    def send(self, peer: Address, data: bytes, now: float) -> None:
        """Send a datagram to a peer, as soon as the server lets it."""
        if not self.failure:
            self._permissions.send(peer, data, now)

    def wrap(self, peer: Address, data: bytes) -> bytes | None:
        """Give the octets that take a datagram to a peer by the server; None: it does not let us."""
        return None if self.failure else self._permissions.wrap(peer, data)

    def bind(self, peer: Address, now: float) -> None:
        """Ask for a channel to a peer: four octets a datagram instead of 36."""
        if not self.failure:
            self._permissions.bind(peer, now)

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        dues = [self._transactions.timer(), self._permissions.timer(), min(self._refresh, self._keep_alive)]
        due = min(due for due in dues if due is not None)
        return due if due < float("inf") else None

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._transactions.handle_timer(now)
        if self._refresh <= now:
            self._refresh = float("inf")
            self._request(REFRESH, [LIFETIME(LIFETIME_WANTED)], self._refreshed, now)
        if self._keep_alive <= now:
            self._keep_alive = now + KEEP_ALIVE
            self._send_to_server(Message.of(BINDING, Kind.INDICATION, self._transactions.identifier()).encode())
        self._permissions.handle_timer(now)

    def give_up(self, why: str) -> None:
        """Take that the server can't be reached."""
        self._transactions.clear()
        self._fail(why)

    def close(self, now: float) -> None:
        """Give the address back (RFC 8656 8: a lifetime of 0)."""
        self._transactions.clear()
        self._permissions.clear()
        self._refresh = self._keep_alive = float("inf")
        if self.relayed is not None and not self.failure and not self._closed:
            self._closed = True
            self._request(REFRESH, [LIFETIME(0)], lambda _message, _now: None, now)

    def _send_to_server(self, data: bytes) -> None:
        self._send(Datagram(self._component, self.server, data))

    def _request(
        self,
        method: int,
        fields: list[Field],
        on_end: Callable[[Message | None, float], None],
        now: float,
        rto: float = RTO,
    ) -> None:
        """Send a request, signed, and anew with each nonce that the server asks for; *on_end* gets what came of it."""
        identifier = self._transactions.identifier()
        server = self.server
        octets = self._authentication.request(method, identifier, *fields)

        def answered(message: Message, _source: Address, now: float) -> bool:
            if message.method != method or not self._authentication.believes(message):
                return False
            if message.kind is Kind.ERROR and self._authentication.learns(message):
                self._request(method, fields, on_end, now, rto)
                return True
            if message.kind is Kind.SUCCESS:
                self._authentication.succeeded()
            on_end(message, now)
            return True

        self._transactions.begin(
            identifier,
            lambda _now: self._send(Datagram(self._component, server, octets)),
            answered,
            lambda now: on_end(None, now),
            now,
            rto,
            repeat=not self._user.reliable,
            wait=RELIABLE,
        )

    def _allocated(self, message: Message | None, now: float) -> None:
        if message is None:
            self._fail("it does not answer")
            return
        if message.kind is Kind.SUCCESS:
            relayed, lifetime = message.get(XOR_RELAYED_ADDRESS), message.get(LIFETIME)
            if relayed is None or not lifetime:
                self._fail("its grant has no address")
                return
            self.relayed, self.mapped = relayed, message.get(XOR_MAPPED_ADDRESS)
            self._keep_alive = now + KEEP_ALIVE
            self._keep(lifetime, now)
            return
        error = message.get(ERROR_CODE)
        other = message.get(ALTERNATE_SERVER)
        if error is not None and error.code == TRY_ALTERNATE and other is not None and self._may_try(other):
            self._tried.add(other)
            self.server = other
            self._authentication = Authentication(self._user.username, self._user.password)
            self.allocate(now)
            return
        self._fail(words(error))

    def _may_try(self, other: Address) -> bool:
        # RFC 8489 10: never back and forth, and of the same family.
        return (
            not self._user.reliable
            and other not in self._tried
            and len(self._tried) <= MAX_ALTERNATES
            and (":" in other[0]) == (":" in self.server[0])
        )

    def _refreshed(self, message: Message | None, now: float) -> None:
        if message is None:
            self._fail("it does not answer any more")
        elif message.kind is Kind.SUCCESS:
            self._keep(message.get(LIFETIME) or 0, now)
        else:
            error = message.get(ERROR_CODE)
            if error is not None and error.code == ALLOCATION_MISMATCH:
                self.relayed = None
            self._fail(words(error))

    def _keep(self, lifetime: int, now: float) -> None:
        lifetime = min(lifetime, MAX_LIFETIME)
        self._expires = now + lifetime
        self._refresh = self._expires - min(REFRESH_BEFORE, lifetime / 2)

    def _fail(self, why: str) -> None:
        self.failure = why
        self._refresh = self._keep_alive = float("inf")
        self._permissions.clear()
