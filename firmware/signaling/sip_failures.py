"""Which servers failed lately, so that the next call does not wait for them again.

RFC 3263 4.3 says what a failure is, and leaves to us how long to remember it.  A server that failed is still tried, but
after those that did not: all may have failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firmware.sansio import Address, Flow
    from firmware.signaling.sip_location import Candidate

AVOID_TIME: Final = 300.0
"""Seconds: a restart takes less, and a server that is still away costs a call 32 s."""
MAX_FAILURES: Final = 64


class Failures:
    """The servers that failed."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, Address], float] = {}

    def note(self, flow: Flow, now: float) -> None:
        """Take that nothing came of a call by this flow."""
        self.forget(flow)
        self._until[flow.transport, flow.remote] = now + AVOID_TIME
        if len(self._until) > MAX_FAILURES:
            del self._until[next(iter(self._until))]

    def forget(self, flow: Flow) -> None:
        """Take that there is an answer."""
        self._until.pop((flow.transport, flow.remote), None)

    def last(self, candidates: list[Candidate], now: float) -> list[Candidate]:
        """Put those that failed lately behind the others; the order stays otherwise."""
        return sorted(candidates, key=lambda each: self._until.get((each.transport, each.address), 0.0) > now)
