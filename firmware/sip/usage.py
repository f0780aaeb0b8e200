"""What is under way in the dialogs of one call, and what the far end asks there (RFC 5057 3.2: the invite usage).

Rule 1: there is one offer at a time, whatever carries it: the first INVITE, a re-INVITE or an UPDATE.
Rule 2: a call that ends takes no more than BYE, and what it is still asked elsewhere gets 481 (RFC 3261 12.2.2).
Rule 3: what a request means for the call itself is the session's affair; it is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.sip.events import Info
from firmware.sip.info import read_info
from firmware.sip.layers import DialogEntry, Layers
from firmware.sip.modification import Modification, check_earlier
from firmware.sip.refer import Referral
from firmware.sip.refusal import Refusal
from firmware.sip.update import Update

if TYPE_CHECKING:
    from firmware.sip.dialog import Dialog
    from firmware.sip.invite import InviteSession
    from firmware.sip.invite_client import InviteClient
    from firmware.sip.invite_server import InviteServer
    from firmware.sip.transaction_machine import ServerTransaction


class Usage:
    """The INVITEs, UPDATEs and REFERs of one session."""

    def __init__(self, session: InviteSession, layers: Layers) -> None:
        self.update: Final = Update(session, layers)
        self.dialog: Dialog | None = None
        """The call's, once it is sure which of the early ones that is."""
        self.client: InviteClient | None = None
        """Our first INVITE, from its sending to its final response, or to our ACK where the 2xx brought an offer."""
        self.server: InviteServer | None = None
        """Their first INVITE, from its coming to its ACK, or to a final response other than 2xx."""
        self.modification: Modification | None = None
        """What changes the session later; there with the dialog."""
        self.referral: Referral | None = None
        """Transfers; there with the dialog."""
        self._session = session
        self._layers = layers

    @property
    def negotiating(self) -> bool:
        """Whether an INVITE is under way in either direction, or an offer in an UPDATE (RFC 3261 14.1)."""
        modifying = self.modification is not None and self.modification.under_way
        return self.client is not None or self.server is not None or modifying or self.update.offering

    @property
    def latest_dialog(self) -> Dialog | None:
        """The call's dialog, or until that is sure the latest early one."""
        return self.dialog or (self.client.early_dialog if self.client is not None else None)

    def outstanding(self, dialog: Dialog) -> str:
        """Whose offer has no answer yet in this dialog: "ours" or "theirs", or ""."""
        if self.client is not None:
            return self.client.outstanding(dialog)
        if self.server is not None:
            return self.server.outstanding
        return self.modification.outstanding if self.modification is not None else ""

    def adopt(self, dialog: Dialog, *, owner: bool) -> None:
        """Take that this is the call's dialog; *owner*: whether we made its Call-ID."""
        self.dialog = dialog
        self.modification = Modification(self._session, self._layers, dialog, self.update, owner=owner)
        self.referral = Referral(self._session, self._layers, dialog)
        self._layers.dialogs[dialog.id] = DialogEntry(dialog, self._session)

    def acknowledge(self, body: bytes | None) -> None:
        """Send the ACK to our first INVITE that waits for our answer."""
        client, self.client = self.client, None
        if client is not None and self.dialog is not None:
            client.acknowledge(self.dialog, body)

    def end(self, now: float) -> None:
        """Bring to an end whatever is under way, because the call is."""
        if self.server is not None:
            self.server.refuse(487, "", now)  # RFC 3261 15.1.2
            self.server.stop(now)
            self.server = None
        if self.client is not None and self.dialog is not None:
            self.acknowledge(None)
        if self.modification is not None:
            self.modification.end(now)
        if self.referral is not None:
            self.referral.end(now)
        self.update.end(now)

    def forget(self) -> None:
        """Take that the call has ended: nothing more is for it.

        What knows the session is dropped, so that it is gone with the last who cares, and not with the next round of
        the garbage collector: in a flood that would be thousands later.
        """
        self.update.forget()
        self.client = self.server = self.modification = self.referral = None
        if self.dialog is not None:
            self._layers.dialogs.pop(self.dialog.id, None)
            self._layers.ended.append(self.dialog.id)
        del self._session

    # Requests of the far end

    def received(self, transaction: ServerTransaction, dialog: Dialog, now: float) -> None:
        """Answer a request in one of the call's dialogs.  RemoteProtocolError: answer with its status."""
        request = transaction.request
        self.update.learn(request)
        match request.method:
            case "BYE":
                transaction.respond(self._layers.respond(request, 200), now)
                self._session.bye_received(request, now)
            case "INFO":
                info = read_info(request, self._layers.identity.info_types)
                transaction.respond(self._layers.respond(request, 200), now)
                if info is not None:
                    self._layers.events.append(Info(self._session, *info))
            case "PRACK":
                if self.server is None:
                    raise Refusal(481, "PRACK for no response")
                self.server.prack_received(transaction, self.update, now)
                self._session.provisional_acknowledged()
            case "UPDATE":
                self._check_not_ending("UPDATE")
                self.update.received(transaction, dialog, now, outstanding=self.outstanding(dialog))
            case "REFER":
                self._transfers("REFER").received(transaction, now)
            case "NOTIFY":
                self._transfers("NOTIFY").notify_received(transaction, now)
            case _:
                self._reinvite_received(transaction, now)

    def _transfers(self, method: str) -> Referral:
        """Give the transfers of a call that is up."""
        self._check_not_ending(method)
        if self.referral is None or not self._session.up:
            raise Refusal(491, "a call that is not up can't be transferred")
        return self.referral

    def _reinvite_received(self, transaction: ServerTransaction, now: float) -> None:
        self._check_not_ending("re-INVITE")
        if self.client is not None or self.modification is None or self.update.offering:
            raise Refusal(491, "re-INVITE crosses our offer")  # RFC 3261 14.2
        check_earlier(self.server, self._layers)
        if self.server is not None:
            self._session.acknowledged(None, now)
        self.modification.received(transaction, now)

    def _check_not_ending(self, method: str) -> None:
        if self._session.ending:
            raise Refusal(481, f"{method} in a call that ends")
