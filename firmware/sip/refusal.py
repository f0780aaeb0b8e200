"""A request that is refused, and what would be accepted instead."""

from __future__ import annotations

from firmware.errors import RemoteProtocolError


class Refusal(RemoteProtocolError):
    """Answer with ``status`` and this header field."""

    def __init__(self, status: int, text: str, field: tuple[str, str] | None = None) -> None:
        super().__init__(text, status)
        self.field = field
