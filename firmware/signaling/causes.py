"""Why a call ended, in a protocol's numbers and in ours.

SIP has status codes (RFC 3261 21) of final responses; where a dialog exists they stand in a Reason header field
(RFC 3326).  What a number means depends on how far the call was: nobody answers 408 to a call that is up.
"""

from __future__ import annotations

from typing import Final

from firmware.call.call import EndReason, State

SIP_REASONS: Final = {
    401: EndReason.REFUSED,
    402: EndReason.REFUSED,
    403: EndReason.REFUSED,
    404: EndReason.NOT_FOUND,
    407: EndReason.REFUSED,
    408: EndReason.UNREACHABLE,
    410: EndReason.NOT_FOUND,
    414: EndReason.NOT_FOUND,
    415: EndReason.NO_COMMON_MEDIA,
    416: EndReason.NOT_FOUND,
    430: EndReason.UNREACHABLE,
    480: EndReason.NO_ANSWER,
    484: EndReason.NOT_FOUND,
    485: EndReason.NOT_FOUND,
    486: EndReason.BUSY,
    487: EndReason.CANCELLED,
    488: EndReason.NO_COMMON_MEDIA,
    500: EndReason.REFUSED,
    600: EndReason.BUSY,
    603: EndReason.DECLINED,
    604: EndReason.NOT_FOUND,
    606: EndReason.NO_COMMON_MEDIA,
    607: EndReason.DECLINED,  # RFC 8197: unwanted
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
    EndReason.LOST: 480,
    EndReason.PROTOCOL_ERROR: 400,
    EndReason.LOCAL_ERROR: 500,
}
"""How an INVITE is refused."""
SIP_FAILURES: Final = {
    EndReason.NO_COMMON_MEDIA: (488, "No Common Media"),
    EndReason.LOST: (408, "No Media"),
    EndReason.PROTOCOL_ERROR: (400, "Bad Session Description"),
    EndReason.LOCAL_ERROR: (500, "Internal Error"),
}
"""What a BYE says besides that the call is over (RFC 3326)."""


def sip_end_reason(state: State, status: int | None) -> EndReason:
    """Give why a call in this state ended by the far end's or the network's doing.

    *status* is that of the final response (408: nothing was heard, 503: the transport failed); None: BYE.
    """
    if status is None:
        return EndReason.HUNG_UP
    if state in (State.ACTIVE, State.CONNECTING):
        return EndReason.LOST
    if state is State.ALERTING and status == 408:
        return EndReason.NO_ANSWER  # it did ring
    return SIP_REASONS.get(status) or _SIP_CLASSES.get(status // 100, EndReason.PROTOCOL_ERROR)
