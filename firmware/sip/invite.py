"""A call: the session that an INVITE makes, from either side (RFC 3261 sections 9, 13, 14, 15).

Rule 1: bodies come from above and go up as bytes; this file knows only in which message an offer or an answer may stand
(RFC 6337 table 1): an offer in INVITE and its answer in the 2xx, or an offer in the 2xx and its answer in ACK.
Rule 2: one INVITE at a time. Each is an object of its own, `invite_client` or `invite_server`; the session is what stays.
Rule 3: whatever happens, there is exactly one `Ended`, and nothing is left in memory after it but transactions on their way out.

::

    CALLING ────▶ ACCEPTED ──▶ CONFIRMED ──▶ ENDING ──▶ ENDED
    INCOMING ───▶    2xx          ACK       CANCEL, BYE
    (end leads from every state to ENDING or ENDED; whatever the far end or the clock does may lead to ENDED)
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING, Final, final

from firmware.errors import LocalProtocolError
from firmware.sip.dialog import Dialog
from firmware.sip.events import (
    Accepted,
    Answered,
    Confirmed,
    Ended,
    Event,
    Incoming,
    Info,
    Offered,
    OfferRefused,
    OfferWithdrawn,
    Progress,
)
from firmware.sip.invite_client import InviteClient
from firmware.sip.invite_server import InviteServer

if TYPE_CHECKING:
    from firmware.sansio import Flow
    from firmware.sip.header import NameAddr
    from firmware.sip.layers import Layers
    from firmware.sip.message import Request, Response
    from firmware.sip.uri import Uri

logger = logging.getLogger(__name__)


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

    call_id: str
    remote: NameAddr
    """The far end: From of an incoming call, To of an outgoing one."""
    flow: Flow
    """The flow that the call was made on."""
    state: State

    @property
    def remote_target(self) -> Uri:
        """Where requests to the far end go: its Contact; before it has answered, what was dialled."""

    @property
    def negotiating(self) -> bool:
        """Whether an INVITE is under way in either direction, so that ``reinvite`` is not allowed."""

    def ring(self, now: float, status: int = 180, body: bytes | None = None) -> None:
        """Send a provisional response (101 to 199); it is repeated every minute.  State: INCOMING."""

    def accept(self, body: bytes, now: float) -> None:
        """Answer the call: *body* is the answer, or the offer if Incoming had none.  State: INCOMING.

        Confirmed follows once the far end has it; Ended (408) if it never does.
        """

    def reject(self, status: int, now: float, reason: str = "") -> None:
        """Refuse the call with a status of 300 to 699; Ended follows at once.  State: INCOMING."""

    def acknowledge(self, body: bytes, now: float) -> None:
        """Send ACK with the answer to the offer that Accepted brought.  State: ACCEPTED, after a re-INVITE CONFIRMED."""

    def end(self, now: float, status: int | None = None, reason: str = "") -> None:
        """End the call in whatever state it is, by CANCEL, BYE or a final response; Ended follows within 64 s.

        *status* and *reason* go into the response to an INVITE not yet answered (default 603), otherwise into a Reason
        header field (RFC 3326).  In a call that is ending or has ended this does nothing.
        """

    def reinvite(self, body: bytes | None, now: float) -> None:
        """Offer a change of the session; None asks the far end for an offer.  State: CONFIRMED, and not `negotiating`.

        Answered or OfferRefused follows, or Accepted if *body* was None.  When both sides' offers cross (491) the offer
        is sent again by itself after the time that RFC 3261 14.1 sets; a call of this method in that time replaces it.
        """

    def answer(self, body: bytes, now: float) -> None:
        """Accept what Offered brought: *body* is the answer, or the offer if Offered had none; Confirmed follows.

        State: CONFIRMED, after Offered.
        """

    def refuse_offer(self, status: int, now: float, reason: str = "") -> None:
        """Refuse what Offered brought (488 mostly); the session stays as it is.  State: CONFIRMED, after Offered."""

    def info(self, content_type: str, body: bytes, now: float) -> None:
        """Send INFO.  State: CONFIRMED, or CALLING and INCOMING once there is an early dialog."""
