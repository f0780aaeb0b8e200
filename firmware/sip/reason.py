"""Why a call ends, where no final response can say it: the Reason header field (RFC 3326)."""

from __future__ import annotations

import re
from typing import Final

from firmware.errors import DecodeError
from firmware.sip.grammar import printable, quote, split_list
from firmware.sip.header import Valued

_CAUSE: Final = re.compile(r"[0-9]{1,3}")


def write_reason(status: int | None, text: str = "") -> str:
    """Write the value of Reason (2); "" where there is no status."""
    if status is None:
        return ""
    return f"SIP;cause={status}" + (f";text={quote(text)}" if text else "")


def read_reason(value: str, protocol: str) -> tuple[int, str] | None:
    """Give cause and text, for people, of the reason in words of this protocol (``SIP``, ``Q.850``); None: no such."""
    for part in split_list(value):
        try:
            reason = Valued.parse(part)
        except DecodeError:
            continue
        cause = reason.parameter("cause") or ""
        if reason.value.upper() == protocol.upper() and _CAUSE.fullmatch(cause):
            return int(cause), printable(reason.parameter("text") or "")
    return None
