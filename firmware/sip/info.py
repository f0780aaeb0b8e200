"""INFO (RFC 6086) in its legacy use, without packages: digits, and requests for a key frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.sip.events import InfoAnswered
from firmware.sip.layers import WhenFinal
from firmware.sip.refusal import Refusal

if TYPE_CHECKING:
    from firmware.sip.dialog import Dialog
    from firmware.sip.invite import InviteSession
    from firmware.sip.layers import Layers
    from firmware.sip.message import Request, Response


def info_request(dialog: Dialog, content_type: str, body: bytes) -> Request:
    """Begin an INFO."""
    request = dialog.request("INFO")
    request.headers.add("Content-Type", content_type)
    request.body = body
    return request


def send_info(
    layers: Layers, session: InviteSession, dialog: Dialog, content_type: str, body: bytes, now: float
) -> None:
    """Send an INFO; InfoAnswered follows, unless the call is not there any more."""

    def answered(status: int, reason: str, now: float, _response: Response | None) -> None:
        if status in (408, 481):
            session.lost(status, reason, now)  # RFC 3261 12.2.1.2
        elif session in layers.sessions:
            layers.events.append(InfoAnswered(session, content_type, status))

    layers.send_in_dialog(dialog, info_request(dialog, content_type, body), WhenFinal(answered), now)


def read_info(request: Request, types: tuple[str, ...]) -> tuple[str, bytes] | None:
    """The media type, lower case and without parameters, and the body; None of an INFO that says nothing.

    Refusal: 469 for an INFO package, 415 for a body that is of none of the *types*.
    """
    if "Info-Package" in request.headers:
        # RFC 6086 4.2.2: 469 for a package that we did not ask for, with those that we do take: none.
        raise Refusal(469, "INFO package", ("Recv-Info", ""))
    if not request.body:
        return None
    media_type = request.content_type
    name = f"{media_type.type}/{media_type.subtype}" if media_type is not None else ""
    if name not in types:
        raise Refusal(415, f"INFO of type {name[:40]}", ("Accept", ", ".join(types)))
    return name, request.body
