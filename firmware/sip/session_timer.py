"""Session timers (RFC 4028): a call is refreshed from time to time, so that one that is dead comes to its end.

Rule 1: we ask for them in every call that we make; in a call that we take, the caller decides.
Rule 2: who is to refresh does so after half of the interval, by UPDATE where the far end takes it, else by re-INVITE;
every INVITE and UPDATE that succeeds is a refresh, whatever it was for.
Rule 3: whoever hears nothing ends the call a little before the interval is over (10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import RemoteProtocolError
from firmware.sip.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sip.layers import Layers
    from firmware.sip.message import Request, Response
    from firmware.sip.timers import Timer

OPTION: Final = "timer"
INTERVAL: Final = 1800
"""Seconds that we ask for (RFC 4028 4: recommended)."""
MIN_INTERVAL: Final = 90
"""Seconds that we take at least (RFC 4028 5: no Min-SE may be less)."""
MAX_INTERVAL: Final = 24 * 3600
"""Seconds that a far end may make us raise the interval to."""
RETRY: Final = 10.0
"""Seconds after a refresh that failed until the next at least."""


def check_interval(request: Request) -> None:
    """Refusal 422: the interval is too small for us, and the caller would understand that (RFC 4028 9)."""
    wanted = request.session_expires
    if wanted is not None and wanted.seconds < MIN_INTERVAL and OPTION in request.supported:
        raise Refusal(422, f"session interval of {wanted.seconds} s", ("Min-SE", str(MIN_INTERVAL)))


def raise_interval(request: Request, response: Response) -> bool:
    """Make a request that was answered 422 ask for as much as the response wants (RFC 4028 7.3); False: it can't be."""
    try:
        wanted, least = request.session_expires, response.min_se
    except RemoteProtocolError:
        return False
    if wanted is None or least is None or not wanted.seconds < least <= MAX_INTERVAL:
        return False
    request.headers.set("Session-Expires", str(wanted.with_seconds(least)))
    request.headers.set("Min-SE", str(least))
    return True


class SessionTimer:
    """The session timer of one call."""

    def __init__(self, layers: Layers, refresh: Callable[[float], None], expired: Callable[[float], None]) -> None:
        """*refresh* is called when it is our turn, *expired* when nobody has refreshed the call."""
        self._layers = layers
        self._refresh = refresh
        self._expired = expired
        self._interval = 0
        """Seconds; 0: the call lasts without."""
        self._least = 0
        """The largest Min-SE that was heard (RFC 4028 7.4)."""
        self._ours = False
        """We refresh."""
        self._expires = 0.0
        self._refresh_timer: Timer | None = None
        self._expiry_timer: Timer | None = None

    @property
    def running(self) -> bool:
        """Whether the call must be refreshed."""
        return self._interval > 0

    def ask(self, request: Request) -> None:
        """Put into an INVITE or UPDATE of ours what we want; once agreed, it stays as it is (RFC 4028 7.4)."""
        refresher = ""
        if self.running:
            refresher = ";refresher=uac" if self._ours else ";refresher=uas"
        request.headers.set("Session-Expires", f"{max(self._interval or INTERVAL, self._least)}{refresher}")
        if self._least:
            request.headers.set("Min-SE", str(self._least))

    def answered(self, request: Request, response: Response, now: float) -> None:
        """Take the 2xx to a request that `ask` has seen (RFC 4028 7.2)."""
        self._learn(request)
        try:
            agreed = response.session_expires
        except RemoteProtocolError:
            agreed = None
        if agreed is None:
            self.stop()
        else:
            self._start(agreed.seconds, ours=agreed.refresher != "uas", now=now)

    def agree(self, request: Request, response: Response, now: float) -> None:
        """Put into our 2xx what comes of the far end's request (RFC 4028 9)."""
        self._learn(request)
        wanted = request.session_expires
        understood = OPTION in request.supported
        if wanted is None or wanted.seconds < MIN_INTERVAL:
            self.stop()
            return
        ours = not understood or wanted.refresher == "uas"
        response.headers.set("Session-Expires", f"{wanted.seconds};refresher={'uas' if ours else 'uac'}")
        if not ours:
            response.headers.add("Require", OPTION)  # RFC 4028 9, table 2
        self._start(wanted.seconds, ours=ours, now=now)

    def failed(self, now: float) -> None:
        """Take that our refresh was refused: it is tried again as long as there is time."""
        if self.running and self._ours:
            self._schedule_refresh(now + max(RETRY, (self._expires - now) / 2))

    def stop(self) -> None:
        """Let the call last without."""
        self._interval = 0
        for timer in (self._refresh_timer, self._expiry_timer):
            if timer is not None:
                timer.cancel()

    def forget(self) -> None:
        """Let the call last without, for ever, and let go of who was to be called."""
        self.stop()
        self._refresh = self._expired = _ignore

    def _learn(self, request: Request) -> None:
        """Take the Min-SE of a request, ours as it was sent last or the far end's."""
        least = request.min_se
        if least is not None:
            self._least = max(self._least, min(least, MAX_INTERVAL))

    def _start(self, seconds: int, *, ours: bool, now: float) -> None:
        self.stop()
        self._interval, self._ours = max(seconds, MIN_INTERVAL), ours
        # RFC 4028 10: BYE "slightly before the session expiration ... the minimum of 32 seconds and one third".
        self._expires = now + self._interval - min(32, self._interval / 3)
        self._expiry_timer = self._layers.timers.start(self._expires, self._expire)
        if ours:
            self._schedule_refresh(now + self._interval / 2)

    def _schedule_refresh(self, at: float) -> None:
        if self._refresh_timer is not None:
            self._refresh_timer.cancel()
        if at < self._expires:
            self._refresh_timer = self._layers.timers.start(at, self._refresh)

    def _expire(self, now: float) -> None:
        self.stop()
        self._expired(now)


def _ignore(now: float) -> None:
    """Stand in for who does not care any more."""
