"""A call: the session that an INVITE makes, from either side (RFC 3261 sections 9, 13, 15).

Rule 1: bodies come from above and go up as bytes; this file knows only in which message an offer or an answer may stand
(RFC 6337 table 1): an offer in INVITE and its answer in the 2xx, or an offer in the 2xx and its answer in ACK.
Rule 2: the INVITE itself is an object of its own, `invite_client` or `invite_server`; what else goes on in the call's
dialogs is in `usage`.
Rule 3: whatever happens, there is exactly one `Ended`; after it nothing is left but transactions on their way out.

::

    CALLING ────▶ ACCEPTED ──▶ CONFIRMED ──▶ ENDING ──▶ ENDED
    INCOMING ───▶    2xx          ACK       CANCEL, BYE
    (end leads from every state to ENDING or ENDED; whatever the far end or the clock does may lead to ENDED)
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, final

from firmware.errors import LocalProtocolError
from firmware.sip import events
from firmware.sip.alert import waits
from firmware.sip.body import readable_description
from firmware.sip.dialog import Dialog
from firmware.sip.grammar import printable
from firmware.sip.info import send_info
from firmware.sip.invite_client import InviteClient
from firmware.sip.invite_server import InviteServer
from firmware.sip.layers import DialogEntry, Layers, WhenFinal, reason_phrase
from firmware.sip.reason import write_reason
from firmware.sip.refusal import check_refusal
from firmware.sip.usage import Usage

if TYPE_CHECKING:
    from firmware.sansio import Flow
    from firmware.sip.account import Account
    from firmware.sip.header import NameAddr
    from firmware.sip.message import Request, Response
    from firmware.sip.modification import Modification
    from firmware.sip.refer import Referral
    from firmware.sip.transaction_machine import ServerTransaction
    from firmware.sip.uri import Uri


class State(Enum):
    """Where a session stands."""

    CALLING = "calling"  # our INVITE is out
    INCOMING = "incoming"  # their INVITE waits for our answer
    ACCEPTED = "accepted"  # 2xx sent or received, ACK still missing
    CONFIRMED = "confirmed"
    ENDING = "ending"  # we end it: CANCEL or BYE is out, or waits until it is allowed
    ENDED = "ended"


@final
class InviteSession:
    """One call.  ``UserAgent.invite`` makes it, or it comes with the event `Incoming`.

    A command raises LocalProtocolError in a state in which the protocol forbids it, and then does nothing.  After any
    command, collect the user agent's actions and events.
    """

    def __init__(self, layers: Layers, flow: Flow, call_id: str, remote: NameAddr, remote_target: Uri) -> None:
        self.call_id: Final = call_id
        self.remote: Final = remote
        """The far end: From of an incoming call, To of an outgoing one."""
        self.flow = flow
        """The flow that the call was made on, or was moved to."""
        self.state = State.CALLING
        self._layers = layers
        self._dialed = remote_target
        self.usage: Final = Usage(self, layers)
        """What is under way in its dialogs; for `firmware.sip` only."""
        self._last: tuple[int | None, str, bool] = (None, "", False)
        """Status, reason and "by far end" of the Ended that is reported once the far end is done as well."""
        self._bye_reason = ""
        self._contacts: tuple[Uri, ...] = ()
        self._silent = False
        layers.sessions.add(self)

    @classmethod
    def outgoing(
        cls, layers: Layers, flow: Flow, request: Request, now: float, account: Account | None = None
    ) -> InviteSession:
        """Make a call with this INVITE."""
        session = cls(layers, flow, request.call_id, request.to, request.uri)
        usage = session.usage
        usage.client = InviteClient(session, layers, request, flow, now, None, usage.update, account)
        return session

    @classmethod
    def incoming(
        cls,
        layers: Layers,
        transaction: ServerTransaction,
        offer: bytes | None,
        now: float,
        replaces: InviteSession | None = None,
    ) -> InviteSession:
        """Take the call of this INVITE.  RemoteProtocolError 400: it makes no dialog."""
        request = transaction.request
        dialog = Dialog.of_callee(request, layers.token(), transaction.flow)
        dialog.account = layers.account_of(request, transaction.flow)
        session = cls(layers, transaction.flow, request.call_id, request.from_, dialog.remote_target)
        session.state = State.INCOMING
        usage = session.usage
        usage.adopt(dialog, owner=False)
        usage.server = InviteServer(session, layers, transaction, dialog, offer, now, usage.update.timer)
        usage.update.learn(request)
        session._report(events.Incoming(session, offer, request, replaces))
        return session

    @property
    def account(self) -> Account | None:
        """The account of ours that the call came or went by."""
        if self.usage.dialog is not None:
            return self.usage.dialog.account
        return self.usage.client.account if self.usage.client is not None else None

    @property
    def remote_target(self) -> Uri:
        """Where requests to the far end go: its Contact; before it has answered, what was dialled."""
        return self._dialed if self.usage.dialog is None else self.usage.dialog.remote_target

    @property
    def secure(self) -> bool:
        """Whether it was begun by SIPS: every hop of its signalling is to be by TLS (RFC 5630 4)."""
        return self._dialed.scheme == "sips" or (self.usage.dialog is not None and self.usage.dialog.secure)

    @property
    def up(self) -> bool:
        """Whether it was answered, and goes on."""
        return self.state in (State.ACCEPTED, State.CONFIRMED)

    @property
    def ending(self) -> bool:
        """Whether we end it."""
        return self.state is State.ENDING

    @property
    def negotiating(self) -> bool:
        """Whether an INVITE is under way in either direction, so that ``reinvite`` is not allowed (RFC 3261 14.1)."""
        return self.usage.negotiating

    @property
    def must_offer(self) -> bool:
        """Whether ``ring`` must have our offer, because the caller has made none and wants to be sure of what rings."""
        return self.usage.server is not None and self.usage.server.must_offer

    @property
    def referral(self) -> Referral:
        """Transfers of the call.  State: ACCEPTED or CONFIRMED."""
        if self.usage.referral is None or not self.up:
            raise LocalProtocolError(f"nobody can be referred; the session is {self.state.value}")
        return self.usage.referral

    # Commands

    def ring(self, now: float, status: int = 180, body: bytes | None = None, *, waiting: bool = False) -> None:
        """Send a provisional response (101 to 199); it is repeated every minute.  State: INCOMING.

        *waiting*: the call rings here behind another one.
        """
        server = self._incoming_invite()
        if not 100 < status < 200:
            raise LocalProtocolError(f"{status} is no provisional response with a dialog")
        server.provide(status, body, now, waiting=waiting)

    def accept(self, body: bytes | None, now: float) -> None:
        """Answer the call: *body* is the answer, or the offer if Incoming had none.  State: INCOMING.

        None where ``ring`` made the offer already; then the 2xx may have to wait for the answer to that.
        Confirmed follows once the far end has it; Ended (408) if it never does.
        """
        server = self._incoming_invite()
        server.accept(body, now)
        if server.accepted:
            self.state = State.ACCEPTED

    def reject(self, status: int, now: float, reason: str = "") -> None:
        """Refuse the call with a status of 300 to 699; Ended follows at once.  State: INCOMING."""
        server = self._incoming_invite()
        check_refusal(status)
        server.refuse(status, reason, now)
        self._finish(status, reason or reason_phrase(status), now, by_far_end=False)

    def answer_early(self, body: bytes, now: float) -> None:
        """Answer the offer that Progress brought.  State: CALLING, after Progress."""
        if self.usage.client is None or self.state is not State.CALLING:
            raise LocalProtocolError(f"no early offer is here; the session is {self.state.value}")
        self.usage.client.answer_early(body, now)

    def acknowledge(self, body: bytes, now: float) -> None:  # noqa: ARG002 (every command has the time)
        """Send ACK with the answer to the offer that Accepted brought.  State: after Accepted."""
        if self.state is State.ACCEPTED and self.usage.client is not None:
            self.usage.acknowledge(body)
            self.state = State.CONFIRMED
        else:
            self._confirmed().acknowledge(body)

    def end(self, now: float, status: int | None = None, reason: str = "") -> None:
        """End the call in whatever state it is, by CANCEL, BYE or a final response; Ended follows within 64 s.

        *status* and *reason* go into the response to an INVITE not yet answered (default 603), otherwise into a Reason
        header field (RFC 3326).  In a call that is ending or has ended this does nothing.
        """
        if self.state in (State.ENDING, State.ENDED):
            return
        if self.state is State.INCOMING:
            self.reject(status if status is not None and 300 <= status < 700 else 603, now, reason)
            return
        was, self.state = self.state, State.ENDING
        self._bye_reason = write_reason(status, reason)
        if was is State.CALLING and self.usage.client is not None:
            self.usage.client.cancel(now)
        elif was is State.CONFIRMED or self.usage.client is not None:
            self._bye(now)
        # Otherwise our 2xx still waits for its ACK: RFC 3261 15: "the callee's UA MUST NOT send a BYE on a confirmed
        # dialog until it has received an ACK for its 2xx response or until the server transaction times out".

    def move(self, flow: Flow) -> None:
        """Go on by another flow: our address has changed.  The next ``reinvite`` tells the far end (RFC 3261 12.2).

        State: CONFIRMED.
        """
        self._confirmed()
        self.flow = flow
        if self.usage.dialog is not None:
            self.usage.dialog.flow = flow

    def reinvite(self, body: bytes | None, now: float) -> None:
        """Offer a change of the session; None asks the far end for an offer.  State: CONFIRMED, and not `negotiating`.

        Answered or OfferRefused follows, or Accepted if *body* was None.  When both sides' offers cross (491) the offer
        is sent again by itself after the time that RFC 3261 14.1 sets; a call of this method in that time replaces it.
        """
        self._confirmed().offer(body, now)

    def answer(self, body: bytes, now: float) -> None:
        """Accept what Offered brought: *body* is the answer, or the offer if Offered had none; Confirmed follows.

        State: any after Offered.
        """
        if self.usage.update.asked:
            self.usage.update.answer(body, now)
            if self.usage.modification is not None:
                self.usage.modification.outdate()
        else:
            self._confirmed().answer(body, now)

    def refuse_offer(self, status: int, now: float, reason: str = "") -> None:
        """Refuse what Offered brought (488 mostly); the session stays as it is.  State: any after Offered."""
        check_refusal(status)
        if self.usage.update.asked:
            self.usage.update.refuse(status, reason, now)
        else:
            self._confirmed().refuse(status, reason, now)

    def update(self, body: bytes | None, now: float) -> None:
        """Send UPDATE: with an offer, after which Answered or OfferRefused follows, or to refresh (RFC 3311, RFC 4028).

        State: CONFIRMED; or before that, once an early offer has its answer, and the far end knows of that.
        """
        dialog = self.usage.dialog if self.state in (State.INCOMING, State.CONFIRMED) else None
        if dialog is None and self.state is State.CALLING and self.usage.client is not None:
            dialog = self.usage.client.early_dialog
        if dialog is None or (body is not None and self.usage.outstanding(dialog)):
            raise LocalProtocolError(f"no UPDATE is possible now; the session is {self.state.value}")
        self.usage.update.send(dialog, body, now)

    def info(self, content_type: str, body: bytes, now: float) -> None:
        """Send INFO (RFC 6086); InfoAnswered follows.  State: CONFIRMED, or before, once there is an early dialog."""
        dialog = self.usage.latest_dialog
        if dialog is None or self.state in (State.ENDING, State.ENDED):
            raise LocalProtocolError(f"no dialog to send INFO in; the session is {self.state.value}")
        if not self._layers.transactions.client_room:
            raise LocalProtocolError("too many transactions")
        send_info(self._layers, self, dialog, content_type, body, now)

    # Inviter: reports of our INVITE

    def early_dialog(self, dialog: Dialog) -> None:
        """Take that a provisional response made a dialog."""
        self._layers.dialogs[dialog.id] = DialogEntry(dialog, self)

    def progressed(self, response: Response, body: bytes | None, *, offered: bool) -> None:
        """Take a provisional response."""
        if self.state is State.CALLING:
            self._report(events.Progress(self, response.status, response.reason, body, offered, waits(response)))

    def succeeded(self, client: InviteClient, dialog: Dialog, body: bytes | None, now: float) -> None:
        """Take the first 2xx."""
        if self.state is not State.CALLING:
            # The 200 crossed our CANCEL, or came when the session was given up: ACK and BYE.
            self.usage.client = None
            client.acknowledge(dialog, None)
            if self.state is State.ENDING:
                self.usage.adopt(dialog, owner=True)
            self._bye(now, dialog)
            return
        self.usage.adopt(dialog, owner=True)
        if client.offer is None and body is not None and not client.agreed:
            self.state = State.ACCEPTED
            self._report(events.Accepted(self, body))
            return
        self.usage.client = None
        self.state = State.CONFIRMED
        client.acknowledge(dialog, None)
        if client.offer is None and not client.agreed:
            self.lost(488, "No Offer In 2xx", now)  # RFC 3261 13.2.1: there must be one.
        else:
            self._report(events.Accepted(self, None if client.agreed else body))

    def refused(self, client: InviteClient, status: int, reason: str, now: float) -> None:
        """Take a final response other than 2xx, or that none will come."""
        self.usage.client = None
        if self.state is State.CALLING:
            self._contacts, self._silent = client.contacts, client.silent
            self._finish(status, reason, now)
        elif self.state is State.ENDING:
            self._report_last(now)

    def unanswered(self) -> None:
        """Take that the far end has been silent for too long after a provisional response; CANCEL follows."""
        if self.state is State.CALLING:
            self._last = (408, reason_phrase(408), True)
            self.state = State.ENDING

    def lost(self, status: int, reason: str, now: float) -> None:
        """End a call that can't go on; the far end gets a BYE, and nobody waits for its answer."""
        if self.state not in (State.ENDING, State.ENDED) and self.usage.dialog is not None:
            self._bye_reason = write_reason(status, reason)
            self._bye(now, self.usage.dialog, WhenFinal())
            self._finish(status, reason, now)

    # Invitee: reports of the far end's INVITE

    def ack_received(self, ack: Request, now: float) -> None:
        """Take an ACK to one of our 2xx."""
        server = self.usage.server
        if server is None:
            if self.usage.modification is not None:
                self.usage.modification.ack_received(ack, now)
        elif server.accepted and ack.cseq.number == server.request.cseq.number:
            self.acknowledged(readable_description(ack), now)

    def cancelled(self, server: InviteServer, status: int, reason: str, now: float) -> None:
        """Take that the INVITE is not to be answered any more: CANCEL or expired (487), too late (480)."""
        server.refuse(status, "", now)
        self._finish(status, reason or reason_phrase(status), now)

    def never_acknowledged(self, now: float) -> None:
        """Take that no ACK came in 64*T1: "the session SHOULD be terminated" by a BYE (RFC 3261 13.3.1.4)."""
        self.usage.server = None
        if self.state is State.ENDING:
            self._bye(now)
        else:
            self.lost(408, "No ACK", now)

    def answered_early(self, body: bytes | None) -> None:
        """Take the answer to the offer of our provisional response."""
        self._report(events.EarlyAnswer(self, body))

    # Usage: reports of the far end's requests in the dialog

    def bye_received(self, request: Request, now: float) -> None:
        """Take a BYE."""
        if self.state is State.ENDING:
            self._report_last(now)
        elif self.state is not State.CALLING:
            # RFC 3261 15: a callee has no BYE for an early dialog; its final response to the INVITE will come.
            self._finish(None, request.headers.get("Reason") or "", now)

    def provisional_acknowledged(self) -> None:
        """Take a PRACK, which the 2xx may have waited for."""
        server = self.usage.server
        if self.state is State.INCOMING and server is not None and server.accepted:
            self.state = State.ACCEPTED

    def acknowledged(self, body: bytes | None, now: float) -> None:
        """Take that the far end has our 2xx, and the description in its ACK."""
        server, self.usage.server = self.usage.server, None
        if server is None:
            return
        server.stop(now)
        if self.state is State.ENDING:
            self._bye(now)
        else:
            self.state = State.CONFIRMED
            self._report(events.Confirmed(self, body if server.offer is None else None))

    # The end

    def _bye(self, now: float, dialog: Dialog | None = None, user: WhenFinal | None = None) -> None:
        """Send BYE; unless *user* says otherwise, the session has ended once it is answered."""
        dialog = dialog or self.usage.dialog
        if dialog is None:
            return
        self.usage.end(now)
        bye = dialog.request("BYE")
        if self._bye_reason:
            bye.headers.add("Reason", self._bye_reason)
        user = user or WhenFinal(lambda _status, _reason, at, _response: self._report_last(at))
        self._layers.send_in_dialog(dialog, bye, user, now)

    def _report_last(self, now: float) -> None:
        status, reason, by_far_end = self._last
        self._finish(status, reason, now, by_far_end=by_far_end)

    def _finish(self, status: int | None, reason: str, now: float, *, by_far_end: bool = True) -> None:
        """Forget the call and say so, once."""
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        self.usage.end(now)
        self.usage.forget()
        self._layers.sessions.discard(self)
        # Reason comes as it was written, and people get to see it.
        self._report(events.Ended(self, status, printable(reason), by_far_end, self._contacts, self._silent))

    def _incoming_invite(self) -> InviteServer:
        if self.usage.server is None or self.state is not State.INCOMING:
            raise LocalProtocolError(f"no call waits for an answer; the session is {self.state.value}")
        return self.usage.server

    def _confirmed(self) -> Modification:
        if self.usage.modification is None or self.state is not State.CONFIRMED:
            raise LocalProtocolError(f"the session is {self.state.value}, not confirmed")
        return self.usage.modification

    def _report(self, event: events.Event) -> None:
        self._layers.events.append(event)
