"""REFER: having a far end call somebody else, and being asked to (RFC 3515; Referred-By RFC 3892, Refer-Sub RFC 4488).

Rule 1: REFER comes in a call, from who is in it; strangers have nothing to tell us.
Rule 2: what is named is a SIP address to be called.  Of the header fields that a URI may prescribe for that call, only
Replaces is obeyed.
Rule 3: one at a time, in each direction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote_to_bytes

from firmware.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from firmware.sip.dialog import request_uri
from firmware.sip.events import ReferProgress, Referred
from firmware.sip.header import NameAddr
from firmware.sip.layers import WhenFinal, reason_phrase
from firmware.sip.refusal import Refusal
from firmware.sip.replaces import Replaces
from firmware.sip.subscription import EVENT, Notifier, Subscriber
from firmware.sip.uri import Uri

if TYPE_CHECKING:
    from firmware.sip.dialog import Dialog
    from firmware.sip.invite import InviteSession
    from firmware.sip.layers import Layers
    from firmware.sip.message import Response
    from firmware.sip.transaction_machine import ServerTransaction

MAX_REFERRED_BY: Final = 1024
"""Characters of a Referred-By that are passed on; it may carry the name of a signed body, which is not."""


def read_refer_to(text: str) -> tuple[Uri, Replaces | None]:
    """Give whom a Refer-To names, and in whose place.

    DecodeError: it is no address.  Refusal: it is none that could be called.
    """
    try:
        uri = NameAddr.parse(text).uri
    except DecodeError:
        # RFC 3261 20.10 wants < > around a URI with a question mark, which some peers leave away.
        uri = Uri.parse(text)
    if uri.scheme not in ("sip", "sips"):
        raise Refusal(603, f"referred to a {uri.scheme[:20]} URI")
    if (uri.parameter("method") or "INVITE").upper() != "INVITE":
        raise Refusal(603, "referred to something other than a call")
    found = [value for name, value in uri.headers if name.lower() == "replaces"]
    if len(found) > 1:
        raise DecodeError("several Replaces in Refer-To")
    replaces = Replaces.parse(unquote_to_bytes(found[0] or "").decode("utf-8", "replace")) if found else None
    return request_uri(uri), replaces


def write_refer_to(target: Uri, place: Replaces | None) -> str:
    """Write the opposite of `read_refer_to`."""
    headers = (("Replaces", quote(str(place), safe="-_.!~*'()")),) if place is not None else ()
    return f"<{replace(target, headers=headers)}>"


class Referral:
    """The REFER requests of one call, ours and the far end's."""

    def __init__(self, session: InviteSession, layers: Layers, dialog: Dialog) -> None:
        self._session = session
        self._layers = layers
        self._dialog = dialog
        self._subscriber: Subscriber | None = None
        self._asked: ServerTransaction | None = None
        """Their REFER, until it is answered."""
        self._notifier: Notifier | None = None
        self._count = 0
        """REFER requests of the far end that were accepted."""

    @property
    def replaces(self) -> Replaces:
        """What tells the far end that a call is to take the place of this one."""
        dialog_id = self._dialog.id
        # RFC 3891 4: the tag of a far end of RFC 2543 is 0.
        return Replaces(dialog_id.call_id, dialog_id.remote_tag or "0", dialog_id.local_tag)

    # Commands

    def refer(self, target: Uri, now: float, place: Replaces | None = None) -> None:
        """Have the far end call *target*, in the *place* of a call there; ReferProgress follows, the last one final."""
        if self._subscriber is not None and not self._subscriber.ended:
            raise LocalProtocolError("a REFER is under way already")
        if not self._layers.transactions.client_room:
            raise LocalProtocolError("too many transactions")
        request = self._dialog.request("REFER")
        flow = self._layers.flow_of(self._dialog)
        self._layers.add_contact(request, flow, self._dialog.account, secure=self._dialog.secure)
        request.headers.add("Refer-To", write_refer_to(target, place))
        # RFC 3892 2.1: who refers says so.
        request.headers.add("Referred-By", f"<{self._dialog.local.uri}>")
        self._subscriber = Subscriber(self._layers, request.cseq.number, self._progressed)
        self._layers.send_in_dialog(self._dialog, request, WhenFinal(self._answered), now)

    def accept(self, now: float) -> None:
        """Agree to what Referred asks for, and say that it has begun (RFC 3515 2.4.4); `notify` must follow."""
        transaction = self._take_asked()
        response = self._layers.respond(transaction.request, 202)
        self._layers.add_contact(response, transaction.flow, self._dialog.account, secure=self._dialog.secure)
        if (transaction.request.headers.get("Refer-Sub") or "").lower().startswith("false"):
            response.headers.add("Refer-Sub", "false")  # RFC 4488 4: he does not want to know.
        else:
            number = str(transaction.request.cseq.number) if self._count else ""
            self._notifier = Notifier(self._layers, self._dialog, number)
        self._count += 1
        transaction.respond(response, now)
        if self._notifier is not None:
            self._notifier.notify(100, reason_phrase(100), now)

    def refuse(self, status: int, now: float) -> None:
        """Decline what Referred asks for."""
        transaction = self._take_asked()
        transaction.respond(self._layers.respond(transaction.request, status), now)

    def notify(self, status: int, now: float, reason: str = "") -> None:
        """Say what came of it; nothing where nobody wants to know."""
        notifier = self._notifier
        if notifier is not None:
            if status >= 200:
                self._notifier = None
            notifier.notify(status, reason or reason_phrase(status), now)

    def end(self, now: float) -> None:
        """Take that the call is over."""
        if self._asked is not None:
            self.refuse(481, now)
        if self._subscriber is not None:
            self._subscriber.end()
        self._notifier = None

    # What comes from the far end

    def received(self, transaction: ServerTransaction, now: float) -> None:  # noqa: ARG002 (as its neighbours)
        """Take a REFER.  RemoteProtocolError: answer with its status."""
        request = transaction.request
        if self._asked is not None or self._notifier is not None:
            raise Refusal(491, "REFER while another one is under way")
        refer_to = request.headers.get("Refer-To")
        if refer_to is None:
            raise RemoteProtocolError("REFER without Refer-To")  # RFC 3515 2.4.2
        target, place = read_refer_to(refer_to)
        referred_by = request.headers.get("Referred-By") or ""
        self._dialog.refresh(request)
        self._asked = transaction
        kept = referred_by if len(referred_by) <= MAX_REFERRED_BY else ""
        self._layers.events.append(Referred(self._session, target, place, kept))

    def notify_received(self, transaction: ServerTransaction, now: float) -> None:
        """Take a NOTIFY.  RemoteProtocolError: answer with its status."""
        request = transaction.request
        if self._subscriber is None:
            event = request.event
            if event is None or event.value != EVENT:
                raise Refusal(489, "NOTIFY of an event", ("Allow-Events", EVENT))
            raise Refusal(481, "nothing is subscribed to")
        self._subscriber.check(request)
        self._dialog.refresh(request)
        transaction.respond(self._layers.respond(request, 200), now)
        self._subscriber.notified(request, now)

    def _answered(self, status: int, reason: str, now: float, response: Response | None) -> None:
        subscriber = self._subscriber
        if subscriber is None or subscriber.ended:
            return
        if status in (408, 481):
            self._session.lost(status, reason, now)  # RFC 3261 12.2.1.2
        elif status >= 300:
            subscriber.end()
            self._progressed(status, reason, now)
        elif response is not None and (response.headers.get("Refer-Sub") or "").lower().startswith("false"):
            subscriber.end()  # RFC 4488 4: no NOTIFY will come.
            self._progressed(status, reason, now)
        else:
            subscriber.accepted(now)

    def _progressed(self, status: int, reason: str, now: float) -> None:  # noqa: ARG002 (a report of Subscriber)
        self._layers.events.append(ReferProgress(self._session, status, reason))

    def _take_asked(self) -> ServerTransaction:
        if self._asked is None:
            raise LocalProtocolError("nobody asked for a call")
        asked, self._asked = self._asked, None
        return asked
