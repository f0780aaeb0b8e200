"""Why a call ends, where no final response can say it: the Reason header field (RFC 3326)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.errors import RemoteProtocolError
from firmware.sip.grammar import quote

if TYPE_CHECKING:
    from firmware.sip.message import Message

MAX_CAUSE_DIGITS = 3


def write_reason(status: int | None, text: str = "") -> str:
    """Write the value of Reason (2); "" where there is no status."""
    if status is None:
        return ""
    return f"SIP;cause={status}" + (f";text={quote(text)}" if text else "")


def read_reason(message: Message, protocol: str) -> tuple[int, str] | None:
    """Give cause and text of the reason in words of this protocol (``SIP``, ``Q.850``); None: there is none."""
    try:
        reasons = message.reasons
    except RemoteProtocolError:
        return None
    for reason in reasons:
        cause = reason.parameter("cause") or ""
        if reason.value.upper() == protocol.upper() and cause.isdecimal() and len(cause) <= MAX_CAUSE_DIGITS:
            return int(cause), reason.parameter("text") or ""
    return None
