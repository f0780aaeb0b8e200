"""Which transaction a message belongs to (RFC 3261 17.1.3, 17.2.3), and how many there may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.sip.message import Request, Response
from firmware.sip.repetition import Repetitions
from firmware.sip.timers import T1
from firmware.sip.transaction import State
from firmware.sip.transaction_machine import ClientTransaction, ClientUser, ServerTransaction, Transaction

if TYPE_CHECKING:
    from collections.abc import Hashable

    from firmware.sansio import Flow
    from firmware.sip.timers import Timers
    from firmware.sip.transport import Transport

MAGIC_COOKIE: Final = "z9hG4bK"
"""RFC 3261 8.1.1.7: a branch that begins so is unique across space and time."""

MAX_REQUEST_BYTES: Final = 4 * 2**20
"""All requests of strangers that server transactions hold, 32 s each: 2000 of an ordinary size.  A flood of large ones
would otherwise take 64 KiB each, and several times as much once they are read."""
KEEP_TIME: Final = 2 * T1
"""Seconds that what only absorbs retransmissions is kept where room is wanted: a lost response is asked for once more
within T1 (17.1.2.2), and no call has to be refused for the sake of those that ended half a minute ago."""


class TransactionLayer:
    """All transactions of one user agent."""

    def __init__(self, transport: Transport, timers: Timers, max_transactions: int) -> None:
        self._transport = transport
        self._timers = timers
        self._max_transactions = max_transactions
        self._clients: dict[Hashable, ClientTransaction] = {}
        self._servers: dict[Hashable, ServerTransaction] = {}
        self._server_count = 0
        """Not the length of the table: two requests of RFC 2543 that differ only in the To tag have the same key."""
        self._request_bytes = 0
        self._initial: dict[Hashable, ServerTransaction] = {}
        """Requests outside of any dialog, by what stays the same on every path that a fork takes (8.2.2.2)."""
        self._done: Final = Repetitions()
        self._forget: Final = self._forget_server
        """One for all of them."""
        self._settle: Final = self._settle_invite

    def __len__(self) -> int:
        return len(self._clients) + self._server_count

    @property
    def client_room(self) -> bool:
        """Whether the application may start one more request."""
        return len(self._clients) < self._max_transactions

    def server_room(self, now: float, *, known: bool) -> bool:
        """Whether one more request can be taken; a call that is *known* has as much again, which a flood can't fill."""
        times = 2 if known else 1
        while self._server_count >= times * self._max_transactions or self._request_bytes >= times * MAX_REQUEST_BYTES:
            if not self._forget_oldest(now):
                return False
        return True

    def _forget_oldest(self, now: float) -> bool:
        for transaction in self._servers.values():
            if transaction.since > now - KEEP_TIME:
                return False
            if transaction.settled:
                transaction.terminate()
                return True
        return False

    @property
    def flows(self) -> set[Flow]:
        """The flows that a transaction runs on."""
        return {transaction.flow for transaction in (*self._clients.values(), *self._servers.values())}

    def request(self, request: Request, flow: Flow, user: ClientUser, now: float) -> ClientTransaction:
        """Send a request, its own Via on top, in a transaction of its own."""
        key = (request.via.branch, request.method)

        def forget(_: Transaction) -> None:
            self._clients.pop(key, None)

        transaction = ClientTransaction(request, flow, user, self._transport, self._timers, forget)
        self._clients[key] = transaction
        transaction.start(now)
        return transaction

    def accept(self, request: Request, flow: Flow, now: float) -> ServerTransaction:
        """Make the transaction of a request that matches none."""
        key = _server_key(request)
        initial = _initial_key(request) if request.to.tag is None else None
        settled = self._settle if request.method == "INVITE" else None
        transaction = ServerTransaction(
            request, flow, self._transport, self._timers, self._forget, now, key, initial, _size(request), settled
        )
        self._servers[key] = transaction
        self._server_count += 1
        self._request_bytes += transaction.size
        if initial is not None:
            self._initial.setdefault(initial, transaction)
        transaction.receive(request, now)
        return transaction

    def _settle_invite(self, transaction: ServerTransaction, now: float) -> None:
        """Keep of an INVITE what its late copies are known by: it sends nothing more."""
        self._done.add((transaction.key, transaction.to_tag), now)
        if transaction.initial is not None:
            self._done.add(transaction.initial, now)
        transaction.terminate()

    def _forget_server(self, transaction: Transaction) -> None:
        assert isinstance(transaction, ServerTransaction)
        self._server_count -= 1
        self._request_bytes -= transaction.size
        if self._servers.get(transaction.key) is transaction:
            del self._servers[transaction.key]
        if self._initial.get(transaction.initial) is transaction:
            del self._initial[transaction.initial]

    def match_response(self, response: Response) -> ClientTransaction | None:
        """Find the transaction of a response (17.1.3).  RemoteProtocolError: its Via or CSeq can't be read."""
        via = response.via
        transaction = self._clients.get((via.branch, response.cseq.method))
        if transaction is None:
            return None
        sent = transaction.request.via
        # 18.1.2: a response whose sent-by is not ours is dropped.
        return transaction if (via.host.lower(), via.port) == (sent.host.lower(), sent.port) else None

    def match_request(self, request: Request) -> ServerTransaction | None:
        """Find the transaction that a retransmission or an ACK belongs to (17.2.3)."""
        transaction = self._servers.get(_server_key(request))
        if transaction is None or _has_cookie(request):
            return transaction
        # RFC 2543: the To tag of an ACK is that of the response, any other's is that of the first request.
        expected = transaction.local_tag if request.method == "ACK" else transaction.to_tag
        return transaction if request.to.tag == expected else None

    def match_cancel(self, cancel: Request) -> ServerTransaction | None:
        """Find the INVITE that a CANCEL is meant for (9.2)."""
        transaction = self._servers.get(_server_key(cancel, "INVITE"))
        return None if transaction is None or transaction.state is State.CONFIRMED else transaction

    def merged(self, request: Request) -> bool:
        """Whether this request, which matches no transaction, has come already by another path (8.2.2.2)."""
        if request.to.tag is not None:
            return False
        key = _initial_key(request)
        return key in self._initial or (request.method == "INVITE" and key in self._done)

    def done(self, request: Request) -> bool:
        """Whether this is one more copy of an INVITE whose ACK is here, and which is absorbed (RFC 6026 7.1)."""
        return request.method == "INVITE" and (_server_key(request), request.to.tag) in self._done

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Take a transport error on all that runs on a flow (17.1.4, 17.2.4)."""
        running: list[Transaction] = [*self._clients.values(), *self._servers.values()]
        for transaction in running:
            if transaction.flow == flow:
                transaction.transport_failed(now)


def _size(request: Request) -> int:
    return len(request.body) + sum(len(name) + len(value) for name, value in request.headers)


def _has_cookie(request: Request) -> bool:
    branch = request.via.branch
    # RFC 4475 3.2.1: the cookie without anything after it identifies nothing.
    return branch is not None and branch.startswith(MAGIC_COOKIE) and branch != MAGIC_COOKIE


def _server_key(request: Request, method: str = "") -> Hashable:
    method = method or ("INVITE" if request.method == "ACK" else request.method)
    via = request.via
    if _has_cookie(request):
        return (via.branch, via.host.lower(), via.port, method)
    # 17.2.3: a client of RFC 2543 is known by all that it repeats; the To tag is compared afterwards.
    return (str(request.uri), request.from_.tag, request.call_id, request.cseq.number, str(via), method)


def _initial_key(request: Request) -> Hashable:
    return (request.from_.tag, request.call_id, request.cseq.number, request.cseq.method)
