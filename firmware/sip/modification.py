"""Modifying a session that is up, by re-INVITE from either side (RFC 3261 section 14).

Rule 1: one INVITE at a time, counting both directions (14.1); one that comes while ours is out is answered 491 (14.2).
Rule 2: a re-INVITE that fails changes nothing (14.1), except that 408 and 481 end the call (12.2.1.2).
Rule 3: the 2xx to a re-INVITE without an offer has one, and the answer is in the ACK (RFC 6337 table 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.errors import LocalProtocolError
from firmware.sip.body import add_description, readable_description, session_description
from firmware.sip.events import Accepted, Answered, Confirmed, Event, Offered, OfferRefused, OfferWithdrawn
from firmware.sip.glare import Glare
from firmware.sip.invite_client import InviteClient
from firmware.sip.invite_server import InviteServer
from firmware.sip.layers import Layers, reason_phrase
from firmware.sip.refusal import Refusal
from firmware.sip.session_timer import check_interval

if TYPE_CHECKING:
    from firmware.sip.dialog import Dialog
    from firmware.sip.invite import InviteSession
    from firmware.sip.message import Request, Response
    from firmware.sip.transaction_machine import ServerTransaction
    from firmware.sip.update import Update


class Modification:
    """The re-INVITEs of one session."""

    def __init__(self, session: InviteSession, layers: Layers, dialog: Dialog, update: Update, *, owner: bool) -> None:
        """*owner*: whether we made the dialog's Call-ID."""
        self._update = update
        self._session = session
        self._layers = layers
        self._dialog = dialog
        self._owner = owner
        self._client: InviteClient | None = None
        """Ours, from its sending to its final response, or to our ACK where the 2xx brought an offer."""
        self._server: InviteServer | None = None
        """Theirs, from its coming to its ACK, or to a final response other than 2xx."""
        self._offered = False
        """The 2xx to ours brought an offer that is not answered yet."""
        self._glare: Glare | None = None
        self._ended = False

    @property
    def under_way(self) -> bool:
        """Whether there is one."""
        return self._client is not None or self._server is not None

    @property
    def outstanding(self) -> str:
        """Whose offer has no answer yet: "ours" or "theirs", or ""."""
        if self._client is not None and (self._client.offer is not None or self._offered):
            return "theirs" if self._offered else "ours"
        if self._server is not None and self._server.offer is None:
            return "ours" if self._server.answered else ""
        return "theirs" if self._server is not None and not self._server.answered else ""

    # Commands, for which see InviteSession

    def offer(self, body: bytes | None, now: float) -> None:
        """Send a re-INVITE."""
        if self.under_way or self._update.offering:
            raise LocalProtocolError("an offer is under way already (RFC 3261 14.1)")
        if self._glare is not None and self._glare.waiting:
            self._glare.replace(body)
        else:
            self._send(body, now)

    def acknowledge(self, body: bytes | None) -> None:
        """Send the ACK that waits for our answer."""
        if self._client is None or not self._offered:
            raise LocalProtocolError("no offer waits for an answer in ACK")
        client, self._client, self._offered = self._client, None, False
        client.acknowledge(self._dialog, body)

    def answer(self, body: bytes, now: float) -> None:
        """Accept theirs."""
        self._unanswered().accept(body, now)
        self.outdate()

    def outdate(self) -> None:
        """Take that an offer of theirs was accepted, whatever carried it: one of ours that waits is out of date."""
        if self._glare is not None:
            self._glare.outdate()

    def refuse(self, status: int, reason: str, now: float) -> None:
        """Refuse theirs."""
        self._unanswered().refuse(status, reason, now)
        self._server = None

    def end(self, now: float) -> None:
        """Bring to an end whatever is under way, because the call is."""
        self._ended = True
        self._forget_glare()
        if self._offered:
            self.acknowledge(None)
        elif self._client is not None:
            self._client.cancel(now)
        if self._server is not None:
            # RFC 3261 15.1.2: what is still pending is answered 487.
            self._server.refuse(487, "", now)
            self._server.stop(now)
            self._server = None

    # What comes from the far end

    def received(self, transaction: ServerTransaction, now: float) -> None:
        """Take a re-INVITE.  RemoteProtocolError: answer with its status, nothing has changed."""
        if self._client is not None:
            raise Refusal(491, "re-INVITE crosses ours")  # RFC 3261 14.2
        check_earlier(self._server, self._layers)
        check_interval(transaction.request)
        offer = session_description(transaction.request)
        self._dialog.refresh(transaction.request)
        if self._server is not None:
            self._acknowledged(self._server, None, now)
        self._server = InviteServer(self, self._layers, transaction, self._dialog, offer, now, self._update.timer)
        self._report(Offered(self._session, offer))

    def ack_received(self, ack: Request, now: float) -> None:
        """Take an ACK to a 2xx."""
        server = self._server
        if server is not None and server.accepted and ack.cseq.number == server.request.cseq.number:
            self._acknowledged(server, readable_description(ack), now)

    # Invitee

    def cancelled(self, server: InviteServer, status: int, reason: str, now: float) -> None:  # noqa: ARG002
        """Take that theirs is not to be answered any more."""
        server.refuse(status, "", now)
        self._server = None
        self._report(OfferWithdrawn(self._session))

    def answered_early(self, body: bytes | None) -> None:
        """Do nothing: a re-INVITE does not ring."""

    def never_acknowledged(self, now: float) -> None:
        """Take that no ACK came."""
        self._session.lost(408, "No ACK", now)

    # Inviter

    def early_dialog(self, dialog: Dialog) -> None:
        """Do nothing: a re-INVITE makes no dialog."""

    def progressed(self, response: Response, body: bytes | None, *, offered: bool) -> None:
        """Do nothing: nobody waits for a bell."""

    def succeeded(self, client: InviteClient, dialog: Dialog, body: bytes | None, now: float) -> None:  # noqa: ARG002
        """Take the 2xx to ours."""
        if not self._ended:
            self._forget_glare()
        if client.offer is None and body is not None and not self._ended:
            self._offered = True
            self._report(Accepted(self._session, body))
            return
        self._client = None
        client.acknowledge(dialog, None)
        if self._ended:
            return
        if client.offer is None:
            # RFC 3261 14.2: such a 2xx must have an offer.
            self._report(OfferRefused(self._session, 488, "No Offer In 2xx"))
        else:
            self._report(Answered(self._session, body))

    def refused(self, client: InviteClient, status: int, reason: str, now: float) -> None:
        """Take that ours failed."""
        self._client = None
        if self._ended:
            return
        self._update.timer.failed(now)
        if status in (408, 481):
            self._session.lost(status, reason, now)  # RFC 3261 12.2.1.2
            return
        if status == 491:
            self._glare = self._glare or Glare(self._layers, owner=self._owner, retry=self._retry)
            if self._glare.wait(client.offer, now):
                return
        self._forget_glare()
        self._report(OfferRefused(self._session, status, reason))

    def unanswered(self) -> None:
        """Do nothing: the CANCEL that follows brings a final response."""

    def lost(self, status: int, reason: str, now: float) -> None:
        """Take that the call can't go on."""
        self._session.lost(status, reason, now)

    def _send(self, body: bytes | None, now: float) -> None:
        request = self._dialog.request("INVITE")
        flow = self._layers.flow_of(self._dialog)
        self._layers.add_contact(request, flow, self._dialog.account, secure=self._dialog.secure)
        self._layers.add_abilities(request)
        add_description(request, body)
        self._client = InviteClient(self, self._layers, request, flow, now, self._dialog, self._update)

    def _retry(self, body: bytes | None, now: float, *, outdated: bool) -> None:
        if outdated or self.under_way:
            self._forget_glare()
            self._report(OfferRefused(self._session, 491, reason_phrase(491)))
        else:
            self._send(body, now)

    def _unanswered(self) -> InviteServer:
        if self._server is None or self._server.answered:
            raise LocalProtocolError("no re-INVITE waits for an answer")
        return self._server

    def _acknowledged(self, server: InviteServer, body: bytes | None, now: float) -> None:
        server.stop(now)
        self._server = None
        self._report(Confirmed(self._session, body if server.offer is None else None))

    def _forget_glare(self) -> None:
        if self._glare is not None:
            self._glare.cancel()
            self._glare = None

    def _report(self, event: Event) -> None:
        self._layers.events.append(event)


def check_earlier(server: InviteServer | None, layers: Layers) -> None:
    """Refuse a re-INVITE while an earlier INVITE of the far end does not allow it.

    One whose 2xx brought the answer does, even without its ACK: the far end could not go on without that 2xx
    (RFC 5407 3.1.4).
    """
    if server is None:
        return
    if not server.answered:
        # RFC 3261 14.2: 500 with a Retry-After of 0 to 10 s.
        raise Refusal(500, "INVITE before the last is answered", ("Retry-After", str(layers.rng.randint(0, 10))))
    if server.offer is None:
        raise Refusal(491, "re-INVITE before the answer in ACK")  # RFC 5407 3.1.4
