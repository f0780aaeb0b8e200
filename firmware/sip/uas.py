"""What a UAS does with a request that begins a transaction, in the order of RFC 3261 8.2.

Rule: the checks stand in a table; the first that finds fault answers, and nobody after it sees the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import RemoteProtocolError
from firmware.sip.body import ACCEPTED, SDP, add_description, session_description
from firmware.sip.dialog import DialogId
from firmware.sip.identity import EXTENSIONS, METHODS
from firmware.sip.invite import InviteSession
from firmware.sip.invite_server import InviteServer
from firmware.sip.layers import DialogEntry, Layers
from firmware.sip.refusal import Refusal
from firmware.sip.replacement import replaced_session
from firmware.sip.session_timer import check_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sansio import Flow
    from firmware.sip.message import Request
    from firmware.sip.transaction_machine import ServerTransaction

_KNOWN: Final = frozenset(("REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE"))
"""Methods that we recognise but don't support: 405; any other is 501 (RFC 3261 8.2.1, 21.5.2)."""


_IN_DIALOG: Final = frozenset(("BYE", "INFO", "PRACK", "UPDATE", "NOTIFY"))
"""Methods that have a meaning only in a call (RFC 3261 15.1.2; RFC 6086 4.2.1; RFC 3262 3; RFC 3311 5.2; and RFC 6665
4.1.3, as we subscribe only by REFER)."""


_AGREE_ON_MEDIA: Final = frozenset(("INVITE", "UPDATE", "PRACK"))
"""Methods that may carry a session description, with keys in it."""


def _leaves_tls(entry: DialogEntry, flow: Flow) -> bool:
    """Whether what belongs to a call by TLS has come by another transport, where anybody on its way reads it."""
    return entry.dialog.flow.transport == "tls" != flow.transport


def _check_method(request: Request) -> None:
    # RFC 3261 8.2.1
    if request.method not in METHODS:
        status = 405 if request.method in _KNOWN else 501
        raise Refusal(status, f"method {request.method[:20]}", ("Allow", ", ".join(METHODS)))


def _check_scheme(request: Request) -> None:
    # RFC 3261 8.2.2.1
    if request.uri.scheme not in ("sip", "sips"):
        raise Refusal(416, f"scheme {request.uri.scheme[:20]}")


def _check_extensions(request: Request) -> None:
    # RFC 3261 8.2.2.3: not for CANCEL (and ACK, which never gets here).
    if request.method == "CANCEL":
        return
    unknown = [tag for tag in request.require if tag not in EXTENSIONS]
    if unknown:
        raise Refusal(420, f"extensions {unknown[:4]}", ("Unsupported", ", ".join(unknown)))


def _takes_description(request: Request) -> bool:
    """Whether a response may carry a session description (RFC 3261 20.1: no Accept means application/sdp)."""
    return not request.accept or any(range_.includes(SDP) for range_ in request.accept)


class Uas:
    """The UAS core of one user agent."""

    def __init__(self, layers: Layers) -> None:
        self.capabilities: bytes | None = None
        self._layers = layers
        self._checks: Final[tuple[Callable[[Request], None], ...]] = (
            _check_method,
            _check_scheme,
            self._check_dialog,
            self._check_merged,
            _check_extensions,
        )
        self._methods: Final[dict[str, Callable[[ServerTransaction, float], None]]] = {
            "INVITE": self._invite,
            "OPTIONS": self._options,
            "CANCEL": self._cancel,
            "BYE": self._in_dialog,
            "INFO": self._in_dialog,
            "PRACK": self._in_dialog,
            "UPDATE": self._in_dialog,
            "REFER": self._in_dialog,
            "NOTIFY": self._in_dialog,
        }

    def receive(self, request: Request, flow: Flow, now: float) -> None:
        """Take a well-formed request, other than ACK, that belongs to no transaction."""
        refusal: RemoteProtocolError | None = None
        try:
            for check in self._checks:
                check(request)
            self._check_security(request, flow)
        except RemoteProtocolError as error:
            refusal = error
        transaction = self._layers.transactions.accept(request, flow, now)
        if refusal is None:
            try:
                self._methods[request.method](transaction, now)
            except RemoteProtocolError as error:
                refusal = error
        if refusal is not None:
            self._refuse(transaction, refusal, now)

    def receive_ack(self, ack: Request, flow: Flow, now: float) -> None:
        """Take an ACK that belongs to no transaction: to a 2xx of ours, or to nothing."""
        entry = self._entry(ack)
        if entry is None or _leaves_tls(entry, flow):
            self._layers.counters["stray ACK"] += 1
        else:
            entry.session.ack_received(ack, now)

    def knows(self, request: Request) -> bool:
        """Whether the request is about a call that is here already."""
        if request.method == "CANCEL":
            return self._layers.transactions.match_cancel(request) is not None
        return self._entry(request) is not None

    def _entry(self, request: Request) -> DialogEntry | None:
        """Whose dialog a request is in (RFC 3261 12.2.2)."""
        dialog_id = DialogId(request.call_id, request.to.tag or "", request.from_.tag or "")
        return self._layers.dialogs.get(dialog_id)

    def _check_dialog(self, request: Request) -> None:
        if request.method == "CANCEL":
            return
        entry = self._entry(request)
        if entry is None:
            if request.to.tag is not None or request.method in _IN_DIALOG:
                raise Refusal(481, "no such dialog")  # RFC 3261 12.2.2
            if request.method == "REFER":
                raise Refusal(603, "a stranger refers us to somebody")
        elif not entry.dialog.in_order(request):
            raise Refusal(500, "CSeq out of order")  # RFC 3261 12.2.2

    def _check_security(self, request: Request, flow: Flow) -> None:
        # RFC 5630 5.1.2: SIPS is TLS on every hop, and the last one was none.
        if request.uri.scheme == "sips" and flow.transport != "tls":
            raise Refusal(480, "sips without TLS", ("Warning", '380 visavis "SIPS Not Allowed"'))
        entry = self._entry(request)
        if entry is not None and request.method in _AGREE_ON_MEDIA and _leaves_tls(entry, flow):
            raise Refusal(403, f"{request.method} in the clear, in a call by TLS")

    def _check_merged(self, request: Request) -> None:
        # RFC 3261 8.2.2.2
        if request.method != "CANCEL" and self._layers.transactions.merged(request):
            raise Refusal(482, "merged request")

    def _invite(self, transaction: ServerTransaction, now: float) -> None:
        entry = self._entry(transaction.request)
        if entry is not None:
            entry.session.usage.received(transaction, entry.dialog, now)
            return
        if not _takes_description(transaction.request):
            raise Refusal(406, "only descriptions that we don't write are accepted")  # RFC 3261 21.4.7
        check_interval(transaction.request)
        offer = session_description(transaction.request)
        replaces = replaced_session(transaction.request, self._layers)
        self._check_room()
        InviteSession.incoming(self._layers, transaction, offer, now, replaces)

    def _in_dialog(self, transaction: ServerTransaction, now: float) -> None:
        entry = self._entry(transaction.request)
        if entry is not None:
            entry.session.usage.received(transaction, entry.dialog, now)

    def _options(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        if request.to.tag is None:
            self._check_room()  # RFC 3261 11.2: the same status as for an INVITE.
        response = self._layers.respond(request, 200)
        self._layers.add_abilities(response)
        account = self._layers.account_of(request, transaction.flow)
        self._layers.add_contact(response, transaction.flow, account, secure=request.uri.scheme == "sips")
        response.headers.add("Accept", ACCEPTED)
        response.headers.add("Accept-Encoding", "identity")
        if _takes_description(request):
            add_description(response, self.capabilities)
        transaction.respond(response, now)

    def _cancel(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        invite = self._layers.transactions.match_cancel(request)
        if invite is None:
            raise Refusal(481, "nothing to cancel")  # RFC 3261 9.2
        # RFC 3261 9.2: the To tag of both responses is the same.
        tag = invite.user.local_tag if isinstance(invite.user, InviteServer) else invite.local_tag or ""
        transaction.respond(self._layers.respond(request, 200, to_tag=tag), now)
        if isinstance(invite.user, InviteServer):
            invite.user.cancelled(request.headers.get("Reason") or "", now)

    def _check_room(self) -> None:
        # RFC 3261 21.4.24: "not willing or able to take additional calls at this end system"; 503 is for overload, and
        # would make a proxy avoid all of this server (21.5.4).
        if len(self._layers.sessions) >= self._layers.identity.max_sessions:
            raise Refusal(486, "all lines are taken")

    def _refuse(self, transaction: ServerTransaction, error: RemoteProtocolError, now: float) -> None:
        self._layers.counters[f"refused {error.status}"] += 1
        response = self._layers.respond(transaction.request, error.status)
        field = error.field if isinstance(error, Refusal) else None
        if error.status == 415:
            field = field or ("Accept", ACCEPTED)  # RFC 3261 8.2.3
            response.headers.add("Accept-Encoding", "identity")
        if field is not None:
            response.headers.add(*field)
        transaction.respond(response, now)
