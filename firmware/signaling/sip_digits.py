"""Digits of one SIP call by INFO, for a far end that takes no telephone events.

Rule 1: one at a time, so that none overtakes another on the way.
Rule 2: ``application/dtmf-relay`` first, as most know it; ``application/dtmf`` for who answers that with 415.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Final
from weakref import WeakMethod

from firmware.signaling.sip_info import DTMF, DTMF_RELAY, digit_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sip.events import InfoAnswered

logger = logging.getLogger(__name__)

MAX_WAITING: Final = 64
"""Digits that wait to be sent; a far end that does not answer gets no more."""


class SipDigits:
    """The digits that are to be sent in one call."""

    def __init__(self, send: Callable[[str, bytes], None]) -> None:
        """*send*, a method of who has this, sends INFO with a body of this media type."""
        self._send = WeakMethod(send)  # of who has this: not each for the other's sake
        self._type = DTMF_RELAY
        self._waiting: deque[str] = deque(maxlen=MAX_WAITING)
        self._out = ""
        """The digit whose INFO is not answered yet."""

    def send(self, digit: str) -> None:
        """Send a digit once all before it have arrived."""
        self._waiting.append(digit)
        if not self._out:
            self._next()

    def answered(self, event: InfoAnswered) -> None:
        """Take the answer to an INFO, of digits or of something else."""
        if event.content_type not in (DTMF_RELAY, DTMF):
            return
        out, self._out = self._out, ""
        if event.status == 415 and event.content_type == self._type == DTMF_RELAY:
            self._type = DTMF
            self._waiting.appendleft(out)
        elif event.status >= 300:
            logger.info("= sip %s takes no digits by INFO: %d", event.session.remote.uri, event.status)
        self._next()

    def _next(self) -> None:
        if self._waiting:
            self._out = self._waiting.popleft()
            send = self._send()
            if send is not None:
                send(self._type, digit_body(self._type, self._out))
