"""Offers that cross: how long to wait after a 491 before offering again (RFC 3261 14.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from firmware.sip.layers import Layers
    from firmware.sip.timers import Timer

MAX_TRIES: Final = 8
"""Offers that may cross in a row; two ends that wait as the standard says never get that far."""


class Retry(Protocol):
    """What is called when the wait is over."""

    def __call__(self, body: bytes | None, now: float, *, outdated: bool) -> None:
        """Offer again; *outdated*: the far end's offer was accepted meanwhile, so that this body offers nothing."""


class Glare:
    """One offer of ours that waits to be sent again."""

    def __init__(self, layers: Layers, *, owner: bool, retry: Retry) -> None:
        """*owner*: whether we made the dialog's Call-ID."""
        self._layers = layers
        self._owner = owner
        self._retry = retry
        self._tries = 0
        self._body: bytes | None = None
        self._outdated = False
        self._timer: Timer | None = None

    @property
    def waiting(self) -> bool:
        """Whether the offer is still to be sent again."""
        return self._timer is not None and self._timer.running

    def wait(self, body: bytes | None, now: float) -> bool:
        """Send this offer again later; False when it has crossed too often."""
        self._tries += 1
        if self._tries > MAX_TRIES:
            return False
        # RFC 3261 14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in units of 10 ms.
        seconds = self._layers.rng.randint(210, 400) / 100 if self._owner else self._layers.rng.randint(0, 200) / 100
        self._body, self._outdated = body, False
        self._timer = self._layers.timers.start(now + seconds, self._fire)
        return True

    def replace(self, body: bytes | None) -> None:
        """Send this one instead."""
        self._body, self._outdated = body, False

    def outdate(self) -> None:
        """Take that the far end's offer was accepted."""
        self._outdated = True

    def cancel(self) -> None:
        """Don't send it."""
        if self._timer is not None:
            self._timer.cancel()

    def _fire(self, now: float) -> None:
        self._retry(self._body, now, outdated=self._outdated)
