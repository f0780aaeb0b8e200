"""Which call of ours an INVITE is to take the place of, and whether it may (RFC 3891 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.errors import DecodeError
from firmware.sip.dialog import DialogId
from firmware.sip.invite import State
from firmware.sip.refusal import Refusal
from firmware.sip.replaces import Replaces

if TYPE_CHECKING:
    from firmware.sip.invite import InviteSession
    from firmware.sip.layers import Layers
    from firmware.sip.message import Request


def replaced_session(request: Request, layers: Layers) -> InviteSession | None:
    """Give the session in the place of which this INVITE makes one; None: it says nothing of that.

    Refusal: the dialog is not here, or may not be replaced (RFC 3891 3).  That the caller knows its Call-ID and both
    of its tags, 160 random bits of them ours or another's, is what allows him to; but what SIPS protects on all its way
    is not replaced by what nobody does.
    """
    value = request.headers.get("Replaces")
    if value is None:
        return None
    if "Join" in request.headers:
        raise DecodeError("Replaces and Join together")
    wanted = Replaces.parse(value)
    # RFC 3891 3: the tag 0 also means none, that of a far end of RFC 2543.
    tags = (wanted.from_tag, "") if wanted.from_tag == "0" else (wanted.from_tag,)
    for dialog_id in (DialogId(wanted.call_id, wanted.to_tag, tag) for tag in tags):
        if dialog_id in layers.ended:
            raise Refusal(603, "the dialog to be replaced has ended")
        entry = layers.dialogs.get(dialog_id)
        if entry is not None:
            if entry.session.secure and request.uri.scheme != "sips":
                raise Refusal(403, "a call by SIPS to be replaced by one without")  # RFC 5630 4
            return _checked(entry.session, early_only=wanted.early_only)
    raise Refusal(481, "no dialog to be replaced")


def _checked(session: InviteSession, *, early_only: bool) -> InviteSession:
    if session.state is State.ENDING:
        raise Refusal(603, "the dialog to be replaced is ending")
    if session.state is State.INCOMING:
        # RFC 3891 3: "an early dialog that was not initiated by this UA".
        raise Refusal(481, "the call to be replaced rings here")
    if early_only and session.state is not State.CALLING:
        raise Refusal(486, "the dialog to be replaced is not early any more")
    return session
