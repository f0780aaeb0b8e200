"""What the procedures of one call share: what they send, what they report, and what went wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from firmware.h323.control.events import Failed

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.control.events import Event

PATIENCE: Final = 180.0
"""Seconds; as long as a telephone may ring (H.225.0 T301), a far end may leave H.245 alone."""


class Link:
    """The way out for every procedure: to the far end by messages, to the owner by events, until it is closed."""

    def __init__(self) -> None:
        self.messages: list[Value] = []
        """MultimediaSystemControlMessages to send."""
        self.events: list[Event] = []
        self.closed = False
        self.patient = True
        """Whether the far end need not answer yet: no word of it has come, and the call may still be ringing."""
        self.ignored: Counter[str] = Counter()
        """Messages of the far end that had no effect, by what they were and in which state."""
        self.errors: Counter[str] = Counter()
        """ERROR.indications of H.245 annex C, by entity and code: ``"MSDSE A"``."""

    def request(self, name: str, content: Value) -> None:
        """Send a RequestMessage."""
        self._send("request", name, content)

    def respond(self, name: str, content: Value) -> None:
        """Send a ResponseMessage."""
        self._send("response", name, content)

    def command(self, name: str, content: Value) -> None:
        """Send a CommandMessage."""
        self._send("command", name, content)

    def indicate(self, name: str, content: Value) -> None:
        """Send an IndicationMessage."""
        self._send("indication", name, content)

    def report(self, event: Event) -> None:
        """Tell the owner."""
        if not self.closed:
            self.events.append(event)

    def fail(self, reason: str) -> None:
        """Tell the owner that the call must end; nothing goes out after that."""
        self.report(Failed(reason))
        self.closed = True

    def _send(self, kind: str, name: str, content: Value) -> None:
        if not self.closed:
            self.messages.append((kind, (name, content)))
