"""Provisional responses that must arrive, and the PRACK that says they did (RFC 3262).

Rule 1: we send them so where the caller requires it, and acknowledge them wherever they come.
Rule 2: as UAS, one at a time: what is to be said before the PRACK has come is said after it, the latest only.
Rule 3: as UAC, in their order; one that comes too early is left to be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.sip.timers import T1

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sip.header import RAck
    from firmware.sip.layers import Layers
    from firmware.sip.message import Response
    from firmware.sip.timers import Timer
    from firmware.sip.transaction_machine import ServerTransaction

OPTION: Final = "100rel"
MAX_FIRST: Final = 2**31 - 1
"""RFC 3262 3: the first RSeq is from 1 to this."""


class ReliableServer:
    """The reliable provisional responses to one INVITE of the far end."""

    def __init__(self, layers: Layers, transaction: ServerTransaction, when_given_up: Callable[[float], None]) -> None:
        """*when_given_up* hears that no PRACK came in time."""
        self._layers = layers
        self._transaction = transaction
        self._when_given_up = when_given_up
        self._number = layers.rng.randint(1, MAX_FIRST)
        self._out: Response | None = None
        """The response that waits for its PRACK."""
        self._next: Response | None = None
        self._interval = T1
        self._since = 0.0
        self._timer: Timer | None = None

    @property
    def describes(self) -> bool:
        """Whether a session description waits for its PRACK: the 2xx must wait as well (RFC 3262 5)."""
        return self._out is not None and bool(self._out.body)

    def send(self, response: Response, now: float) -> None:
        """Send a provisional response, or keep it until the one before has its PRACK."""
        if self._out is not None:
            self._next = response
            return
        response.headers.add("Require", OPTION)
        response.headers.add("RSeq", str(self._number))
        self._out = response
        self._since, self._interval = now, T1
        self._transaction.respond(response, now)
        self._timer = self._layers.timers.start(now + T1, self._repeat)

    def acknowledged(self, rack: RAck, now: float) -> bool:
        """Take a PRACK; False: it is for nothing that waits for one."""
        number, invite = self._number, self._transaction.request.cseq
        if self._out is None or (rack.response, rack.number, rack.method) != (number, invite.number, invite.method):
            return False
        self.stop()
        self._number += 1
        following, self._next = self._next, None
        if following is not None:
            self.send(following, now)
        return True

    def stop(self) -> None:
        """Wait no more: acknowledged, or the final response makes it needless (RFC 3262 3)."""
        self._out = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _repeat(self, now: float) -> None:
        if self._out is None:
            return
        # RFC 3262 3: from T1 on, doubled each time; after 64*T1 the INVITE is refused.
        if now - self._since >= 64 * T1:
            self.stop()
            self._when_given_up(now)
            return
        self._transaction.respond(self._out, now)
        self._interval *= 2
        self._timer = self._layers.timers.start(min(now + self._interval, self._since + 64 * T1), self._repeat)


class ReliableClient:
    """Which provisional responses to one INVITE of ours are new."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        """The last RSeq, by To tag: each fork has its own (RFC 3262 4)."""

    def takes(self, tag: str, number: int) -> bool:
        """Whether a response with this RSeq is the next; False: it was here before, or one before it was not."""
        last = self._last.get(tag)
        if last is not None and number != last + 1:
            return False
        self._last[tag] = number
        return True
