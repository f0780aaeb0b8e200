"""Transfer of one H.323 call: whom the far end wants us to call instead, and whom we want it to call (H.450.2).

Rule 1: a far end names whom it likes, within `firmware.signaling.fair`; a host by its name is judged by the addresses
that are found.
Rule 2: an alias alone is found by the gatekeeper; where there is none, it is known where the one stands who named it.
Rule 3: who is called by TLS is named by a URL that says so, for a transport address is called in the clear.
Rule 4: H.225's Facility with callForwarded asks for the same, before the call is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from firmware.call.call import EndReason
from firmware.errors import CallError
from firmware.h323 import address as alias
from firmware.h323.h450_event import Identified, TransferAnswered, TransferRequested
from firmware.net.resolver import is_address
from firmware.signaling import causes
from firmware.signaling.fair import is_fair
from firmware.signaling.h323_address import DEFAULT_PORT, H323Address, is_h323, parse_address

if TYPE_CHECKING:
    from firmware.call.call import Call
    from firmware.h323.address import Alias
    from firmware.h323.events import Forwarded
    from firmware.h323.session import Session
    from firmware.sansio import Address
    from firmware.signaling.h323_leg import H323Leg


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a far end wants us to call instead."""

    address: H323Address
    aliases: tuple[Alias, ...]
    identity: str | None
    """What to say there (H.450.2 callIdentity); None: nothing, it was no transfer but a forwarded call."""
    far: str
    """The IP address of who wants it."""


class Exchange(Protocol):
    """What transfers need of the endpoint."""

    @property
    def has_gatekeeper(self) -> bool:
        """Whether somebody finds aliases for us."""

    def call_target(self, target: Target) -> Call:
        """Call it.  CallError: the endpoint is not started."""

    def leg_of(self, call: Call) -> H323Leg | None:
        """Give the leg of a call, where it is one of H.323."""


class H323Transfer:
    """The transfers that one call takes part in."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._target: Target | None = None
        self._asked_for: tuple[H323Transfer, Session, Call] | None = None
        """The transfer, session and call of the far end that wants to know whom it is to be joined with."""
        self._consulted: Session | None = None
        """The far end to which ours is being transferred."""

    # What we want

    def ask(self, session: Session, text: str, now: float) -> None:
        """Ask the far end to call this address instead.  CallError: it is none."""
        wanted = parse_address(text, with_gatekeeper=self._exchange.has_gatekeeper)
        names = (alias.alias(wanted.alias),) if wanted.alias else ()
        try:
            if not wanted.secure and (not wanted.host or is_address(wanted.host)):
                address = (wanted.host, wanted.port) if wanted.host else None
                session.services.transfer.transfer(names, address, now)
            else:
                session.services.transfer.transfer((("url-ID", str(wanted)),), None, now)
        except ValueError as error:
            raise CallError(f"{text[:80]!r} can't be written in H.323: {error}") from None

    def ask_for(self, session: Session, call: Call, other: H323Transfer, consulted: Session, now: float) -> None:
        """Ask the far end of another call, *consulted*, to take that of ours; it says first how it will know it."""
        other._asked_for = self, session, call
        self._consulted = consulted
        consulted.services.transfer.identify(now)

    # What the far end wants

    def follow(self) -> Call:
        """Call whom the far end wants us to call.  CallError: nobody is wanted any more, or the call can't be made."""
        if self._target is None:
            raise CallError("nobody is to be called")
        return self._exchange.call_target(self._target)

    def refuse(self, session: Session, reason: EndReason) -> None:
        """Tell the far end that nothing came of it."""
        self._target = None
        session.services.transfer.answer(causes.H450_ERRORS.get(reason, causes.H450_ERROR))

    def done(self, session: Session) -> None:
        """Tell the far end that whom it wanted us to call has answered."""
        session.services.transfer.answer()

    # What happened

    def requested(self, event: TransferRequested | Forwarded, call: Call) -> None:
        """Take that the far end wants us elsewhere."""
        session = event.session
        identity = event.identity if isinstance(event, TransferRequested) else None
        wanted = self._find(session, event.aliases, event.address)
        if wanted is None:
            session.services.transfer.answer("invalidReroutingNumber")
        else:
            self._target = Target(wanted, event.aliases, identity, session.flow.remote[0])
            call.transfer_requested(str(wanted))

    def answered(self, event: TransferAnswered, call: Call, now: float) -> None:
        """Take what became of what we wanted."""
        if not event.error:
            event.session.release(causes.H323_CAUSES[EndReason.TRANSFERRED], now)
            return
        if self._consulted is not None:
            self._consulted.services.transfer.abandon()
            self._consulted = None
        call.transfer_refused(event.error)

    def identified(self, event: Identified, now: float) -> None:
        """Take how the far end will know the one that is transferred to it, and ask for that."""
        if self._asked_for is None:
            return
        transfer, session, call = self._asked_for
        self._asked_for = None
        if session.ended:
            return
        if event.error or (event.address is None and not event.aliases):
            transfer._consulted = None  # noqa: SLF001
            call.transfer_refused(event.error or "nobody is named")
        else:
            flow = event.session.flow
            address = event.address or (flow.remote if flow.transport != "tls" else None)
            session.services.transfer.transfer(event.aliases, address, now, identity=event.identity)

    def ended(self, *, transferred: bool) -> None:
        """Take that the call is over: its far end, unless it was *transferred*, can be joined with nobody any more."""
        if self._consulted is not None and not transferred:
            self._consulted.services.transfer.abandon()
        if self._asked_for is not None:
            transfer, _, call = self._asked_for
            self._asked_for = None
            transfer._consulted = None  # noqa: SLF001
            call.transfer_refused("the other call is over")

    def _find(self, session: Session, aliases: tuple[Alias, ...], address: Address | None) -> H323Address | None:
        """Give where to call; None: nowhere that we would."""
        name = alias.number(aliases) or alias.name(aliases)
        urls = [text for kind, text in aliases if kind == "url-ID"]
        far, port = session.flow.remote
        if not session.outgoing:
            said = session.remote.address
            port = said[1] if said is not None and said[0] == far else DEFAULT_PORT
        found: H323Address | None
        if address is not None:
            found = H323Address(name, *address)
        elif urls:
            try:
                with_gatekeeper = self._exchange.has_gatekeeper
                found = parse_address(urls[0], with_gatekeeper=with_gatekeeper) if is_h323(urls[0]) else None
            except CallError:
                return None
        elif self._exchange.has_gatekeeper:
            return H323Address(name, "")
        else:
            return H323Address(name, far, port)
        return found if found is not None and is_fair(found.host, far) else None
