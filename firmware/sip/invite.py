"""A call: the session that an INVITE makes, from either side (RFC 3261 sections 9, 13, 15).

Rule 1: bodies come from above and go up as bytes; this file knows only in which message an offer or an answer may stand
(RFC 6337 table 1): an offer in INVITE and its answer in the 2xx, or an offer in the 2xx and its answer in ACK.
Rule 2: the INVITE itself is an object of its own, `invite_client` or `invite_server`; what changes the session later is
in `modification`.
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
from firmware.sip.info import read_info, send_info
from firmware.sip.invite_client import InviteClient
from firmware.sip.invite_server import InviteServer
from firmware.sip.layers import DialogEntry, Layers, WhenFinal, reason_phrase
from firmware.sip.modification import Modification, check_earlier
from firmware.sip.reason import write_reason
from firmware.sip.refer import Referral
from firmware.sip.refusal import Refusal, check_refusal
from firmware.sip.update import Update

if TYPE_CHECKING:
    from firmware.sansio import Flow
    from firmware.sip.account import Account
    from firmware.sip.header import NameAddr
    from firmware.sip.message import Request, Response
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
        self.flow: Final = flow
        """The flow that the call was made on."""
        self.state = State.CALLING
        self._layers = layers
        self._dialed = remote_target
        self._dialog: Dialog | None = None
        self._client: InviteClient | None = None
        """Our INVITE, from its sending to its final response, or to our ACK where the 2xx brought an offer."""
        self._server: InviteServer | None = None
        """Their INVITE, from its coming to its ACK, or to a final response other than 2xx."""
        self._modification: Modification | None = None
        """What comes after, once there is a dialog."""
        self._referral: Referral | None = None
        self._update: Final = Update(self, layers)
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
        session._client = InviteClient(session, layers, request, flow, now, None, session._update, account)
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
        session._adopt(dialog, owner=False)
        session._server = InviteServer(session, layers, transaction, dialog, offer, now, session._update.timer)
        session._update.learn(request)
        session._report(events.Incoming(session, offer, request, replaces))
        return session

    @property
    def account(self) -> Account | None:
        """The account of ours that the call came or went by."""
        if self._dialog is not None:
            return self._dialog.account
        return self._client.account if self._client is not None else None

    @property
    def remote_target(self) -> Uri:
        """Where requests to the far end go: its Contact; before it has answered, what was dialled."""
        return self._dialed if self._dialog is None else self._dialog.remote_target

    @property
    def negotiating(self) -> bool:
        """Whether an INVITE is under way in either direction, so that ``reinvite`` is not allowed (RFC 3261 14.1)."""
        modifying = self._modification is not None and self._modification.under_way
        return self._client is not None or self._server is not None or modifying or self._update.offering

    @property
    def must_offer(self) -> bool:
        """Whether ``ring`` must have our offer, because the caller has made none and wants to be sure of what rings."""
        return self._server is not None and self._server.must_offer

    @property
    def referral(self) -> Referral:
        """Transfers of the call.  State: ACCEPTED or CONFIRMED."""
        if self._referral is None or self.state not in (State.ACCEPTED, State.CONFIRMED):
            raise LocalProtocolError(f"nobody can be referred; the session is {self.state.value}")
        return self._referral

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
        self._take_sent(server)

    def reject(self, status: int, now: float, reason: str = "") -> None:
        """Refuse the call with a status of 300 to 699; Ended follows at once.  State: INCOMING."""
        server = self._incoming_invite()
        check_refusal(status)
        server.refuse(status, reason, now)
        self._finish(status, reason or reason_phrase(status), now, by_far_end=False)

    def answer_early(self, body: bytes, now: float) -> None:
        """Answer the offer that Progress brought.  State: CALLING, after Progress."""
        if self._client is None or self.state is not State.CALLING:
            raise LocalProtocolError(f"no early offer is here; the session is {self.state.value}")
        self._client.answer_early(body, now)

    def acknowledge(self, body: bytes, now: float) -> None:  # noqa: ARG002 (every command has the time)
        """Send ACK with the answer to the offer that Accepted brought.  State: after Accepted."""
        if self.state is State.ACCEPTED and self._client is not None:
            self._acknowledge(body)
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
        if was is State.CALLING and self._client is not None:
            self._client.cancel(now)
        elif was is State.CONFIRMED or self._client is not None:
            self._bye(now)
        # Otherwise our 2xx still waits for its ACK: RFC 3261 15: "the callee's UA MUST NOT send a BYE on a confirmed
        # dialog until it has received an ACK for its 2xx response or until the server transaction times out".

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
        if self._update.asked:
            self._update.answer(body, now)
            if self._modification is not None:
                self._modification.outdate()
        else:
            self._confirmed().answer(body, now)

    def refuse_offer(self, status: int, now: float, reason: str = "") -> None:
        """Refuse what Offered brought (488 mostly); the session stays as it is.  State: any after Offered."""
        check_refusal(status)
        if self._update.asked:
            self._update.refuse(status, reason, now)
        else:
            self._confirmed().refuse(status, reason, now)

    def update(self, body: bytes | None, now: float) -> None:
        """Send UPDATE: with an offer, after which Answered or OfferRefused follows, or to refresh (RFC 3311, RFC 4028).

        State: CONFIRMED; or before that, once an early offer has its answer, and the far end knows of that.
        """
        dialog = self._dialog if self.state in (State.INCOMING, State.CONFIRMED) else None
        if dialog is None and self.state is State.CALLING and self._client is not None:
            dialog = self._client.early_dialog
        if dialog is None or (body is not None and self._outstanding(dialog)):
            raise LocalProtocolError(f"no UPDATE is possible now; the session is {self.state.value}")
        self._update.send(dialog, body, now)

    def info(self, content_type: str, body: bytes, now: float) -> None:
        """Send INFO (RFC 6086); InfoAnswered follows.  State: CONFIRMED, or before, once there is an early dialog."""
        dialog = self._dialog or (self._client.early_dialog if self._client is not None else None)
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
            self._client = None
            client.acknowledge(dialog, None)
            if self.state is State.ENDING:
                self._adopt(dialog, owner=True)
            self._bye(now, dialog)
            return
        self._adopt(dialog, owner=True)
        if client.offer is None and body is not None and not client.agreed:
            self.state = State.ACCEPTED
            self._report(events.Accepted(self, body))
            return
        self._client = None
        self.state = State.CONFIRMED
        client.acknowledge(dialog, None)
        if client.offer is None and not client.agreed:
            self.lost(488, "No Offer In 2xx", now)  # RFC 3261 13.2.1: there must be one.
        else:
            self._report(events.Accepted(self, None if client.agreed else body))

    def refused(self, client: InviteClient, status: int, reason: str, now: float) -> None:
        """Take a final response other than 2xx, or that none will come."""
        self._client = None
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
        if self.state not in (State.ENDING, State.ENDED) and self._dialog is not None:
            self._bye_reason = write_reason(status, reason)
            self._bye(now, self._dialog, WhenFinal())
            self._finish(status, reason, now)

    # Invitee: reports of the far end's INVITE

    def ack_received(self, ack: Request, now: float) -> None:
        """Take an ACK to one of our 2xx."""
        server = self._server
        if server is None:
            if self._modification is not None:
                self._modification.ack_received(ack, now)
        elif server.accepted and ack.cseq.number == server.request.cseq.number:
            self._acknowledged(server, readable_description(ack), now)

    def cancelled(self, server: InviteServer, status: int, reason: str, now: float) -> None:
        """Take that the INVITE is not to be answered any more: CANCEL or expired (487), too late (480)."""
        server.refuse(status, "", now)
        self._finish(status, reason or reason_phrase(status), now)

    def never_acknowledged(self, now: float) -> None:
        """Take that no ACK came in 64*T1: "the session SHOULD be terminated" by a BYE (RFC 3261 13.3.1.4)."""
        self._server = None
        if self.state is State.ENDING:
            self._bye(now)
        else:
            self.lost(408, "No ACK", now)

    def answered_early(self, body: bytes | None) -> None:
        """Take the answer to the offer of our provisional response."""
        self._report(events.EarlyAnswer(self, body))

    # Requests of the far end, in one of our dialogs

    def request_received(self, transaction: ServerTransaction, dialog: Dialog, now: float) -> None:
        """Answer a request in one of our dialogs.  RemoteProtocolError: answer with its status, nothing has changed."""
        request = transaction.request
        self._update.learn(request)
        match request.method:
            case "BYE":
                transaction.respond(self._layers.respond(request, 200), now)
                self._bye_received(request, now)
            case "INFO":
                info = read_info(request, self._layers.identity.info_types)
                transaction.respond(self._layers.respond(request, 200), now)
                if info is not None:
                    self._report(events.Info(self, *info))
            case "PRACK":
                if self._server is None:
                    raise Refusal(481, "PRACK for no response")
                self._server.prack_received(transaction, self._update, now)
                self._take_sent(self._server)
            case "UPDATE":
                self._check_not_ending()
                self._update.received(transaction, dialog, now, outstanding=self._outstanding(dialog))
            case "REFER":
                self._transfers().received(transaction, now)
            case "NOTIFY":
                self._transfers().notify_received(transaction, now)
            case _:
                self._reinvite_received(transaction, now)

    def _transfers(self) -> Referral:
        """The transfers of a call that is up."""
        self._check_not_ending()
        if self._referral is None or self.state not in (State.ACCEPTED, State.CONFIRMED):
            raise Refusal(491, "a call that is not up can't be transferred")
        return self._referral

    def _check_not_ending(self) -> None:
        if self.state is State.ENDING:
            raise Refusal(481, "a request in a call that ends")

    def _outstanding(self, dialog: Dialog) -> str:
        """Whose offer has no answer yet in this dialog: "ours" or "theirs", or ""."""
        if self._client is not None:
            return self._client.outstanding(dialog)
        if self._server is not None:
            return self._server.outstanding
        return self._modification.outstanding if self._modification is not None else ""

    def _bye_received(self, request: Request, now: float) -> None:
        if self.state is State.ENDING:
            self._report_last(now)
        elif self.state is not State.CALLING:
            # RFC 3261 15: a callee has no BYE for an early dialog; its final response to the INVITE will come.
            self._finish(None, request.headers.get("Reason") or "", now)

    def _reinvite_received(self, transaction: ServerTransaction, now: float) -> None:
        if self.state is State.ENDING:
            raise Refusal(481, "re-INVITE in a call that ends")
        if self._client is not None or self._modification is None or self._update.offering:
            raise Refusal(491, "re-INVITE crosses our offer")  # RFC 3261 14.2
        check_earlier(self._server, self._layers)
        if self._server is not None:
            self._acknowledged(self._server, None, now)
        self._modification.received(transaction, now)

    # The end

    def _bye(self, now: float, dialog: Dialog | None = None, user: WhenFinal | None = None) -> None:
        """Send BYE; unless *user* says otherwise, the session has ended once it is answered."""
        dialog = dialog or self._dialog
        if dialog is None:
            return
        self._close_invites(now)
        bye = dialog.request("BYE")
        if self._bye_reason:
            bye.headers.add("Reason", self._bye_reason)
        user = user or WhenFinal(lambda _status, _reason, at, _response: self._report_last(at))
        self._layers.send_in_dialog(dialog, bye, user, now)

    def _close_invites(self, now: float) -> None:
        """Bring to an end whatever INVITE is under way."""
        if self._server is not None:
            self._server.refuse(487, "", now)  # RFC 3261 15.1.2
            self._server.stop()
            self._server = None
        if self._client is not None and self._dialog is not None:
            self._acknowledge(None)
        if self._modification is not None:
            self._modification.end(now)
        if self._referral is not None:
            self._referral.end(now)
        self._update.end(now)

    def _report_last(self, now: float) -> None:
        status, reason, by_far_end = self._last
        self._finish(status, reason, now, by_far_end=by_far_end)

    def _finish(self, status: int | None, reason: str, now: float, *, by_far_end: bool = True) -> None:
        """Forget the call and say so, once."""
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        self._close_invites(now)
        self._update.timer.stop()
        if self._dialog is not None:
            self._layers.dialogs.pop(self._dialog.id, None)
            self._layers.ended.append(self._dialog.id)
        self._layers.sessions.discard(self)
        # Reason comes as it was written, and people get to see it.
        self._report(events.Ended(self, status, printable(reason), by_far_end, self._contacts, self._silent))

    def _acknowledge(self, body: bytes | None) -> None:
        """Send the ACK that waits for our answer."""
        client, self._client = self._client, None
        if client is not None and self._dialog is not None:
            client.acknowledge(self._dialog, body)

    def _acknowledged(self, server: InviteServer, body: bytes | None, now: float) -> None:
        server.stop()
        self._server = None
        if self.state is State.ENDING:
            self._bye(now)
        else:
            self.state = State.CONFIRMED
            self._report(events.Confirmed(self, body if server.offer is None else None))

    def _adopt(self, dialog: Dialog, *, owner: bool) -> None:
        self._dialog = dialog
        self._modification = Modification(self, self._layers, dialog, self._update, owner=owner)
        self._referral = Referral(self, self._layers, dialog)
        self._layers.dialogs[dialog.id] = DialogEntry(dialog, self)

    def _take_sent(self, server: InviteServer) -> None:
        """Take that the 2xx may have been sent; it waits for a PRACK where one is needed."""
        if self.state is State.INCOMING and server.accepted:
            self.state = State.ACCEPTED

    def _incoming_invite(self) -> InviteServer:
        if self._server is None or self.state is not State.INCOMING:
            raise LocalProtocolError(f"no call waits for an answer; the session is {self.state.value}")
        return self._server

    def _confirmed(self) -> Modification:
        if self._modification is None or self.state is not State.CONFIRMED:
            raise LocalProtocolError(f"the session is {self.state.value}, not confirmed")
        return self._modification

    def _report(self, event: events.Event) -> None:
        self._layers.events.append(event)
