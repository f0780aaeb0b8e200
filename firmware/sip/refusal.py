"""A request that is refused, and what would be accepted instead."""

from __future__ import annotations

from firmware.errors import LocalProtocolError, RemoteProtocolError


class Refusal(RemoteProtocolError):
    """Answer with ``status`` and this header field."""

    def __init__(self, status: int, text: str, field: tuple[str, str] | None = None) -> None:
        super().__init__(text, status)
        self.field = field


def check_refusal(status: int) -> None:
    """Raise LocalProtocolError unless this is the status of a final response that refuses."""
    if not 300 <= status < 700:
        raise LocalProtocolError(f"{status} refuses nothing")
