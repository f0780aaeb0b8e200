"""How it rings there: what a provisional response says of that besides its status (RFC 7462)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firmware.sip.message import Response

CALL_WAITING: Final = "urn:alert:service:call-waiting"
"""RFC 7462: our call waits at the other party's side."""
QUEUED: Final = 182
"""RFC 3261 21.1.4."""


def waits(response: Response) -> bool:
    """Whether our call waits there behind another one."""
    return response.status == QUEUED or CALL_WAITING in (response.headers.get("Alert-Info") or "").lower()
