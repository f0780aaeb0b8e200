"""One INVITE of the far end, initial or re-INVITE: its responses, and the 2xx that is repeated until its ACK comes.

The 2xx is repeated here and not in the transaction, over any transport, because its ACK comes end to end
(RFC 3261 13.3.1.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from firmware.errors import RemoteProtocolError
from firmware.sip.alert import CALL_WAITING
from firmware.sip.body import add_description, session_description
from firmware.sip.layers import Layers
from firmware.sip.refusal import Refusal
from firmware.sip.reliable import OPTION, ReliableServer
from firmware.sip.timers import T1, T2
from firmware.sip.transaction import State

if TYPE_CHECKING:
    from firmware.sip.dialog import Dialog
    from firmware.sip.message import Request, Response
    from firmware.sip.session_timer import SessionTimer
    from firmware.sip.timers import Timer
    from firmware.sip.transaction_machine import ServerTransaction
    from firmware.sip.update import Update

REPEAT_PROVISIONAL: Final = 60.0
"""Seconds; RFC 3261 13.3.1.1: "at every minute", so that no proxy gives up."""
ANSWER_LIMIT: Final = 180.0
"""Seconds that a call may ring here; RFC 3261 leaves it to us, and proxies give up after three minutes (16.6)."""
OFFER_LIMIT: Final = 64 * T1
"""Seconds that a re-INVITE may wait for the application."""


class Invitee(Protocol):
    """Who hears what becomes of an INVITE of the far end: a session, or what modifies it."""

    def ack_received(self, ack: Request, now: float) -> None:
        """Take an ACK to a 2xx."""

    def cancelled(self, server: InviteServer, status: int, reason: str, now: float) -> None:
        """Take that the INVITE is not to be answered any more, except with this status."""

    def answered_early(self, body: bytes | None) -> None:
        """Take the answer to the offer of a provisional response."""

    def never_acknowledged(self, now: float) -> None:
        """Take that no ACK came to the 2xx."""


class InviteServer:
    """The UAS's side of one INVITE."""

    def __init__(
        self,
        user: Invitee,
        layers: Layers,
        transaction: ServerTransaction,
        dialog: Dialog,
        offer: bytes | None,
        now: float,
        timer: SessionTimer,
    ) -> None:
        self.offer: Final = offer
        self.answered = False
        """The final response is sent."""
        self.accepted = False
        """It was a 2xx; until its ACK comes, this INVITE is under way."""
        self._user = user
        request = transaction.request
        self._layers = layers
        self._transaction = transaction
        self._dialog = dialog
        self._timer = timer
        self._reliable = ReliableServer(layers, transaction, self._given_up) if OPTION in request.require else None
        self._early_offer = False
        """The offer is in a provisional response."""
        self._answered_early = False
        """The answer is."""
        self._waiting: tuple[bytes | None] | None = None
        """What the 2xx says once a PRACK has come."""
        self._interval = T1
        self._repeat: Timer | None = None
        self._limit: Timer | None = None
        transaction.user = self
        self._set_limits(now)

    @property
    def request(self) -> Request:
        """The INVITE."""
        return self._transaction.request

    @property
    def local_tag(self) -> str:
        """Our tag in To of every response."""
        return self._dialog.id.local_tag

    def provide(self, status: int, body: bytes | None, now: float, *, waiting: bool = False) -> None:
        """Send a provisional response, and again every minute."""
        response = self._respond(status)
        if waiting:
            response.headers.add("Alert-Info", f"<{CALL_WAITING}>")
        self._add_dialog(response)
        add_description(response, body)
        if self._reliable is not None:
            self._early_offer = self._early_offer or (body is not None and self.offer is None)
            self._answered_early = self._answered_early or (body is not None and self.offer is not None)
            self._reliable.send(response, now)
        else:
            self._transaction.respond(response, now)
        self._stop_repeating()
        self._repeat = self._layers.timers.start(now + REPEAT_PROVISIONAL, self._repeat_provisional)

    @property
    def must_offer(self) -> bool:
        """Whether the next provisional response must have our offer (RFC 3262 5: the INVITE had none)."""
        return self._reliable is not None and self.offer is None and not self._early_offer

    @property
    def outstanding(self) -> str:
        """Whose offer has no answer yet: "ours" or "theirs", or ""."""
        if self.offer is None:
            early = self._reliable is not None and self._reliable.describes
            return "ours" if early or (self.accepted and not self._early_offer) else ""
        return "" if self.answered or self._answered_early else "theirs"

    def accept(self, body: bytes | None, now: float) -> None:
        """Send the 2xx, and again until ``acknowledged``; None: all is agreed already."""
        if self._reliable is not None and self._reliable.describes:
            self._waiting = (body,)  # RFC 3262 5: not before the PRACK.
            return
        response = self._respond(200)
        self._add_dialog(response)
        self._layers.add_abilities(response)
        add_description(response, body)
        self._timer.agree(self.request, response, now)
        self.stop(now)
        self.answered = self.accepted = True
        self._transaction.respond(response, now)
        self._repeat = self._layers.timers.start(now + T1, self._repeat_success)
        self._limit = self._layers.timers.start(now + 64 * T1, self._unacknowledged)

    def refuse(self, status: int, reason: str, now: float) -> None:
        """Send a final response other than 2xx; nothing if there was one.  LocalProtocolError: that is no reason."""
        if self.answered:
            return
        self._transaction.respond(self._respond(status, reason), now)
        self.stop(now)
        self.answered = True

    def prack_received(self, transaction: ServerTransaction, update: Update, now: float) -> None:
        """Take a PRACK; one with an offer goes to *update*.  RemoteProtocolError: answer with its status."""
        prack = transaction.request
        rack = prack.rack
        if rack is None:
            raise RemoteProtocolError("PRACK without RAck")
        body = session_description(prack)
        answers = self._reliable is not None and self._reliable.describes and self._early_offer
        if self._reliable is None or not self._reliable.acknowledged(rack, now):
            raise Refusal(481, "PRACK for no response")  # RFC 3262 3
        if answers:
            self._user.answered_early(body)
        if body is not None and not answers:
            update.received(transaction, self._dialog, now, outstanding=self.outstanding)
        else:
            transaction.respond(self._layers.respond(prack, 200), now)
        if self._waiting is not None and not self.answered:
            (waiting,), self._waiting = self._waiting, None
            self.accept(waiting, now)

    def stop(self, now: float) -> None:
        """Stop repeating and waiting: the ACK is here, or nobody cares any more."""
        self._stop_repeating()
        if self._reliable is not None:
            self._reliable.stop()
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        if self.accepted:
            self._transaction.settle(now)

    # ServerUser

    def ack_received(self, _transaction: ServerTransaction, ack: Request, now: float) -> None:
        """Take an ACK with the INVITE's own branch."""
        self._user.ack_received(ack, now)

    def response_failed(self, _transaction: ServerTransaction, now: float) -> None:
        """Do nothing: a 2xx is repeated over a new connection (18.2.2), any other response ended the matter."""

    def cancelled(self, reason: str, now: float) -> None:
        """Take a CANCEL (RFC 3261 9.2); it has no effect once the final response is sent."""
        if not self.answered:
            self._user.cancelled(self, 487, reason, now)

    def _respond(self, status: int, reason: str = "") -> Response:
        return self._layers.respond(self.request, status, reason, self.local_tag)

    def _add_dialog(self, response: Response) -> None:
        """Add what makes the dialog at the far end (RFC 3261 12.1.1)."""
        for value in self.request.headers.lines("Record-Route"):
            response.headers.add("Record-Route", value)
        dialog = self._dialog
        self._layers.add_contact(response, self._transaction.flow, dialog.account, secure=dialog.secure)

    def _set_limits(self, now: float) -> None:
        initial = self.request.to.tag is None
        seconds = ANSWER_LIMIT if initial else OFFER_LIMIT
        expires = self.request.expires
        # RFC 3261 13.3.1: an INVITE that expires is answered 487.
        status = 487 if expires is not None and expires < seconds else (480 if initial else 500)
        self._limit = self._layers.timers.start(
            now + (expires if expires is not None and status == 487 else seconds),
            lambda at: self._user.cancelled(self, status, "", at),
        )

    def _given_up(self, now: float) -> None:
        # RFC 3262 3: "the UAS SHOULD reject the original request with a 5xx response".
        self._user.cancelled(self, 504, "No PRACK", now)

    def _repeat_provisional(self, now: float) -> None:
        response = self._transaction.response
        if response is not None:
            if self._reliable is not None:
                again = self._respond(response.status)
                self._add_dialog(again)
                self._reliable.send(again, now)
            else:
                self._transaction.respond(response, now)
            self._repeat = self._layers.timers.start(now + REPEAT_PROVISIONAL, self._repeat_provisional)

    def _repeat_success(self, now: float) -> None:
        response = self._transaction.response
        if response is not None and self._transaction.state is State.ACCEPTED:
            self._transaction.respond(response, now)
            self._interval = min(2 * self._interval, T2)
            self._repeat = self._layers.timers.start(now + self._interval, self._repeat_success)

    def _unacknowledged(self, now: float) -> None:
        self.stop(now)
        self._user.never_acknowledged(now)

    def _stop_repeating(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None
