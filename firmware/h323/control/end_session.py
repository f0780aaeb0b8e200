"""The end of it: endSessionCommand, after which neither end says anything more (H.245 B.13, H.323 8.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.h323.control.events import SessionEnded

if TYPE_CHECKING:
    from firmware.h323.control.link import Link

TIMEOUT: Final = 2.0
"""Seconds; how long to wait for the far end's endSessionCommand (H.323 8.5 names no value)."""


class EndSession:
    """The two ends' last words."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._sent = False
        self.ended = False
        """Whether nothing more is to be expected."""
        self.deadline: float | None = None
        """When it is over, whether or not the far end has said so."""

    def end(self, now: float) -> None:
        """Say it, and wait for the far end to say it."""
        if not self._sent:
            self._send()
            self.deadline = now + TIMEOUT

    def received(self) -> None:
        """Take an endSessionCommand."""
        if not self._sent:
            # H.323 8.5: who receives it first says it too, and waits for nothing.
            self._send()
        if not self.ended:
            self.ended, self.deadline = True, None
            self._link.events.append(SessionEnded())

    def handle_timer(self, now: float) -> None:
        """Take silence for an answer once it is time."""
        if self.deadline is not None and self.deadline <= now:
            self.received()

    def _send(self) -> None:
        # Even where a procedure has failed, and with it everything else (H.323 8.2: go to phase E).
        self._sent, self._link.closed = True, False
        self._link.command("endSessionCommand", ("disconnect", None))
        self._link.closed = True
