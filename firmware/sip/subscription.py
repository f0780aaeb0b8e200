"""The subscription that a REFER makes, and what its NOTIFY requests say (RFC 3515 2.4, RFC 6665, RFC 3420).

Who was referred tells who referred it what comes of that: the first line of the response to the INVITE that it sent.
Rule 1: nothing but the outcome counts; what came before it is told as it comes, and need not come.
Rule 2: whoever hears nothing for long enough takes it that nothing came of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from firmware.errors import LocalProtocolError
from firmware.sip.grammar import number, printable
from firmware.sip.header import MAX_SECONDS
from firmware.sip.layers import WhenFinal, reason_phrase
from firmware.sip.refusal import Refusal
from firmware.sip.timers import T1

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sip.dialog import Dialog
    from firmware.sip.header import Valued
    from firmware.sip.layers import Layers
    from firmware.sip.message import Request
    from firmware.sip.timers import Timer

EVENT: Final = "refer"
FRAGMENT: Final = "message/sipfrag"
FIRST_LIMIT: Final = 64 * T1
"""Seconds from the 202 to the first NOTIFY (RFC 6665 4.1.2.4, Timer N)."""
MAX_EXPIRES: Final = 600
"""Seconds that a subscription may last; no call rings for longer."""

_STATUS_LINE: Final = re.compile(rb"\s*+SIP/2\.0 ([1-6][0-9]{2})(?: ([^\r\n]{0,200}))?", re.IGNORECASE)


def write_fragment(status: int, reason: str) -> bytes:
    """Write a status line as a body of type message/sipfrag (RFC 3420 2)."""
    return f"SIP/2.0 {status} {printable(reason)}\r\n".encode()


def read_fragment(body: bytes) -> tuple[int, str] | None:
    """Read status and reason from a body that begins with a status line; None: it does not."""
    found = _STATUS_LINE.match(body)
    return None if found is None else (int(found[1]), printable((found[2] or b"").decode("utf-8", "surrogateescape")))


class Notifier:
    """Our side, where the far end has referred us."""

    def __init__(self, layers: Layers, dialog: Dialog, number: str) -> None:
        """*number* tells several REFER requests of one dialog from each other (RFC 3515 2.4.6); "" for the first."""
        self._layers = layers
        self._dialog = dialog
        self._event = f"{EVENT};id={number}" if number else EVENT
        self._ended = False

    def notify(self, status: int, reason: str, now: float) -> None:
        """Say how far it is; a final status ends the subscription.  LocalProtocolError: it has ended."""
        if self._ended:
            raise LocalProtocolError("nobody listens any more")
        self._ended = status >= 200
        request = self._dialog.request("NOTIFY")
        dialog = self._dialog
        self._layers.add_contact(request, self._layers.flow_of(dialog), dialog.account, secure=dialog.secure)
        request.headers.add("Event", self._event)
        # RFC 3515 2.4.7: noresource, because there is nothing left to be subscribed to.
        state = "terminated;reason=noresource" if self._ended else f"active;expires={MAX_EXPIRES}"
        request.headers.add("Subscription-State", state)
        request.headers.add("Content-Type", f"{FRAGMENT};version=2.0")
        request.body = write_fragment(status, reason)
        # Whether he takes it does not matter: a far end that has hung up, or forgotten, is left alone.
        self._layers.send_in_dialog(self._dialog, request, WhenFinal(), now)


class Subscriber:
    """Our side, where we have referred the far end; *report* hears status and reason, the last one final."""

    def __init__(self, layers: Layers, number: int, report: Callable[[int, str, float], None]) -> None:
        """*number* is the CSeq of our REFER."""
        self._layers = layers
        self._number = str(number)
        self._report = report
        self._limit: Timer | None = None
        self._status = 100
        self.ended = False

    def accepted(self, now: float) -> None:
        """Take the 2xx to our REFER."""
        if not self.ended and self._limit is None:
            self._set_limit(now + FIRST_LIMIT)

    def check(self, request: Request) -> None:
        """Refusal: this NOTIFY is not of our subscription, or says it in words that we don't know."""
        event = request.event
        if event is None or event.value != EVENT:
            raise Refusal(489, "NOTIFY of another event", ("Allow-Events", EVENT))
        if self.ended or event.parameter("id") not in (None, self._number):
            raise Refusal(481, "no such subscription")
        content_type = request.content_type
        if request.body and (content_type is None or f"{content_type.type}/{content_type.subtype}" != FRAGMENT):
            raise Refusal(415, "NOTIFY with another body", ("Accept", FRAGMENT))
        request.subscription_state  # noqa: B018 (malformed, it is refused here)

    def notified(self, request: Request, now: float) -> None:
        """Take a NOTIFY that `check` let pass."""
        state = request.subscription_state
        said = read_fragment(request.body)
        if said is not None and said[0] >= 200:
            self._finish(*said, now)
        elif state is not None and state.value.lower() == "terminated":
            self._finish(408, f"Subscription Ended: {state.parameter('reason') or 'without a reason'}", now)
        else:
            self._set_limit(now + _expires(state))
            if said is not None:
                self._report(*said, now)

    def end(self) -> None:
        """Hear no more."""
        self.ended = True
        if self._limit is not None:
            self._limit.cancel()

    def _finish(self, status: int, reason: str, now: float) -> None:
        self.end()
        self._report(status, reason, now)

    def _set_limit(self, at: float) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._limit = self._layers.timers.start(at, lambda now: self._finish(408, reason_phrase(408), now))


def _expires(state: Valued | None) -> int:
    """Give the seconds that a subscription still lasts; a value that is none says nothing."""
    text = state.parameter("expires") if state is not None else None
    if not text or not text.isdigit():
        return MAX_EXPIRES
    return min(MAX_EXPIRES, number(text[:10], MAX_SECONDS, "expires")) if len(text) < 10 else MAX_EXPIRES
