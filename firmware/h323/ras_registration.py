"""Registration: finding a gatekeeper, being known to it, staying known, and finding the way back (H.323 7.2).

::

            start             GCF               RCF
    IDLE ---------> DISCOVERING ----> REGISTERING ----> REGISTERED --+ keep alive (lightweight RRQ)
      ^                  ^  | GRJ         ^  | RRJ          |  ^-----+
      |                  |  v  silence    |  v silence      | silence, RRJ, URQ, "callerNotRegistered"
      | UCF              +- WAITING <--------+ <------------+
    UNREGISTERING <------ stop

Rule 1: what a reason leads to stands in the tables of `ras_reason`; alternates that come with a reject go before them.
Rule 2: without a wait in between, there are at most `QUICK` attempts; waits double, up to a bound, and are spread by
chance, so that a hundred rooms don't come back to a restarted gatekeeper in the same second.
Rule 3: where an alternate has taken us, the gatekeeper that we began with is asked from time to time whether it is
there again, and we go back while there is no call.
Rule 4: a gatekeeper that is only silent is left for an alternate that knows us (needToRegister false) without a word to
the owner; any other loss is reported.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from firmware.h323 import h225
from firmware.h323.address import encode_transport
from firmware.h323.h460_security import read_tls
from firmware.h323.identity import endpoint_type
from firmware.h323.ras_alias import encode_aliases
from firmware.h323.ras_alternate import Alternates, Gatekeeper, alternates_of
from firmware.h323.ras_discovery import Discovery, Found, NotFound
from firmware.h323.ras_event import Registered, Unregistered
from firmware.h323.ras_feature import features
from firmware.h323.ras_grant import Grant
from firmware.h323.ras_message import UNKNOWN_MESSAGE
from firmware.h323.ras_reason import DISCOVERY, NO_ANSWER, REGISTRATION, UNREGISTRATION, Recovery

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from firmware.h323.ras_event import Event
    from firmware.h323.ras_message import Body
    from firmware.h323.ras_settings import Settings
    from firmware.h323.ras_transaction import Answer, Transactions
    from firmware.h323.ras_transport import Transport
    from firmware.sansio import Address, Flow

QUICK: Final = 6
"""Attempts without a wait: a discovery, a registration, and some of the detours that rejects ask for."""
WAIT: Final = (10.0, 300.0)
"""Seconds, first and longest, before the next attempt, where time may help."""
REFUSED_WAIT: Final = (60.0, 900.0)
"""Seconds, first and longest, before the next attempt, where somebody has to change a setting."""
LONGEST_REFRESH: Final = 300.0
"""Seconds between two signs of life, however long the gatekeeper would wait: a lost one is found in this time."""
LONGEST_REFRESH_INSIDE: Final = 60.0
"""The same where a lost connection takes all calls with it: nobody can call us until that is found out."""
SHORTEST_REFRESH: Final = 1.0
HOME_TIME: Final = 600.0
"""Seconds between two looks, from an alternate, whether the gatekeeper that we began with is there again."""


class State(Enum):
    """Where a registration stands."""

    IDLE = auto()
    DISCOVERING = auto()
    REGISTERING = auto()
    REGISTERED = auto()
    WAITING = auto()
    UNREGISTERING = auto()


class Registration:
    """One client's relation with its gatekeeper.  *changed* hears of each confirm, and of each loss."""

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        transactions: Transactions,
        rng: random.Random,
        report: Callable[[Event], None],
        changed: Callable[[float], None],
    ) -> None:
        self.state = State.IDLE
        self.gatekeeper: Gatekeeper | None = None
        self.grant = Grant()
        inside = settings.gatekeeper if settings.transport != "udp" else None
        self.alternates = Alternates(inside[1] if inside else None)
        self._settings = settings
        self._transport = transport
        self._transactions = transactions
        self._discovery = Discovery(settings, transport, transactions, self._discovered)
        self._rng = rng
        self._report = report
        self._changed = changed
        self._number = 0
        self._due: float | None = None
        self._home: Address | None = None
        """Of the gatekeeper that was found, not of one that took its place."""
        self._home_due: float | None = None
        self.is_busy: Callable[[], bool] = lambda: False
        """Whether there are calls, which want to stay with their gatekeeper."""
        self._attempts = 0
        self._waits = 0
        self.generation = 0
        """Counts the registrations."""
        self._since = 0.0

    @property
    def registered(self) -> bool:
        """Whether calls may be admitted now."""
        return self.state is State.REGISTERED

    @property
    def trying(self) -> bool:
        """Whether a registration is on its way, with nothing to wait for but answers."""
        return self.state in {State.DISCOVERING, State.REGISTERING}

    @property
    def endpoint_identifier(self) -> str:
        """Our name at the gatekeeper; "" if we are not registered."""
        return self._transport.endpoint_identifier

    @property
    def flow(self) -> Flow | None:
        """To the gatekeeper; None while none is known."""
        return None if self.gatekeeper is None else self._transport.flow(self.gatekeeper.address)

    def domain_of(self, host: str) -> str:
        """Give whose certificate a host must have that is called by TLS; "": its own.

        The name that the settings have is the gatekeeper's.
        """
        named = self._settings.gatekeeper
        return self._settings.domain if named is not None and host == named[0] else ""

    def at(self, flow: Flow) -> bool:
        """Whether this flow leads to the gatekeeper, whichever address of ours it has."""
        return self.gatekeeper is not None and flow.remote == self.gatekeeper.address

    def start(self, now: float) -> None:
        """Begin, or begin anew at once if this waits; when it is under way already, nothing changes."""
        if self.state in {State.IDLE, State.WAITING, State.UNREGISTERING}:
            self._halt()
            self._waits = 0
            self._begin(now)

    def stop(self, now: float) -> None:
        """Unregister; Unregistered comes when that is done."""
        was_registered, gatekeeper = self.registered, self.gatekeeper
        if self.state in {State.IDLE, State.UNREGISTERING}:
            return
        self._halt()
        if not was_registered or gatekeeper is None:
            self._stopped(now)
            return
        self.state = State.UNREGISTERING
        flow = self._transport.flow(gatekeeper.address)
        # Whatever the answer, and also without one, we are gone.
        self._number = self._transactions.request(
            "unregistrationRequest", self._farewell(), flow, now, lambda _, at: self._stopped(at)
        )
        self._changed(now)

    def _farewell(self) -> Body:
        """Give what a URQ of ours says."""
        return {
            "callSignalAddress": [encode_transport(self._settings.call_signal_address)],
            "endpointAlias": encode_aliases(self._settings.identity.aliases),
            "endpointIdentifier": self.endpoint_identifier,
            **gatekeeper_identifier(self.gatekeeper),
        }

    def lose(self, reason: str, now: float, body: Body | None = None) -> None:
        """Take that the gatekeeper does not know us any more, or is silent, as a request of a call has shown."""
        if self.registered and reason == NO_ANSWER and self.flow is not None and self.flow.reliable:
            # It stands, with calls on it perhaps: whether anybody is there is asked before it is given up.
            self._transactions.forget(self._number)
            self._request(now, keep_alive=True)
        elif self.registered:
            self._halt()
            recovery = Recovery.ALTERNATE if reason == NO_ANSWER else Recovery.REGISTER
            self._recover(reason, recovery, body or {}, now)

    def disconnected(self, now: float) -> None:
        """Take that the connection is gone on which we are registered."""
        if self.registered:
            self._halt()
            # One that closes all that it accepts would otherwise be called in a circle.
            soon = now < self._since + WAIT[0]
            self._recover(NO_ANSWER, Recovery.WAIT if soon else Recovery.ALTERNATE, {}, now)

    def unregister(self, reason: str, body: Body, now: float) -> None:
        """Take that the gatekeeper has unregistered us (URQ, which is answered already)."""
        self._halt()
        self._recover(reason, UNREGISTRATION.get(reason, Recovery.WAIT), body, now)

    def timer(self) -> float | None:
        """When handle_timer is wanted, or None."""
        return min((due for due in (self._due, self._home_due) if due is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Show a sign of life, or end a wait, or look for the way home."""
        if self._home_due is not None and self._home_due <= now:
            self._look_home(now)
        if self._due is None or now < self._due:
            return
        self._due = None
        if self.registered:
            self._request(now, keep_alive=True)
        elif self.state is State.WAITING:
            self._begin(now)

    # Towards a registration

    def _begin(self, now: float) -> None:
        self._attempts = 0
        self.alternates.settle()
        self.gatekeeper = None
        self._seek(now)

    def _seek(self, now: float) -> None:
        """Begin with the gatekeeper of the settings, or with all of them."""
        if not self._settings.discover and self._settings.gatekeeper is not None:
            self._home = self._settings.gatekeeper
            self._register(Gatekeeper(self._settings.gatekeeper, self._settings.gatekeeper_identifier), now)
        else:
            self._discover(now)

    def _discover(self, now: float) -> None:
        self.state = State.DISCOVERING
        self._attempts += 1
        self._discovery.start(self._settings.gatekeeper, now)

    def _discovered(self, result: Found | NotFound, now: float) -> None:
        match result:
            case _ if self.registered:
                if isinstance(result, Found) and not self.is_busy():
                    self._go_home(result, now)
            case Found(gatekeeper, method, body):
                self._home = gatekeeper.address
                self.alternates.learn(body)
                self._transport.use(method)
                self._register(gatekeeper, now)
            case NotFound(reason, body):
                self._recover(reason, DISCOVERY.get(reason, Recovery.WAIT), body, now)

    def _register(self, gatekeeper: Gatekeeper, now: float) -> None:
        self.state = State.REGISTERING
        self._attempts += 1
        self.gatekeeper = gatekeeper
        self._transport.gatekeeper_identifier = gatekeeper.identifier
        self._transport.endpoint_identifier = ""
        self._request(now, keep_alive=False)

    def _request(self, now: float, *, keep_alive: bool) -> None:
        settings, gatekeeper = self._settings, self.gatekeeper
        if gatekeeper is None:
            return
        terminal = endpoint_type(settings.identity)
        body: Body = {
            "protocolIdentifier": h225.IDENTIFIER,
            "discoveryComplete": settings.discover,
            "callSignalAddress": [encode_transport(settings.call_signal_address)],
            "rasAddress": [encode_transport(settings.ras_address)],
            "terminalType": terminal,
            "endpointVendor": terminal["vendor"],
            "timeToLive": settings.time_to_live,
            "keepAlive": keep_alive,
            "willSupplyUUIEs": False,
            "maintainConnection": False,
            **gatekeeper_identifier(gatekeeper),
        }
        if keep_alive:
            # H.225.0 7.9.1: a lightweight RRQ leaves out what the gatekeeper has.
            body["endpointIdentifier"] = self.endpoint_identifier
        else:
            body["terminalAlias"] = encode_aliases(settings.identity.aliases)
            body["supportsAltGK"] = None
            body |= features(settings, address=True)
        flow = self._transport.flow(gatekeeper.address)
        self._number = self._transactions.request(
            "registrationRequest", body, flow, now, self._kept_alive if keep_alive else self._answered
        )

    def _answered(self, answer: Answer, now: float) -> None:
        if answer.confirmed:
            self._confirmed(answer.body, now)
            return
        recovery = REGISTRATION.get(answer.reason, Recovery.WAIT)
        self._recover(answer.reason, recovery, answer.body, now)

    def _confirmed(self, body: Body, now: float) -> None:
        self._attempts = self._waits = 0
        self.generation += 1
        self._since = now
        self.grant = Grant.of(body, self._settings.identity.aliases)
        if self._settings.tls_address is not None and self.grant.call_signal_address is not None:
            self.grant = replace(self.grant, tls_address=read_tls(body, self.grant.call_signal_address[0]))
        self._settle(body, now)
        if self.gatekeeper is not None:
            self._report(Registered(self.gatekeeper, self.grant.aliases))
        self._changed(now)

    def _kept_alive(self, answer: Answer, now: float) -> None:
        if answer.confirmed:
            self.grant = self.grant.renewed(answer.body)
            self._settle(answer.body, now)
            self._changed(now)
            return
        # A gatekeeper of version 1 does not know what a lightweight registration is.
        unknown = answer.reason == UNKNOWN_MESSAGE
        recovery = Recovery.REGISTER if unknown else REGISTRATION.get(answer.reason, Recovery.WAIT)
        self._recover(answer.reason, recovery, answer.body, now)

    def _settle(self, body: Body, now: float) -> None:
        self.state = State.REGISTERED
        self.alternates.learn(body)
        self.alternates.settle()
        gatekeeper = self.gatekeeper
        if gatekeeper is not None and self.grant.gatekeeper_identifier:
            self.gatekeeper = Gatekeeper(gatekeeper.address, self.grant.gatekeeper_identifier)
            self._transport.gatekeeper_identifier = self.grant.gatekeeper_identifier
        self._transport.endpoint_identifier = self.grant.endpoint_identifier
        self._due = None
        if self.grant.time_to_live is not None:
            # Half of the time leaves room for all repetitions, and for the gatekeeper's clock.
            longest = LONGEST_REFRESH if self._settings.transport == "udp" else LONGEST_REFRESH_INSIDE
            refresh = min(self.grant.time_to_live / 2, longest) * self._rng.uniform(0.9, 1.0)
            self._due = now + max(refresh, SHORTEST_REFRESH)
        if gatekeeper is None or self._home in (None, gatekeeper.address):
            self._home_due = None
        elif self._home_due is None:
            self._home_due = now + HOME_TIME * self._rng.uniform(0.9, 1.1)

    # Back to the first

    def _look_home(self, now: float) -> None:
        self._home_due = now + HOME_TIME * self._rng.uniform(0.9, 1.1)
        if self.registered and not self.is_busy():
            self._discovery.start(self._home, now)

    def _go_home(self, found: Found, now: float) -> None:
        """Leave the alternate for the gatekeeper that is there again."""
        if self.flow is not None:
            self._transactions.request(
                "unregistrationRequest", self._farewell(), self.flow, now, lambda _answer, _at: None
            )
        self._halt()
        self.alternates.learn(found.body)
        self._transport.use(found.method)
        self._register(found.gatekeeper, now)

    # Away from one

    def _recover(self, reason: str, recovery: Recovery, body: Body, now: float) -> None:
        """Go on after a reject, a silence or a loss."""
        was_registered = self.registered
        if reason == NO_ANSWER and self.gatekeeper is not None:
            self._transport.close(self.gatekeeper.address)
        self._discovery.stop()
        self._home_due = None
        if (alternates_of(body) or ((), False))[1]:
            self._home = None  # H.225.0 7.6: altGKisPermanent, who sent us away does not want us back
        if self.alternates.learn(body):
            recovery = Recovery.ALTERNATE
        alternate = None
        if recovery is Recovery.ALTERNATE:
            at = self.gatekeeper.address if self.gatekeeper is not None else self._settings.gatekeeper
            alternate = self.alternates.next(self._settings.ras_address, at)
        if was_registered and alternate is not None and not alternate.need_to_register:
            self._move(alternate, now)
            return
        if was_registered:
            self.state = State.IDLE
            self._transport.endpoint_identifier = ""
        self._go_on(recovery, alternate, now, first=was_registered)
        if was_registered or self.state is State.WAITING:
            self._report(Unregistered(reason, self._due))
        self._changed(now)

    def _go_on(self, recovery: Recovery, alternate: Gatekeeper | None, now: float, *, first: bool) -> None:
        gatekeeper = self.gatekeeper
        if self._attempts >= QUICK:
            self._wait(WAIT, now)
        elif alternate is not None:
            self._register(alternate, now)
        elif recovery is Recovery.REGISTER and gatekeeper is not None:
            self._register(gatekeeper, now)
        elif recovery is Recovery.DISCOVER:
            self._discover(now)
        elif recovery is Recovery.REGISTER or (first and recovery is Recovery.ALTERNATE):
            self._seek(now)
        else:
            self._wait(REFUSED_WAIT if recovery is Recovery.REFUSED else WAIT, now)

    def _move(self, alternate: Gatekeeper, now: float) -> None:
        """Go on as registered with a gatekeeper that knows us, and ask it whether it does."""
        self.gatekeeper = alternate
        self._transport.gatekeeper_identifier = alternate.identifier
        self._request(now, keep_alive=True)

    def _wait(self, bounds: tuple[float, float], now: float) -> None:
        first, longest = bounds
        self.state = State.WAITING
        self._due = now + min(first * 2.0**self._waits, longest) * self._rng.uniform(0.8, 1.2)
        self._waits = min(self._waits + 1, 16)

    def _halt(self) -> None:
        self._discovery.stop()
        self._transactions.forget(self._number)
        self._due = self._home_due = None

    def _stopped(self, now: float) -> None:
        self.state = State.IDLE
        self._transport.endpoint_identifier = ""
        self._report(Unregistered("stopped", None))
        self._changed(now)


def gatekeeper_identifier(gatekeeper: Gatekeeper | None) -> Body:
    """Give the component that names the gatekeeper, where its name is known."""
    return {"gatekeeperIdentifier": gatekeeper.identifier} if gatekeeper and gatekeeper.identifier else {}
