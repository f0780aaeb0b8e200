"""A SIP user agent over UDP, TCP and TLS: the core that stands on the layers of RFC 3261 section 5.

::

    receive_data ──▶ transport ──▶ transaction_layer ──▶ uas ──▶ invite ──▶ events
    actions      ◀── transport ◀── transaction       ◀──────────── invite ◀── commands

What comes in is walked through that line here; what is unfit at some point is answered, or dropped and counted, there.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from firmware.errors import LocalProtocolError, RemoteProtocolError
from firmware.sip.account import Account
from firmware.sip.body import ACCEPTED, add_description, readable_description
from firmware.sip.dialog import asks_for_sips, request_uri
from firmware.sip.events import Event, OptionsAnswered
from firmware.sip.header import NameAddr, Via
from firmware.sip.invite import InviteSession
from firmware.sip.layers import Layers, WhenFinal
from firmware.sip.message import MAX_FORWARDS, Headers, MalformedMessage, Request, Response
from firmware.sip.registration import Registration
from firmware.sip.transport import mark_source
from firmware.sip.uas import Uas

if TYPE_CHECKING:
    import random
    from collections import Counter
    from collections.abc import Callable, Iterable

    from firmware.sansio import Action, Flow
    from firmware.sip.account import AccountSettings
    from firmware.sip.identity import Identity
    from firmware.sip.uri import Uri

_NOT_IN_TO = frozenset(("method", "maddr", "ttl", "transport", "lr"))
"""RFC 3261 19.1.1, table 1: URI parameters that say how to reach somebody, not who it is."""

_NEEDED_OF_RESPONSE = ("vias", "from_", "to", "call_id", "cseq")
"""What a response must have in order to be acted on; for what is wrong with the rest, nobody could be told."""
_NEEDED_OF_DIALOG = ("contacts", "record_routes")
"""What makes a dialog (RFC 3261 12.1.2): a final response that makes none is good without it."""


class UserAgent:
    """A sansio Core that makes and takes calls.

    The flow that ``invite`` and ``options`` ask for is where the request goes (RFC 3263 is the caller's): transport,
    our own address as the far end reaches it (it stands in Via and Contact), and the far end's address.
    """

    def __init__(self, identity: Identity, rng: random.Random) -> None:
        self._layers = Layers(identity, rng)
        self._transport = self._layers.transport
        self._transactions = self._layers.transactions
        self._uas = Uas(self._layers)
        self._registrations: list[Registration] = []
        self.admits: Callable[[Request, Flow], bool] = _admit
        """Whether whoever sent this INVITE, by this flow, may call; otherwise 403, without a session or transaction."""
        self.counters: Counter[str] = self._layers.counters
        """What was dropped or refused, by kind."""

    @property
    def capabilities(self) -> bytes | None:
        """The session description that answers OPTIONS (RFC 3261 11.2), settable."""
        return self._uas.capabilities

    @capabilities.setter
    def capabilities(self, description: bytes | None) -> None:
        self._uas.capabilities = description

    @property
    def sessions(self) -> tuple[InviteSession, ...]:
        """The calls that have not ended."""
        return tuple(self._layers.sessions)

    @property
    def sizes(self) -> dict[str, int]:
        """How many sessions, dialogs, transactions and timers are in memory, to watch for leaks."""
        layers = self._layers
        return {
            "sessions": len(layers.sessions),
            "dialogs": len(layers.dialogs),
            "transactions": len(layers.transactions),
            "timers": len(layers.timers),
        }

    def add_account(self, settings: AccountSettings) -> Account:
        """Have an account more; what comes for it is known from now on."""
        account = Account(settings, self._layers.rng)
        self._layers.accounts.append(account)
        return account

    def register(self, account: Account, now: float) -> Registration:
        """Register an account for as long as the user agent is there; ServerWanted follows."""
        registration = Registration(account, self._layers, self._drop)
        self._registrations.append(registration)
        registration.start(now)
        return registration

    def invite(
        self,
        flow: Flow,
        target: Uri,
        offer: bytes | None,
        now: float,
        *,
        from_: NameAddr | None = None,
        account: Account | None = None,
        fields: Iterable[tuple[str, str]] = (),
    ) -> InviteSession:
        """Call *target*: Progress, then Accepted or Ended follow.  None as *offer* asks the far end for one.

        An *account* says who calls and by which way, and has the password.  *fields* are more header fields: Replaces
        (RFC 3891), Referred-By (RFC 3892).

        LocalProtocolError: the limit of sessions or transactions is reached.
        """
        if len(self._layers.sessions) >= self._layers.identity.max_sessions:
            raise LocalProtocolError(f"{len(self._layers.sessions)} calls are all this unit takes")
        flow = self._transport.reuse(flow)
        request = self._request("INVITE", flow, target, from_, account)
        self._layers.add_contact(request, flow, account, secure=asks_for_sips(request))
        self._layers.add_abilities(request)
        for name, value in fields:
            request.headers.add(name, value)
        add_description(request, offer)
        return InviteSession.outgoing(self._layers, flow, request, now, account)

    def options(self, flow: Flow, target: Uri, now: float, *, account: Account | None = None) -> str:
        """Ask what *target* can do; OptionsAnswered follows with the Call-ID that this returns.

        LocalProtocolError: the limit of transactions is reached.
        """
        flow = self._transport.reuse(flow)
        request = self._request("OPTIONS", flow, target, None, account)
        request.headers.add("Accept", ACCEPTED)
        call_id = request.call_id

        def report(status: int, reason: str, _now: float, response: Response | None) -> None:
            allow = tuple(response.headers.all("Allow")) if response is not None else ()
            body = readable_description(response) if response is not None else None
            self._layers.events.append(OptionsAnswered(call_id, status, reason, allow, body))

        self._layers.send(request, flow, WhenFinal(report), now, account)
        return call_id

    # sansio.Core

    def flow_opened(self, flow: Flow, now: float) -> None:  # noqa: ARG002
        """Take that a stream exists."""
        if not self._transport.has_room(flow):
            used = {entry.dialog.flow for entry in self._layers.dialogs.values()} | self._transactions.flows
            self._transport.make_room(used | {account.flow for account in self._layers.accounts if account.flow})
        self._transport.flow_opened(flow)

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Take that a stream has ended, or that an address can't be reached."""
        self._transport.flow_closed(flow)
        self._lost(flow, now)

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        """Take a datagram, or the next bytes of a stream."""
        for message in self._transport.receive(flow, data):
            if isinstance(message, Response):
                self._receive_response(message, now)
            elif isinstance(message, Request):
                self._receive_request(message, flow, now)
            else:
                self._receive_malformed(message, flow)
        if self._transport.is_broken(flow):
            # RFC 3261 18.3: where the next message begins can't be told any more.
            self._drop(flow, now)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._layers.timers.fire(now)

    def timer(self) -> float | None:
        """When handle_timer is wanted, or None."""
        return self._layers.timers.next()

    def actions(self) -> list[Action]:
        """Give what is to be done, in order, and forget it."""
        actions, self._transport.actions = self._transport.actions, []
        return actions

    def events(self) -> list[Event]:
        """Give what the application should know, in order, and forget it."""
        events, self._layers.events = self._layers.events, []
        return events

    def _drop(self, flow: Flow, now: float) -> None:
        """Close a stream, or give an address up."""
        if flow.reliable:
            self._transport.close(flow)
        self._lost(flow, now)

    def _lost(self, flow: Flow, now: float) -> None:
        self._transactions.flow_closed(flow, now)
        for registration in self._registrations:
            registration.flow_closed(flow, now)

    def _request(
        self, method: str, flow: Flow, target: Uri, from_: NameAddr | None, account: Account | None
    ) -> Request:
        """Begin a request outside of a dialog (RFC 3261 8.1.1)."""
        if not self._transactions.client_room:
            raise LocalProtocolError("too many transactions")
        layers = self._layers
        parameters = tuple(item for item in target.parameters if item[0].lower() not in _NOT_IN_TO)
        headers = Headers()
        headers.add("Max-Forwards", str(MAX_FORWARDS))
        from_ = from_ or (account.from_address if account is not None else layers.from_address(flow))
        headers.add("From", str(from_.with_tag(layers.token())))
        headers.add("To", str(NameAddr("", replace(target, parameters=parameters, headers=()))))
        headers.add("Call-ID", layers.token())
        headers.add("CSeq", f"1 {method}")
        request = Request(method, request_uri(target), headers)
        if account is not None:
            account.route(request)
            if account.flow is None:
                # Not registered, so that nobody has told yet where the account's server is.
                account.trust(flow)
        return request

    def _receive_response(self, response: Response, now: float) -> None:
        try:
            for field in _NEEDED_OF_RESPONSE:
                getattr(response, field)
            if response.cseq.method == "INVITE" and response.status < 300:
                for field in _NEEDED_OF_DIALOG:
                    getattr(response, field)
            if len(response.vias) > 1:
                # RFC 3261 8.1.3.3: it was meant for somebody behind a proxy that we are not.
                raise RemoteProtocolError("more than one Via in a response")
            transaction = self._transactions.match_response(response)
        except RemoteProtocolError:
            self.counters["malformed response"] += 1
            return
        if transaction is None:
            # RFC 6026 7.2: also a 2xx is dropped once its transaction is gone.
            self.counters["stray response"] += 1
            return
        transaction.receive(response, now)

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        try:
            mark_source(request, flow)
            request.check()
        except RemoteProtocolError as error:
            self._refuse_statelessly(request, flow, error.status)
            return
        self._transport.learn_alias(flow, request.via)
        transaction = self._transactions.match_request(request)
        if transaction is not None:
            transaction.receive(request, now)
        elif request.method == "ACK":
            self._uas.receive_ack(request, flow, now)
        elif self._transactions.done(request):
            self.counters["late copy of an INVITE"] += 1
        elif request.method == "INVITE" and request.to.tag is None and not self.admits(request, flow):
            self._refuse_statelessly(request, flow, 403)
        elif not self._has_room(request, now):
            # RFC 3261 21.5.4; without a transaction, so that a flood costs no memory (8.2.7).
            self._refuse_statelessly(request, flow, 503)
        else:
            self._uas.receive(request, flow, now)

    def _has_room(self, request: Request, now: float) -> bool:
        """Whether the request may begin a transaction; a flood of strangers must not keep a call from being ended."""
        if self._transactions.server_room(now, known=False):
            return True
        return self._uas.knows(request) and self._transactions.server_room(now, known=True)

    def _receive_malformed(self, error: MalformedMessage, flow: Flow) -> None:
        request = error.request
        if request is None:
            self.counters["malformed message"] += 1
            return
        with suppress(RemoteProtocolError):  # of a Via that can't be read either
            mark_source(request, flow)
        self._refuse_statelessly(request, flow, error.status)

    def _refuse_statelessly(self, request: Request, flow: Flow, status: int) -> None:
        self.counters[f"refused {status}"] += 1
        if not request.answerable:
            return
        try:
            via = request.via
        except RemoteProtocolError:
            # Where the response should go can't be read (RFC 4475 3.1.2.1), so it goes to where the request came from.
            via = Via(flow.transport.upper(), *flow.remote)
        # RFC 3261 8.2.7: the same To tag for each retransmission.
        tag = f"{hash((request.headers.get('Call-ID'), request.headers.get('From'), via.branch)) & (2**64 - 1):016x}"
        response = self._layers.respond(request, status, to_tag=tag)
        if status == 503:
            response.headers.add("Retry-After", str(self._layers.rng.randint(5, 15)))
        self._transport.send_response(flow, via, response.encode())


def _admit(request: Request, flow: Flow) -> bool:  # noqa: ARG001
    """Let everybody call."""
    return True
