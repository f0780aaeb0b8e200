"""One INVITE of ours, initial or re-INVITE: its transaction, its forks, their ACKs, its CANCEL.

It outlives its session where it must: a 2xx is acknowledged whenever it comes (RFC 3261 13.2.2.4), and what nobody
wants any more gets a BYE as well.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from firmware.errors import LocalProtocolError, RemoteProtocolError
from firmware.sip.body import add_description, readable_description
from firmware.sip.dialog import Dialog, request_uri
from firmware.sip.header import RAck
from firmware.sip.layers import Layers, WhenFinal, reason_phrase
from firmware.sip.reliable import OPTION, ReliableClient
from firmware.sip.timers import T1
from firmware.sip.transaction_machine import MAX_DATAGRAM, companion

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sansio import Flow
    from firmware.sip.account import Account
    from firmware.sip.header import NameAddr
    from firmware.sip.message import Request, Response
    from firmware.sip.timers import Timer
    from firmware.sip.transaction_machine import ClientTransaction
    from firmware.sip.update import Update
    from firmware.sip.uri import Uri

_Q: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
"""RFC 3261 25.1 qvalue."""
MAX_FORKS: Final = 8
"""Far ends that one INVITE may reach; those beyond get no early dialog, and no ACK."""
RING_LIMIT: Final = 200.0
"""Seconds from a provisional response to giving up: a UAS that still rings repeats it every minute (13.3.1.1), and
proxies give up after three (16.6, Timer C)."""


class Inviter(Protocol):
    """Who hears what became of an INVITE of ours: a session, or what modifies it."""

    def early_dialog(self, dialog: Dialog) -> None:
        """Take that a provisional response made a dialog."""

    def progressed(self, response: Response, body: bytes | None, *, offered: bool) -> None:
        """Take a provisional response, and the early answer in it, or the offer, which ``answer_early`` must follow."""

    def succeeded(self, client: InviteClient, dialog: Dialog, body: bytes | None, now: float) -> None:
        """Take the first 2xx, and the description in it; ``acknowledge`` must follow."""

    def refused(self, client: InviteClient, status: int, reason: str, now: float) -> None:
        """Take a final response other than 2xx, or that none will come (408, 503)."""

    def unanswered(self) -> None:
        """Take that the far end has been silent for too long after a provisional response; CANCEL follows."""

    def lost(self, status: int, reason: str, now: float) -> None:
        """Take that nobody answered the offer in the 2xx."""


class InviteClient:
    """The UAC's side of one INVITE."""

    def __init__(
        self,
        user: Inviter,
        layers: Layers,
        request: Request,
        flow: Flow,
        now: float,
        dialog: Dialog | None,
        update: Update,
        account: Account | None = None,
    ) -> None:
        """Send the INVITE; *dialog* is that of a re-INVITE, *account* the one that an initial one goes by."""
        update.timer.ask(request)
        self.offer: Final = request.body or None
        self.account: Final = account if dialog is None else dialog.account
        self._update = update
        self._reliable = ReliableClient()
        self._offered_early: deque[tuple[Dialog, int]] = deque()
        """Dialog and RSeq of each provisional response whose offer waits for its answer in PRACK."""
        self._agreed_early: set[str] = set()
        """To tags of those whose offer was answered so."""
        self._user = user
        self._layers = layers
        self._flow = flow
        """The dialog's; a large INVITE may take another, on which the far end need not take what follows."""
        self._dialog = dialog
        self._early: dict[str, Dialog] = {}
        self._early_answers: dict[str, bytes] = {}
        self._acks: dict[str, tuple[Flow, bytes] | None] = {}
        """By To tag: what every retransmission of the 2xx is answered with; None until the answer is known."""
        self.contacts: tuple[Uri, ...] = ()
        """Whom the final response says to call instead (3xx)."""
        self.silent = False
        """Whether it failed without any response."""
        self.agreed = False
        """The far end that answered has our answer to its early offer already."""
        self._acknowledged: set[str] = set()
        """To tags of those of whom a provisional response was acknowledged."""
        self._final = False
        self._provisional: ClientTransaction | None = None
        """The transaction that has had a provisional response; after a challenge there is a new one."""
        self._cancelling = False
        self._cancelled = False
        self._limit: Timer | None = None
        self._sent = layers.send(request, flow, self, now, self.account, dialog)

    @property
    def request(self) -> Request:
        """The INVITE."""
        return self._sent.request

    @property
    def early_dialog(self) -> Dialog | None:
        """The latest early dialog."""
        return next(reversed(self._early.values()), None)

    def cancel(self, now: float) -> None:
        """Give the call up, by CANCEL as soon as that is allowed; what happens then is reported as ever."""
        self._cancelling = True
        self._sent.may_retry = False
        # RFC 3261 9.1: "If no provisional response has been received, the CANCEL request MUST NOT be sent".
        if self._provisional is self._sent.transaction and not self._final and not self._cancelled:
            self._cancelled = True
            # RFC 3261 9.1: its To is that of the INVITE.
            cancel = companion(self.request, "CANCEL", self.request.headers.get("To") or "")
            self._layers.transactions.request(cancel, self._sent.flow, WhenFinal(), now)
            # 9.1: no final response to the INVITE within 64*T1 after the CANCEL: consider it cancelled.
            self._set_limit(now + 64 * T1, self._forsaken)

    def answer_early(self, body: bytes, now: float) -> None:
        """Send the PRACK with the answer to the offer of a provisional response."""
        if not self._offered_early:
            raise LocalProtocolError("no provisional response brought an offer")
        dialog, number = self._offered_early.popleft()
        self._agreed_early.add(dialog.id.remote_tag)
        self._prack(dialog, number, body, now)

    def outstanding(self, dialog: Dialog) -> str:
        """Whose offer has no answer yet in this dialog: "ours" or "theirs", or "" (RFC 3311 5)."""
        tag = dialog.id.remote_tag
        if self.offer is None:
            return "theirs" if self._final or self._offered_early else ""
        return "" if self._final or (tag in self._early_answers and tag in self._acknowledged) else "ours"

    def acknowledge(self, dialog: Dialog, body: bytes | None) -> None:
        """Send ACK to the 2xx that made this dialog, or that answered the re-INVITE in it (13.2.2.4)."""
        self._clear_limit()
        flow = self._layers.flow_of(dialog)
        data = self._ack(dialog, body, flow)
        self._acks[dialog.id.remote_tag] = (flow, data)
        if not flow.reliable and len(data) > MAX_DATAGRAM:
            # RFC 3261 18.1.1; where that fails, the far end repeats its 2xx, and is answered by UDP.
            flow = replace(flow, transport="tcp")
            data = self._ack(dialog, body, flow)
        self._layers.transport.send(flow, data)

    def _ack(self, dialog: Dialog, body: bytes | None, flow: Flow) -> bytes:
        ack = dialog.request("ACK", self.request.cseq.number)
        for name in ("Authorization", "Proxy-Authorization"):
            # RFC 3261 13.2.2.4: "the ACK MUST contain the same credentials as the INVITE".
            for value in self.request.headers.lines(name):
                ack.headers.add(name, value)
        self._layers.complete(ack, flow)
        add_description(ack, body)
        return ack.encode()

    # ClientUser

    def response_received(self, _transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response."""
        if response.status < 200:
            self._provisional_received(response, now)
        elif response.status < 300:
            self._success_received(response, now)
        else:
            self._finish()
            if response.status < 400:
                self.contacts = _by_preference(response)
            self._user.refused(self, response.status, response.reason, now)

    def request_failed(self, _transaction: ClientTransaction, status: int, now: float) -> None:
        """Take that no final response will come."""
        self.silent = not self._provisional
        self._finish()
        self._user.refused(self, status, reason_phrase(status), now)

    def _provisional_received(self, response: Response, now: float) -> None:
        self._provisional = self._sent.transaction
        if self._cancelling:
            self.cancel(now)
            return
        self._set_limit(now + RING_LIMIT, self._unanswered)
        if response.status == 100:
            return
        tag = response.to.tag
        if response.status == 199:
            # RFC 6228 4: this fork is over; the others go on.
            early = self._early.pop(tag or "", None)
            if early is not None:
                self._layers.dialogs.pop(early.id, None)
            return
        body = readable_description(response)
        # RFC 3261 12.1: a provisional response with a tag makes an early dialog, one for each tag.
        if tag is not None and self._dialog is None and tag not in self._early and len(self._early) < MAX_FORKS:
            dialog = self._early[tag] = self._make_dialog(response)
            self._user.early_dialog(dialog)
        offered = False
        number = _reliable_number(response)
        in_dialog = self._dialog or self._early.get(tag or "")
        if number is not None and in_dialog is not None:
            if not self._reliable.takes(in_dialog.id.remote_tag, number):
                return
            offered = self._take_reliable(in_dialog, number, body, now)
        if body is not None and not offered and self.offer is not None and tag in self._early:
            self._early_answers[tag] = body
        self._user.progressed(response, body, offered=offered)

    def _take_reliable(self, dialog: Dialog, number: int, body: bytes | None, now: float) -> bool:
        """Acknowledge a provisional response; True: once its offer is answered."""
        tag = dialog.id.remote_tag
        if self.offer is None and body is not None and self._dialog is None and tag not in self._agreed_early:
            self._offered_early.append((dialog, number))
            return True
        self._acknowledged.add(tag)
        self._prack(dialog, number, None, now)
        return False

    def _prack(self, dialog: Dialog, number: int, body: bytes | None, now: float) -> None:
        prack = dialog.request("PRACK")
        prack.headers.add("RAck", str(RAck(number, self.request.cseq.number, "INVITE")))
        add_description(prack, body)
        # Whatever comes of it, the INVITE's final response says what happens to the call.
        self._layers.send_in_dialog(dialog, prack, WhenFinal(), now)

    def _success_received(self, response: Response, now: float) -> None:
        # Only an INVITE without a To tag can fork: the 2xx to a re-INVITE is the dialog's, whatever its tag.
        tag = self._dialog.id.remote_tag if self._dialog is not None else response.to.tag or ""
        if tag in self._acks:
            sent = self._acks[tag]
            if sent is not None:
                self._layers.transport.send(*sent)
            return
        if len(self._acks) >= MAX_FORKS:
            self._layers.counters["fork over the limit"] += 1
            return
        self._acks[tag] = None
        if self._dialog is not None:
            dialog = self._dialog
            dialog.refresh(response)
        elif (early := self._early.get(tag)) is not None:
            dialog = early
            dialog.confirm(response)
        else:
            dialog = self._make_dialog(response)
        if self._final:
            # 13.2.2.4: another fork answered as well; the call that we have stays, this one is ended.
            self.acknowledge(dialog, None)
            self._layers.send_in_dialog(dialog, dialog.request("BYE"), WhenFinal(), now)
            return
        body = readable_description(response) or self._early_answers.get(tag)
        if tag in self._agreed_early:
            self.agreed = True
        self._update.learn(response)
        self._update.timer.answered(self.request, response, now)
        self._finish()
        self._set_limit(now + 64 * T1, self._unacknowledged)
        self._user.succeeded(self, dialog, body, now)

    def _make_dialog(self, response: Response) -> Dialog:
        dialog = Dialog.of_caller(self.request, response, self._flow)
        dialog.account = self.account
        return dialog

    def _finish(self) -> None:
        """Take that a final response is here: other forks' early dialogs go."""
        self._final = True
        self._clear_limit()
        for dialog in self._early.values():
            self._layers.dialogs.pop(dialog.id, None)
        self._early.clear()
        self._early_answers.clear()

    def _unanswered(self, now: float) -> None:
        self._user.unanswered()
        self.cancel(now)

    def _forsaken(self, now: float) -> None:
        self._sent.terminate()
        self.request_failed(self._sent.transaction, 408, now)

    def _unacknowledged(self, now: float) -> None:
        self._user.lost(408, "No Answer To The Offer", now)

    def _set_limit(self, at: float, action: Callable[[float], None]) -> None:
        self._clear_limit()
        self._limit = self._layers.timers.start(at, action)

    def _clear_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


def _reliable_number(response: Response) -> int | None:
    """Give the RSeq of a provisional response that must be acknowledged; None: it need not, or can't be."""
    try:
        return response.rseq if OPTION in response.require else None
    except RemoteProtocolError:
        return None


def _by_preference(response: Response) -> tuple[Uri, ...]:
    """Give the addresses of a 3xx (RFC 3261 8.1.3.4): by q where they have it, as written where not."""
    try:
        contacts = response.contacts
    except RemoteProtocolError:
        return ()
    return tuple(request_uri(contact.uri) for contact in sorted(contacts, key=_reluctance))


def _reluctance(contact: NameAddr) -> float:
    """Give the opposite of a contact's q (RFC 3261 20.10): 0.0 to 1.0, where a missing or senseless one is 1.0."""
    q = contact.parameter("q") or ""
    return -float(q) if _Q.fullmatch(q) else -1.0
