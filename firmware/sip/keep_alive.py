"""Keep-alives on the flow of a registration (RFC 5626 4.4): so that what is between us and the server keeps it open.

- On a stream two line breaks are sent, and one comes back (4.4.1); who has answered once, or says that it keeps to
  RFC 5626, has 10 s for it before the flow is taken for dead.
- On UDP they are sent as well, more often, and nothing comes back: STUN (4.4.2) would be answered by few registrars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sansio import Flow
    from firmware.sip.layers import Layers
    from firmware.sip.timers import Timer

STREAM_TIME: Final = 120.0
"""Seconds between two at most on a stream, where the server says nothing of it (RFC 5626 4.4.1: 95 to 120)."""
DATAGRAM_TIME: Final = 29.0
"""The same on UDP (RFC 5626 4.4.2: 24 to 29, as long as the bindings of address translators last)."""
LEAST_TIME: Final = 10.0
"""Seconds that the server may not ask us to stay below."""
PONG_TIME: Final = 10.0
"""Seconds for the answer (RFC 5626 4.4.1)."""


class KeepAlive:
    """The keep-alives of one flow, until `stop`."""

    def __init__(
        self,
        layers: Layers,
        flow: Flow,
        flow_timer: int | None,
        now: float,
        *,
        strict: bool,
        when_dead: Callable[[Flow, float], None],
    ) -> None:
        """*flow_timer* is what the server says, s; *strict*: it must answer; *when_dead* is called if it doesn't."""
        self.flow: Final = flow
        self._layers = layers
        self._strict = strict
        self._when_dead = when_dead
        longest = STREAM_TIME if flow.reliable else DATAGRAM_TIME
        self._interval = longest if flow_timer is None else min(longest, max(LEAST_TIME, flow_timer))
        self._timer: Timer | None = None
        self._wait(now)

    def stop(self) -> None:
        """Send no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self, now: float) -> None:
        # RFC 5626 4.4: between 80 % and 100 % of the time, by chance, so that not all come together.
        seconds = self._interval * (0.8 + 0.2 * self._layers.rng.random())
        self._timer = self._layers.timers.start(now + seconds, self._ping)

    def _ping(self, now: float) -> None:
        self._layers.transport.ping(self.flow)
        if self.flow.reliable:
            self._timer = self._layers.timers.start(now + PONG_TIME, self._look)
        else:
            self._wait(now)

    def _look(self, now: float) -> None:
        answered = self._layers.transport.ponged(self.flow)
        if self._strict and not answered:
            self._layers.counters["no pong"] += 1
            self._when_dead(self.flow, now)
            return
        self._strict = self._strict or answered
        self._wait(now - PONG_TIME)
