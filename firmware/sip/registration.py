"""Registration of one account: from the first REGISTER to the last (RFC 3261 10.2, RFC 5626 outbound).

- Where the server is, somebody else finds out (RFC 3263): `ServerWanted` asks, ``use`` or ``not_found`` answers.  It is
  asked anew before each round of attempts, and each address is tried in turn (RFC 3263 4.3).
- The registrar says how long it lasts; it is renewed well before that.  After a failure the next round comes later each
  time (RFC 5626 4.5), and later at once where the registrar itself said no.
- One REGISTER at a time (10.2: not before the final response to the one before).
- The flow that it was made by is kept alive, and made anew when it is lost (RFC 5626 4.4, 4.5).

::

    TRYING ───▶ REGISTERED ◀──▶ FAILED      (stop leads from each to STOPPED, unregistering where there is something to)
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from firmware.sip import register
from firmware.sip.events import RegistrationChanged, ServerWanted
from firmware.sip.keep_alive import KeepAlive
from firmware.sip.layers import WhenFinal, reason_phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firmware.sansio import Flow
    from firmware.sip.account import Account
    from firmware.sip.client_request import ClientRequest
    from firmware.sip.layers import Layers
    from firmware.sip.message import Response
    from firmware.sip.timers import Timer

BASE_TIME: Final = 30.0
"""Seconds; RFC 5626 4.5: base-time where no flow is left."""
MAX_TIME: Final = 1800.0
"""Seconds; RFC 5626 4.5: max-time."""
REFUSED_FAILURES: Final = 3
"""What a refusal counts at least, in failures: nobody who says no says otherwise within two minutes, and a server that
counts wrong passwords is not to lock us out."""
MIN_REFRESH: Final = 5.0
"""Seconds between two registrations, however short the registrar lets them last."""
MIN_LIFE: Final = 60.0
"""Seconds that a flow must have lived for its loss to be mended at once; else a far end that closes every connection
would have us register in a loop."""
MAX_DETOURS: Final = 4
"""Redirections, and wishes of the registrar that were granted, from one round of attempts to its end."""
MAX_FLOWS: Final = 16
"""Addresses of one server that are tried in a round."""
_ELSEWHERE: Final = frozenset((408, 430, 500, 502, 503, 504))
"""What another address of the same server may not answer (RFC 3263 4.3, RFC 3261 21.5)."""


class State(Enum):
    """Where a registration stands."""

    TRYING = "trying"
    REGISTERED = "registered"
    FAILED = "failed"  # refused, or nobody there; tried again later
    STOPPED = "stopped"


class Registration:
    """One account's registration.  After any command, collect the user agent's actions and events."""

    def __init__(self, account: Account, layers: Layers, drop_flow: Callable[[Flow, float], None]) -> None:
        """*drop_flow* closes a stream that is dead, and tells all who use it."""
        self.account: Final = account
        self.state = State.TRYING
        self.until: float | None = None
        """REGISTERED: when it ends unless renewed."""
        self.status: int | None = None
        """FAILED: the final response's (408: none came, 503: no transport); None: the server could not be found."""
        self.reason = ""
        """FAILED: the response's phrase, or why the server could not be found."""
        self.password_shown = False
        """FAILED: whether it was tried with the account's password."""
        self.local_sequence = 0
        """RFC 3261 10.2: all have the same Call-ID, and one number after the other."""
        self._layers = layers
        self._drop_flow = drop_flow
        self._call_id = layers.token()
        self._expires = account.settings.expires
        self._target = account.registrar
        self._outbound = bool(account.settings.instance)
        self._looking = False
        """Between ServerWanted and its answer."""
        self._flows: list[Flow] = []
        self._flow: Flow | None = None
        self._since: float | None = None
        """Since when the flow that we are registered on is up; None: it is lost."""
        self._losses = 0
        """Flows in a row that were lost soon."""
        self._renewal = 0.0
        """REGISTERED: when to register again."""
        self._request: ClientRequest | None = None
        self._timer: Timer | None = None
        self._keep_alive: KeepAlive | None = None
        self._failures = 0
        self._detours = 0

    @property
    def flow(self) -> Flow | None:
        """The flow that the last REGISTER went by."""
        return self._flow

    def start(self, now: float) -> None:
        """Begin a round of attempts; ServerWanted follows."""
        del now
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._looking = True
        self._layers.events.append(ServerWanted(self, self.account.settings.proxy or self._target))

    def renew(self, now: float) -> None:
        """Begin a round of attempts before its time, unless one is under way."""
        if self.state is not State.STOPPED and self._request is None and not self._looking:
            self.start(now)

    def use(self, flows: Sequence[Flow], now: float) -> None:
        """Answer ServerWanted: the server is reached by these flows, the best first."""
        if self._looking:
            self._looking = False
            self._flows = list(flows)[:MAX_FLOWS]
            self.account.trust(*self._flows)
            if self.account.flow in self._flows:
                # RFC 5626 4.2.1: renewed on the flow that it was made by.
                self._flows.remove(self.account.flow)
                self._flows.insert(0, self.account.flow)
            self._try_next(None, "there is no way to the server", now)

    def not_found(self, reason: str, now: float) -> None:
        """Answer ServerWanted: the server can't be found, and why."""
        if self._looking:
            self._looking = False
            self._fail(None, reason, now)

    def stop(self, now: float) -> None:
        """Unregister, and report STOPPED once that is answered, within 32 s; at once where there is nothing to undo."""
        if self.state is State.STOPPED:
            return
        was, self.state = self.state, State.STOPPED
        self._looking = False
        self._quiet()
        if self._request is not None:
            self._request.may_retry = False  # RFC 3261 10.2: its answer comes first.
        elif was is State.REGISTERED and self._flow is not None:
            self._send(self._flow, 0, now)
        else:
            self._report()

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Take that a flow is gone."""
        if flow != self.account.flow or self._request is not None or self.state is not State.REGISTERED:
            return  # a request under way hears of it from its transaction
        self._quiet()
        lived, self._since = self._lived(now), None
        self._losses = 0 if lived else self._losses + 1
        if lived:
            self.start(now)  # RFC 5626 4.5: only where this fails as well, it waits.
        elif self.account.outbound:
            self._failures = self._losses - 1
            self._fail(503, "the connection was closed", now)
        else:
            # Who does without RFC 5626 may reach us by a connection of its own, and close what is idle.
            wait = retry_time(self._losses, self._layers.rng.random())
            self._wait(min(now + wait, self._renewal))

    def _lived(self, now: float) -> bool:
        """Whether the flow that we are registered on is, or was, a lasting one."""
        return self._since is not None and now - self._since >= MIN_LIFE

    def _try_next(self, status: int | None, reason: str, now: float) -> None:
        """Register at the next address of the server; where there is none, the last failure stands."""
        if self._flows:
            self._send(self._flows.pop(0), self._expires, now)
        else:
            self._fail(status, reason, now)

    def _send(self, flow: Flow, expires: int, now: float) -> None:
        self._flow = flow
        self.local_sequence += 1
        identifiers = (self._call_id, self._layers.token(), self.local_sequence)
        request = register.register(self.account, self._target, flow, expires, identifiers, outbound=self._outbound)
        self._request = self._layers.send(request, flow, WhenFinal(self._answered), now, self.account, self)

    # Answers

    def _answered(self, status: int, reason: str, now: float, response: Response | None) -> None:
        request, self._request = self._request, None
        if self.state is State.STOPPED:
            self._answered_last(request, status, now)
        elif response is None:
            self._silent(status, reason, now)
        elif status < 300:
            self._registered(response, now)
        elif self._detours < MAX_DETOURS and self._detour(status, response, now):
            self._detours += 1
        elif status in _ELSEWHERE and self._flows:
            self._try_next(status, reason, now)
        else:
            shown = request.request.headers if request is not None else ()
            self.password_shown = "Authorization" in shown or "Proxy-Authorization" in shown
            self._fail(status, reason, now, register.put_off(response))

    def _silent(self, status: int, reason: str, now: float) -> None:
        """Take that no answer came."""
        flow = self._flow
        lived = flow is not None and flow == self.account.flow and self._lived(now)
        if status == 408 and flow is not None:
            # A host that hears nothing by one transport is not tried by all the others.
            self._flows = [other for other in self._flows if other.remote[0] != flow.remote[0]]
            if flow.reliable:
                self.account.flow = None
                self._drop_flow(flow, now)
        if lived and flow is not None and flow.reliable:
            # A connection may long have been dead without anybody knowing; a new one leads to the same place.
            self._since = None
            self._flows.insert(0, flow)
        self._try_next(status, reason, now)

    def _detour(self, status: int, response: Response, now: float) -> bool:
        """Do what the registrar wants instead; False: it wants nothing that we could do."""
        if status < 400:
            target = register.redirected(response, secure=self._target.scheme == "sips")
            if target is None:
                return False
            self._target = target
            self.start(now)
            return True
        if status == 423 and (longer := register.longer(response, self._expires)) is not None:
            self._expires = longer
        elif status == 439 and self._outbound:
            self._outbound = False  # RFC 5626 4.2.1: the first hop can't; so we do without.
        else:
            return False
        if self._flow is not None:
            self._send(self._flow, self._expires, now)
        return True

    def _answered_last(self, request: ClientRequest | None, status: int, now: float) -> None:
        """Take the answer to what unregisters us, or to the REGISTER before it."""
        registered = request is not None and request.request.expires != 0 and status < 300
        if registered and self._flow is not None:
            self._send(self._flow, 0, now)
        else:
            self._report()

    def _registered(self, response: Response, now: float) -> None:
        account, flow = self.account, self._flow
        granted = register.granted(response, account, self._expires)
        if granted == 0:
            self._fail(response.status, "the server does not keep the registration", now)
            return
        if account.flow != flow or self._since is None:
            self._since = now
        account.flow, account.service_route = flow, register.service_route(response)
        account.outbound = self._outbound and register.keeps_outbound(response)
        self._failures = self._detours = 0
        self._flows = []
        self.state, self.until = State.REGISTERED, now + granted
        self.status, self.reason, self.password_shown = None, "", False
        self._renewal = now + max(MIN_REFRESH, refresh_time(granted))
        self._wait(self._renewal)
        self._keep_flow_alive(response, now)
        self._report()

    def _fail(self, status: int | None, reason: str, now: float, put_off: int = 0) -> None:
        """Report a failure, and try again later."""
        self._quiet()
        refused = status is not None and status not in _ELSEWHERE
        self._failures = max(self._failures + 1, REFUSED_FAILURES if refused else 1)
        self._detours, self._target, self._flows = 0, self.account.registrar, []
        self._forget()
        self.state, self.status = State.FAILED, status
        self.reason = reason or (reason_phrase(status) if status is not None else "")
        wait = retry_time(self._failures, self._layers.rng.random())
        self._wait(now + max(wait, put_off))
        self._report()

    # What runs beside it

    def _keep_flow_alive(self, response: Response, now: float) -> None:
        flow = self.account.flow
        if flow is None or (self._keep_alive is not None and self._keep_alive.flow == flow):
            return
        if self._keep_alive is not None:
            self._keep_alive.stop()
        seconds = register.flow_timer(response)
        # RFC 5626 4.4.1: only who keeps to it must answer.
        strict = self.account.outbound or seconds is not None
        self._keep_alive = KeepAlive(self._layers, flow, seconds, now, strict=strict, when_dead=self._drop_flow)

    def _wait(self, at: float) -> None:
        """Begin the next round at this time, and at no other."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._layers.timers.start(at, self.start)

    def _quiet(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._keep_alive is not None:
            self._keep_alive.stop()
            self._keep_alive = None

    def _forget(self) -> None:
        account = self.account
        account.flow, account.service_route, account.outbound = None, (), False
        self.until = None

    def _report(self) -> None:
        if self.state is State.STOPPED:
            self._forget()
        self._layers.events.append(RegistrationChanged(self))


def refresh_time(granted: int) -> float:
    """Seconds after which to renew what was granted for so many: ten minutes before its end, or halfway (TS 24.229)."""
    return granted - 600 if granted > 1200 else granted / 2


def retry_time(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures in a row (RFC 5626 4.5); *chance* is 0 to 1."""
    upper = min(MAX_TIME, BASE_TIME * 2.0 ** min(failures, 16))
    return upper * (0.5 + 0.5 * chance)
