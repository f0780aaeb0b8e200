"""What the sessions of one user agent stand on: the layers of RFC 3261 section 5, and what they have in common."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from firmware.sip.client_request import ClientRequest
from firmware.sip.header import NameAddr
from firmware.sip.identity import EXTENSIONS, METHODS
from firmware.sip.message import REASONS, Message, Request, Response, respond
from firmware.sip.timers import Timers
from firmware.sip.transaction_layer import MAGIC_COOKIE, TransactionLayer
from firmware.sip.transport import Transport
from firmware.sip.uri import Uri, as_sips, format_host_port

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from firmware.sansio import Flow
    from firmware.sip.account import Account
    from firmware.sip.client_request import Numbered
    from firmware.sip.dialog import Dialog, DialogId
    from firmware.sip.events import Event
    from firmware.sip.identity import Identity
    from firmware.sip.invite import InviteSession
    from firmware.sip.transaction_machine import ClientTransaction, ClientUser

_ALLOW: Final = ", ".join(METHODS)
_SUPPORTED: Final = ", ".join(EXTENSIONS)
_MAX_ENDED: Final = 32
"""Dialogs that are remembered a while after their end."""


class DialogEntry(NamedTuple):
    """Whose a dialog is."""

    dialog: Dialog
    session: InviteSession


class Layers:
    """Transport, transactions, timers and dialogs of one user agent; each session has it, none owns it."""

    def __init__(self, identity: Identity, rng: random.Random) -> None:
        self.identity: Final = identity
        self.rng: Final = rng
        self.counters: Final[Counter[str]] = Counter()
        self.timers: Final = Timers()
        self.transport: Final = Transport(identity.max_connections, self.counters, identity.tls_port)
        self.transactions: Final = TransactionLayer(self.transport, self.timers, identity.max_transactions)
        self.dialogs: Final[dict[DialogId, DialogEntry]] = {}
        self.ended: Final[deque[DialogId]] = deque(maxlen=_MAX_ENDED)
        """The dialogs of calls that ended lately (RFC 3891 3)."""
        self.sessions: Final[set[InviteSession]] = set()
        self.accounts: Final[list[Account]] = []
        self.events: list[Event] = []

    def token(self) -> str:
        """A tag, a Call-ID or a part of a branch: 80 random bits (RFC 3261 19.3 asks for 32)."""
        return f"{self.rng.getrandbits(80):020x}"

    def address(self, flow: Flow) -> Uri:
        """Our own address as the far end of a flow reaches it."""
        host, port = flow.local
        return Uri("sip", self.identity.user, host.partition("%")[0], port)

    def add_contact(
        self, message: Message, flow: Flow, account: Account | None = None, *, secure: bool = False
    ) -> None:
        """Say where requests in the dialog are to go (RFC 3261 8.1.1.8), which may be an account's.

        *secure*: the far end, or who it is reached by, has asked for ``sips`` (RFC 5630 5.1.1, 5.1.2).
        """
        if account is not None:
            uri = account.contact(flow, dialog=True)
        else:
            parameters = (("transport", flow.transport),) if flow.reliable else ()
            uri = replace(self.address(flow), parameters=parameters)
        message.headers.add("Contact", f"<{as_sips(uri) if secure else uri}>")

    def add_abilities(self, message: Message) -> None:
        """Say what we understand (RFC 3261 13.2.1, 13.3.1.4)."""
        message.headers.add("Allow", _ALLOW)
        message.headers.add("Supported", _SUPPORTED)

    def from_address(self, flow: Flow) -> NameAddr:
        """What stands in From, without a tag, where nobody wishes otherwise."""
        return NameAddr(self.identity.display_name, self.address(flow))

    def send(
        self,
        request: Request,
        flow: Flow,
        user: ClientUser,
        now: float,
        account: Account | None = None,
        numbered: Numbered | None = None,
    ) -> ClientRequest:
        """Complete a request with its Via, and send it; where it is challenged, once more with the account's password.

        *numbered* gives the next CSeq then, where the request is not alone with its Call-ID.
        """

        def start(request: Request, user: ClientRequest, now: float) -> ClientTransaction:
            self.complete(request, flow)
            return self.transactions.request(request, flow, user, now)

        authenticator = account.authenticator if account is not None and flow.remote[0] in account.hosts else None
        return ClientRequest(request, user, start, authenticator, numbered, now)

    def send_in_dialog(self, dialog: Dialog, request: Request, user: ClientUser, now: float) -> ClientRequest:
        """Send a request of a dialog to the dialog's next hop."""
        return self.send(request, self.flow_of(dialog), user, now, dialog.account, dialog)

    def account_of(self, request: Request, flow: Flow) -> Account | None:
        """Give the account that a request which came by this flow is for."""
        return next((account for account in self.accounts if account.owns(request, flow)), None)

    def flow_of(self, dialog: Dialog) -> Flow:
        """The flow that leads to the dialog's next hop."""
        return self.transport.flow_to(dialog.next_hop, dialog.flow)

    def complete(self, request: Request, flow: Flow) -> None:
        """Put a Via with a new branch on top, and name the product (RFC 3261 8.1.1.7, RFC 3581 3)."""
        # RFC 5923 5: by TLS, who knows us by our certificate may call us on the connection that we made.
        more = {"udp": ";rport", "tls": ";alias"}.get(flow.transport, "")
        host, port = flow.local
        sent_by = format_host_port(host.partition("%")[0], port)
        via = f"SIP/2.0/{flow.transport.upper()} {sent_by};branch={MAGIC_COOKIE}{self.token()}{more}"
        request.headers.prepend("Via", via)
        request.headers.set("User-Agent", self.identity.product)

    def respond(self, request: Request, status: int, reason: str = "", to_tag: str = "") -> Response:
        """Begin a response; the To tag is a new one where none is given or there yet."""
        response = respond(request, status, reason or None, to_tag or self.token())
        response.headers.add("Server", self.identity.product)
        return response


def reason_phrase(status: int) -> str:
    """The standard's phrase, for a status that no message brought."""
    return REASONS.get(status, "")


class WhenFinal:
    """The user of a client transaction whose provisional responses say nothing."""

    def __init__(self, when_final: Callable[[int, str, float, Response | None], None] | None = None) -> None:
        """Have *when_final* called with status, reason, time, and the response unless none came."""
        self._when_final = when_final

    def response_received(self, _transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response."""
        if response.status >= 200:
            self._finish(response.status, response.reason, now, response)

    def request_failed(self, _transaction: ClientTransaction, status: int, now: float) -> None:
        """Take that there will be none."""
        self._finish(status, reason_phrase(status), now, None)

    def _finish(self, status: int, reason: str, now: float, response: Response | None) -> None:
        when_final, self._when_final = self._when_final, None  # the transaction stays longer than who asked
        if when_final is not None:
            when_final(status, reason, now, response)
