"""UPDATE: changing or refreshing a session without an INVITE, also before it is answered (RFC 3311).

An offer in a PRACK (RFC 3262 5) is answered in the same way, in the 2xx to it, and so is kept here as well.
Rule 1: one offer at a time, whatever carries it: 491 while ours is out, 500 while theirs waits for its answer (5.2).
Rule 2: an UPDATE that fails changes nothing, except that 408 and 481 end the call (RFC 3261 12.2.1.2).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from firmware.errors import LocalProtocolError, RemoteProtocolError
from firmware.sip.body import add_description, readable_description, session_description
from firmware.sip.events import Answered, Offered, OfferRefused, RefreshDue
from firmware.sip.layers import Layers, WhenFinal
from firmware.sip.refusal import Refusal
from firmware.sip.session_timer import SessionTimer, check_interval

if TYPE_CHECKING:
    from firmware.sip.client_request import ClientRequest
    from firmware.sip.dialog import Dialog
    from firmware.sip.invite import InviteSession
    from firmware.sip.message import Message, Response
    from firmware.sip.transaction_machine import ServerTransaction

_NOT_ALLOWED: Final = (405, 501)


class Update:
    """The UPDATE requests of one session, ours and the far end's."""

    def __init__(self, session: InviteSession, layers: Layers) -> None:
        self.timer: Final = SessionTimer(layers, self._refresh, self._expired)
        self._session = session
        self._layers = layers
        self._allowed: tuple[str, ...] = ()
        """Methods of the far end's last Allow, as long as it means them."""
        self._sent: ClientRequest | None = None
        """Ours, until its final response."""
        self._asked: tuple[ServerTransaction, Dialog] | None = None
        """Theirs with an offer, until it is answered."""
        self.offering = False
        """Ours has an offer that is not answered yet."""
        self._ended = False

    @property
    def asked(self) -> bool:
        """Whether an offer of the far end waits for its answer."""
        return self._asked is not None

    # Commands

    def send(self, dialog: Dialog, body: bytes | None, now: float) -> None:
        """Send an UPDATE, with an offer or none.  LocalProtocolError: one is under way."""
        if self._sent is not None or self._asked is not None:
            raise LocalProtocolError("an UPDATE is under way already")
        if not self._layers.transactions.client_room:
            raise LocalProtocolError("too many transactions")
        request = dialog.request("UPDATE")
        self._layers.add_contact(request, self._layers.flow_of(dialog), dialog.account)
        self._layers.add_abilities(request)
        self.timer.ask(request)
        add_description(request, body)
        self.offering = body is not None

        def answered(status: int, reason: str, now: float, response: Response | None) -> None:
            self._answered(dialog, status, reason, now, response)

        self._sent = self._layers.send_in_dialog(dialog, request, WhenFinal(answered), now)

    def answer(self, body: bytes, now: float) -> None:
        """Accept theirs."""
        transaction, dialog = self._take_asked()
        self._accept(transaction, dialog, body, now)

    def refuse(self, status: int, reason: str, now: float) -> None:
        """Refuse theirs."""
        transaction, _ = self._take_asked()
        transaction.respond(self._layers.respond(transaction.request, status, reason), now)

    def end(self, now: float) -> None:
        """Take that the call is over."""
        self._ended = True
        if self._asked is not None:
            self.refuse(487, "", now)

    def forget(self) -> None:
        """Let go of the session, which is reported to nobody any more."""
        self.timer.forget()
        self._ended = True
        del self._session

    # Session timer

    def _refresh(self, now: float) -> None:
        self.timer.failed(now)  # or so it is until the answer is here
        if "UPDATE" not in self._allowed:
            self._layers.events.append(RefreshDue(self._session))
            return
        with suppress(LocalProtocolError):  # another is under way, and is as good; or the call ends
            self._session.update(None, now)

    def _expired(self, now: float) -> None:
        self._session.lost(408, "Session Timer Expired", now)

    # What comes from the far end

    def learn(self, message: Message) -> None:
        """Take what the far end says that it understands."""
        with suppress(RemoteProtocolError):
            self._allowed = message.allow or self._allowed

    def received(self, transaction: ServerTransaction, dialog: Dialog, now: float, *, outstanding: str) -> None:
        """Take an UPDATE, or a PRACK with an offer; *outstanding*: whose offer has no answer yet, "" or ours or theirs.

        RemoteProtocolError: answer with its status.
        """
        request = transaction.request
        check_interval(request)
        offer = session_description(request)
        if self._asked is not None or (offer is not None and outstanding == "theirs"):
            # RFC 3311 5.2: 500 with a Retry-After of 0 to 10 s.
            retry = ("Retry-After", str(self._layers.rng.randint(0, 10)))
            raise Refusal(500, f"{request.method} before the last offer is answered", retry)
        if offer is not None and (outstanding == "ours" or self.offering):
            raise Refusal(491, f"{request.method} crosses our offer")
        dialog.refresh(request)
        if offer is None:
            self._accept(transaction, dialog, None, now)
        else:
            self._asked = transaction, dialog
            self._layers.events.append(Offered(self._session, offer))

    def _accept(self, transaction: ServerTransaction, dialog: Dialog, body: bytes | None, now: float) -> None:
        request = transaction.request
        response = self._layers.respond(request, 200)
        if request.method == "UPDATE":
            self._layers.add_contact(response, transaction.flow, dialog.account)
            self._layers.add_abilities(response)
            self.timer.agree(request, response, now)
        add_description(response, body)
        transaction.respond(response, now)

    def _answered(self, dialog: Dialog, status: int, reason: str, now: float, response: Response | None) -> None:
        sent, self._sent = self._sent, None
        offering, self.offering = self.offering, False
        if self._ended or sent is None:
            return
        if status in (408, 481):
            self._session.lost(status, reason, now)
        elif status >= 300 or response is None:
            self.timer.failed(now)
            if status in _NOT_ALLOWED and not offering:
                # Whatever its Allow says: the session is refreshed by re-INVITE from now on.
                self._allowed = ()
                self._layers.events.append(RefreshDue(self._session))
            if offering:
                self._layers.events.append(OfferRefused(self._session, status, reason))
        else:
            dialog.refresh(response)
            self.timer.answered(sent.request, response, now)
            if offering:
                self._layers.events.append(Answered(self._session, readable_description(response)))

    def _take_asked(self) -> tuple[ServerTransaction, Dialog]:
        if self._asked is None:
            raise LocalProtocolError("no offer waits for an answer")
        asked, self._asked = self._asked, None
        return asked
