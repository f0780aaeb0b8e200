"""What a user agent tells its application, as values.

An event that carries a session says which command it asks for next; where it names none, none is needed.  After
`Ended` a session is gone: no command and no event follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware.sip.invite import InviteSession
    from firmware.sip.message import Request
    from firmware.sip.registration import Registration
    from firmware.sip.replaces import Replaces
    from firmware.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Incoming:
    """Somebody calls.  ``ring`` at once or not at all; then ``accept`` or ``reject``.

    A call that nobody answers ends by itself: after its Expires, at the latest after three minutes.
    """

    session: InviteSession
    offer: bytes | None
    """The session description offered; None asks for ours: give it to ``accept``."""
    request: Request
    replaces: InviteSession | None = None
    """The call in the place of which this one is made (RFC 3891): end it once this one is up."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A provisional response (101 to 199) to our INVITE.  A forked call may give several, from several far ends."""

    session: InviteSession
    status: int
    reason: str
    body: bytes | None
    """An early answer, which the 2xx of the same far end repeats."""
    offered: bool = False
    """*body* is an offer, because our INVITE had none: ``answer_early`` at once (RFC 3262 5)."""
    waiting: bool = False
    """The far end says that our call waits there behind another one."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The far end answered our INVITE, or our re-INVITE without an offer.

    If we had offered, ACK is sent already and *body* is the answer (None: the far end broke the rules and gave none).
    If we had not, *body* is the far end's offer: ``acknowledge`` with the answer at once, or ``end``.  It is None where
    that was done early (`Progress.offered`); the session is CONFIRMED then.
    """

    session: InviteSession
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The far end has our 2xx: its ACK has come."""

    session: InviteSession
    body: bytes | None
    """The answer, where our 2xx carried the offer; otherwise None."""


@dataclass(frozen=True, slots=True)
class EarlyAnswer:
    """The answer to the offer that ``ring`` made, before the call is answered (RFC 3262 5)."""

    session: InviteSession
    body: bytes | None
    """None: the far end broke the rules and gave none."""


@dataclass(frozen=True, slots=True)
class RefreshDue:
    """The session is to be refreshed (RFC 4028), and the far end knows no UPDATE: ``reinvite`` with what is agreed."""

    session: InviteSession


@dataclass(frozen=True, slots=True)
class Offered:
    """The far end wants to change the session (re-INVITE, UPDATE).  ``answer`` or ``refuse_offer`` must follow within
    32 s; after an UPDATE, which may come before the call is answered, no Confirmed follows.
    """

    session: InviteSession
    body: bytes | None
    """The offer; None asks for ours: give it to ``answer``, and the far end's answer comes in Confirmed."""


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """An Offered that was not answered yet no longer stands; the session is as it was before."""

    session: InviteSession


@dataclass(frozen=True, slots=True)
class Answered:
    """The far end accepted our re-INVITE; *body* is its answer (None: it broke the rules and gave none)."""

    session: InviteSession
    body: bytes | None


@dataclass(frozen=True, slots=True)
class OfferRefused:
    """The far end refused our re-INVITE; the session is as it was before.

    Status 491 means that the two sides' offers kept crossing, and that ours is out of date by now.
    """

    session: InviteSession
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Info:
    """An INFO in the call (RFC 6086 4.2.2); answered already.  Only types of ``Identity.info_types`` come up."""

    session: InviteSession
    content_type: str
    """Lower case, without parameters."""
    body: bytes


@dataclass(frozen=True, slots=True)
class InfoAnswered:
    """What came of an INFO of ours."""

    session: InviteSession
    content_type: str
    status: int
    """503 where the transport failed; 415: it does not know the type."""


@dataclass(frozen=True, slots=True)
class Referred:
    """The far end wants us to call somebody else instead (REFER).

    ``referral.accept`` or ``referral.refuse`` must follow at once; after the former, ``referral.notify`` in the end.
    """

    session: InviteSession
    target: Uri
    """A sip or sips URI without header fields."""
    replaces: Replaces | None
    """In the place of which call there; give it to ``UserAgent.invite``, together with *referred_by*."""
    referred_by: str
    """Who refers, as written in Referred-By (RFC 3892), or ""."""


@dataclass(frozen=True, slots=True)
class ReferProgress:
    """How far the far end is with what ``referral.refer`` asked for; a status of 200 or more is the last word.

    A 2xx: it is in a call with the other, so that this one may be ended.  408: it did not say in time.
    """

    session: InviteSession
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over, whatever ended it; exactly one for each session."""

    session: InviteSession
    status: int | None
    """Of the final response that ended it (408 too if nothing was heard, 503 if the transport failed), else None."""
    reason: str
    """The status's reason phrase, or the value of the BYE's or CANCEL's Reason header field (RFC 3326), or "": as
    text that a screen and JSON can take, whatever bytes it was."""
    by_far_end: bool
    """False where our own ``end`` or ``reject`` ended it."""
    contacts: tuple[Uri, ...] = ()
    """Of a 3xx: where to call instead, the best first (RFC 3261 8.1.3.4)."""
    silent: bool = False
    """Whether no response at all has come to our INVITE: another address may do better (RFC 3263 4.3)."""


@dataclass(frozen=True, slots=True)
class OptionsAnswered:
    """What came of ``UserAgent.options``."""

    call_id: str
    """What ``options`` returned."""
    status: int
    """408 when nothing was heard, 503 when the transport failed."""
    reason: str
    allow: tuple[str, ...]
    """Methods of the answer's Allow."""
    body: bytes | None
    """A session description of what the far end can do."""


@dataclass(frozen=True, slots=True)
class ServerWanted:
    """A registration needs to know where a server is: answer by its ``use`` or ``not_found``."""

    registration: Registration
    uri: Uri


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """What became of a registration, in its attributes; also when it was renewed."""

    registration: Registration


Event = (
    Incoming
    | Progress
    | Accepted
    | Confirmed
    | EarlyAnswer
    | RefreshDue
    | Offered
    | OfferWithdrawn
    | Answered
    | OfferRefused
    | Info
    | InfoAnswered
    | Referred
    | ReferProgress
    | Ended
    | OptionsAnswered
    | ServerWanted
    | RegistrationChanged
)
