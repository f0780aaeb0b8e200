"""Why a call ended, in a protocol's numbers and in ours.

H.323 has cause values (Q.850), which ReleaseComplete carries or its reason stands for (H.225.0 7.2.2).
SIP has status codes (RFC 3261 21) of final responses; where a dialog exists they stand in a Reason header field
(RFC 3326).  What a number means depends on how far the call was: nobody answers 408 to a call that is up.
"""

from __future__ import annotations

from typing import Final

from firmware.call.call import EndReason, State
from firmware.h323.cause import Cause
from firmware.sip.reason import read_reason

SIP_REASONS: Final = {
    401: EndReason.UNAUTHORIZED,
    402: EndReason.REFUSED,
    403: EndReason.REFUSED,
    404: EndReason.NOT_FOUND,
    405: EndReason.REFUSED,
    406: EndReason.NO_COMMON_MEDIA,
    407: EndReason.UNAUTHORIZED,
    408: EndReason.UNREACHABLE,
    410: EndReason.NOT_FOUND,
    414: EndReason.NOT_FOUND,
    415: EndReason.NO_COMMON_MEDIA,
    416: EndReason.NOT_FOUND,
    428: EndReason.REFUSED,
    430: EndReason.UNREACHABLE,
    433: EndReason.REFUSED,  # RFC 5079: callers without a name
    436: EndReason.REFUSED,
    437: EndReason.REFUSED,
    438: EndReason.REFUSED,
    470: EndReason.REFUSED,
    480: EndReason.NO_ANSWER,
    482: EndReason.UNREACHABLE,
    483: EndReason.UNREACHABLE,
    484: EndReason.NOT_FOUND,
    485: EndReason.NOT_FOUND,
    486: EndReason.BUSY,
    487: EndReason.CANCELLED,
    488: EndReason.NO_COMMON_MEDIA,
    493: EndReason.NOT_ENCRYPTED,
    494: EndReason.NOT_ENCRYPTED,  # RFC 3329
    500: EndReason.REFUSED,
    501: EndReason.REFUSED,
    505: EndReason.PROTOCOL_ERROR,
    513: EndReason.PROTOCOL_ERROR,
    580: EndReason.REFUSED,  # RFC 3312
    600: EndReason.BUSY,
    603: EndReason.DECLINED,
    604: EndReason.NOT_FOUND,
    606: EndReason.NO_COMMON_MEDIA,
    607: EndReason.DECLINED,  # RFC 8197: unwanted
    608: EndReason.REFUSED,  # RFC 8688: somebody on the way rejects it
}
"""Final responses to an INVITE."""
_SIP_CLASSES: Final = {
    3: EndReason.NOT_FOUND,  # it is elsewhere
    4: EndReason.PROTOCOL_ERROR,
    5: EndReason.UNREACHABLE,
    6: EndReason.DECLINED,
}
"""RFC 3261 8.1.3.2: an unknown status means what its class does."""

SIP_STATUSES: Final = {
    EndReason.HUNG_UP: 603,
    EndReason.BUSY: 486,
    EndReason.DECLINED: 603,
    EndReason.NO_ANSWER: 480,
    EndReason.CANCELLED: 480,
    EndReason.NOT_FOUND: 404,
    EndReason.UNREACHABLE: 480,
    EndReason.NO_COMMON_MEDIA: 488,
    EndReason.REFUSED: 403,
    EndReason.UNAUTHORIZED: 403,
    EndReason.LOST: 480,
    EndReason.NO_WAY: 480,
    EndReason.PROTOCOL_ERROR: 400,
    EndReason.NOT_ENCRYPTED: 488,
    EndReason.NOT_TRUSTED: 488,
    EndReason.LOCAL_ERROR: 500,
    EndReason.TRANSFERRED: 480,
    EndReason.ELSEWHERE: 480,
}
"""How an INVITE is refused."""
REFER_STATUSES: Final = {
    EndReason.REFUSED: 603,
    EndReason.UNREACHABLE: 503,
    EndReason.NO_ANSWER: 408,
    EndReason.CANCELLED: 487,
    EndReason.HUNG_UP: 487,
}
"""Why we don't call whom a far end wanted us to call, where that is not what an INVITE would be refused with."""
SIP_FAILURES: Final = {
    EndReason.NO_COMMON_MEDIA: (488, "No Common Media"),
    EndReason.LOST: (408, "No Media"),
    EndReason.NO_WAY: (408, "No Media Path"),
    EndReason.PROTOCOL_ERROR: (400, "Bad Session Description"),
    EndReason.NOT_ENCRYPTED: (488, "Not Encrypted"),
    EndReason.NOT_TRUSTED: (488, "Not Trusted"),
    EndReason.LOCAL_ERROR: (500, "Internal Error"),
}
"""What a BYE says besides that the call is over (RFC 3326)."""


SIP_BYE_REASONS: Final = {
    408: EndReason.LOST,
    488: EndReason.NO_COMMON_MEDIA,
    500: EndReason.LOST,
    503: EndReason.LOST,
    504: EndReason.LOST,
    606: EndReason.NO_COMMON_MEDIA,
}
"""What the far end says in Reason when it ends a call that was up, and that is no ordinary end of it."""
SIP_ELSEWHERE: Final = 200
"""RFC 3326 3.1: the cause in the CANCEL to those who did not answer, because another did."""
Q850_ELSEWHERE: Final = 26
"""Q.850: non-selected user clearing."""


def sip_end_reason(state: State, status: int | None, words: str = "") -> EndReason:
    """Give why a call in this state ended by the far end's or the network's doing.

    *status* is that of the final response (408: nothing was heard, 503: the transport failed); None: BYE.  *words* are
    the value of the Reason header field of a BYE or CANCEL.
    """
    if status is None and state is State.INCOMING:
        status = 487  # RFC 3261 15: a caller may also end by BYE what rings here
    if status is None:
        said = read_reason(words, "SIP")
        return SIP_BYE_REASONS.get(said[0], EndReason.HUNG_UP) if said is not None else EndReason.HUNG_UP
    if state is State.INCOMING and status == 487 and words:
        sip, q850 = read_reason(words, "SIP"), read_reason(words, "Q.850")
        if (sip is not None and sip[0] == SIP_ELSEWHERE) or (q850 is not None and q850[0] == Q850_ELSEWHERE):
            return EndReason.ELSEWHERE
    if state in (State.ACTIVE, State.CONNECTING):
        return EndReason.LOST
    if state is State.ALERTING and status == 408:
        return EndReason.NO_ANSWER  # it did ring
    return SIP_REASONS.get(status) or _SIP_CLASSES.get(status // 100, EndReason.PROTOCOL_ERROR)


SIP_REGISTRATION: Final = {
    403: "the server does not allow it",
    404: "the server does not know this address",
    408: "the server does not answer",
    423: "the server wants registrations to last longer than this unit does",
    503: "the server cannot be reached now",
}
"""Why a registration failed."""
SIP_CHALLENGES: Final = (401, 407)


def sip_registration_reason(status: int | None, words: str, *, has_password: bool, shown: bool) -> str:
    """Give why a registration failed, in words for people; *words* are the server's, or say why it can't be found.

    *shown*: the password that the unit has was tried.
    """
    if status is None or status < 300:
        return words
    if status in SIP_CHALLENGES:
        if shown:
            return "the user name or the password is wrong"
        return "the server asks for the password of another realm" if has_password else "the server wants a password"
    return SIP_REGISTRATION.get(status) or f"the server refuses it ({f'{status} {words}'.strip()})"


H323_REGISTRATION: Final = {
    "noAnswer": "the gatekeeper does not answer",
    "securityDenial": "the user name or the password is wrong",
    "securityError": "the user name or the password is wrong",
    "duplicateAlias": "the name or number is somebody else's there",
    "invalidAlias": "the gatekeeper does not take this name or number",
    "invalidTerminalAliases": "the gatekeeper does not take this name or number",
    "resourceUnavailable": "the gatekeeper has no room",
    "terminalExcluded": "the gatekeeper does not want this unit",
    "maintenance": "the gatekeeper is being maintained",
}
"""Why a registration failed, by the reason that the gatekeeper gave."""


def h323_registration_reason(reason: str, words: str = "") -> str:
    """Give why a registration failed, in words for people; *words* say what became of the connection, if it failed."""
    if words:
        return f"the gatekeeper cannot be reached: {words}"
    return H323_REGISTRATION.get(reason) or f"the gatekeeper refuses it ({reason})"


H323_REASONS: Final[dict[int, EndReason]] = {
    Cause.UNALLOCATED_NUMBER: EndReason.NOT_FOUND,
    Cause.NO_ROUTE_TO_DESTINATION: EndReason.UNREACHABLE,
    Cause.NORMAL_CALL_CLEARING: EndReason.DECLINED,
    Cause.USER_BUSY: EndReason.BUSY,
    Cause.NO_USER_RESPONDING: EndReason.UNREACHABLE,
    Cause.NO_ANSWER_FROM_USER: EndReason.NO_ANSWER,
    Cause.SUBSCRIBER_ABSENT: EndReason.NOT_FOUND,
    Cause.CALL_REJECTED: EndReason.DECLINED,
    Cause.NUMBER_CHANGED: EndReason.NOT_FOUND,
    Cause.DESTINATION_OUT_OF_ORDER: EndReason.UNREACHABLE,
    Cause.INVALID_NUMBER_FORMAT: EndReason.NOT_FOUND,
    Cause.FACILITY_REJECTED: EndReason.REFUSED,
    Cause.NORMAL_UNSPECIFIED: EndReason.DECLINED,
    Cause.NO_CIRCUIT_AVAILABLE: EndReason.BUSY,
    Cause.NETWORK_OUT_OF_ORDER: EndReason.UNREACHABLE,
    Cause.TEMPORARY_FAILURE: EndReason.UNREACHABLE,
    Cause.SWITCHING_EQUIPMENT_CONGESTION: EndReason.BUSY,
    Cause.RESOURCE_UNAVAILABLE: EndReason.BUSY,
    Cause.BEARER_CAPABILITY_NOT_AUTHORIZED: EndReason.REFUSED,
    Cause.BEARER_CAPABILITY_NOT_AVAILABLE: EndReason.NO_COMMON_MEDIA,
    Cause.BEARER_CAPABILITY_NOT_IMPLEMENTED: EndReason.NO_COMMON_MEDIA,
    Cause.INCOMPATIBLE_DESTINATION: EndReason.NO_COMMON_MEDIA,
    Cause.RECOVERY_ON_TIMER_EXPIRY: EndReason.UNREACHABLE,
    Cause.INTERWORKING: EndReason.REFUSED,
}
"""Cause values of a call that was never up."""
_H323_CLASSES: Final = {
    0: EndReason.DECLINED,
    1: EndReason.DECLINED,
    2: EndReason.UNREACHABLE,
    3: EndReason.REFUSED,
    4: EndReason.NO_COMMON_MEDIA,
}
"""Q.850 2.2.5: the class of a cause is its upper three bits; the others are faults of the protocol."""

H323_CAUSES: Final = {
    EndReason.HUNG_UP: Cause.NORMAL_CALL_CLEARING,
    EndReason.BUSY: Cause.USER_BUSY,
    EndReason.DECLINED: Cause.CALL_REJECTED,
    EndReason.NO_ANSWER: Cause.NO_ANSWER_FROM_USER,
    EndReason.CANCELLED: Cause.NORMAL_CALL_CLEARING,
    EndReason.NOT_FOUND: Cause.UNALLOCATED_NUMBER,
    EndReason.UNREACHABLE: Cause.DESTINATION_OUT_OF_ORDER,
    EndReason.NO_COMMON_MEDIA: Cause.INCOMPATIBLE_DESTINATION,
    EndReason.REFUSED: Cause.BEARER_CAPABILITY_NOT_AUTHORIZED,
    EndReason.UNAUTHORIZED: Cause.BEARER_CAPABILITY_NOT_AUTHORIZED,
    EndReason.LOST: Cause.TEMPORARY_FAILURE,
    EndReason.NO_WAY: Cause.TEMPORARY_FAILURE,
    EndReason.PROTOCOL_ERROR: Cause.PROTOCOL_ERROR,
    EndReason.NOT_ENCRYPTED: Cause.BEARER_CAPABILITY_NOT_AVAILABLE,
    EndReason.NOT_TRUSTED: Cause.BEARER_CAPABILITY_NOT_AVAILABLE,
    EndReason.LOCAL_ERROR: Cause.TEMPORARY_FAILURE,
    EndReason.TRANSFERRED: Cause.NORMAL_CALL_CLEARING,
    EndReason.ELSEWHERE: Cause.NORMAL_CALL_CLEARING,
}
"""How a call is refused or ended."""

H450_ERRORS: Final = {
    EndReason.REFUSED: "supplementaryServiceInteractionNotAllowed",
    EndReason.NOT_FOUND: "invalidReroutingNumber",
    EndReason.LOCAL_ERROR: "resourceUnavailable",
}
"""Why we don't call whom a far end wanted us to call; whatever else it is, the call could not be made."""
H450_ERROR: Final = "establishmentFailure"


def h323_end_reason(state: State, cause: int | None, by_far_end: bool, reason: str = "") -> EndReason:
    """Give why a call in this state ended; not *by_far_end*: by a time-out or a fault of the connection.

    *reason* is the ReleaseCompleteReason, where the far end gave one.
    """
    if by_far_end and (cause, reason) == (H323_CAUSES[EndReason.NOT_ENCRYPTED], "securityDenied"):
        return EndReason.NOT_ENCRYPTED
    if state in (State.ACTIVE, State.CONNECTING):
        clear = by_far_end and cause in (None, Cause.NORMAL_CALL_CLEARING, Cause.NORMAL_UNSPECIFIED)
        if cause == Cause.INCOMPATIBLE_DESTINATION:
            return EndReason.NO_COMMON_MEDIA
        return EndReason.HUNG_UP if clear else EndReason.LOST
    if state is State.INCOMING and by_far_end:
        return EndReason.CANCELLED
    if cause is None:
        return EndReason.DECLINED if by_far_end else EndReason.UNREACHABLE
    return H323_REASONS.get(cause) or _H323_CLASSES.get(cause >> 4, EndReason.PROTOCOL_ERROR)
