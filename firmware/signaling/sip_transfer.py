"""Transfer of one SIP call: whom the far end wants us to call, and whom we want it to call (RFC 3515, RFC 5589).

Rule 1: a far end may name whom it likes, within `firmware.signaling.fair`.
Rule 2: in a call by SIPS nobody can have us call without it: it would go on less safely than it began (RFC 5630 4).
Rule 3: the far end hears at once that we try, or that we don't; and in the end what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from firmware.errors import CallError
from firmware.signaling import causes
from firmware.signaling.fair import is_fair
from firmware.signaling.sip_address import parse_address
from firmware.sip.events import Referred

if TYPE_CHECKING:
    from firmware.call.call import Call, EndReason
    from firmware.signaling.sip_leg import SipLeg
    from firmware.sip.events import ReferProgress
    from firmware.sip.invite import InviteSession
    from firmware.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a far end wants us to call instead."""

    uri: Uri
    fields: tuple[tuple[str, str], ...]
    """Header fields of the INVITE: Replaces, Referred-By."""
    far: str
    """The address of the far end."""


class Exchange(Protocol):
    """What transfers need of the endpoint."""

    def read_address(self, text: str) -> Uri:
        """Read what a person has written.  CallError: it is no address."""

    def call_target(self, target: Target) -> Call:
        """Call it.  CallError: the endpoint is not started, or it is no address that can be called."""

    def call_again(self, leg: SipLeg, target: Target) -> None:
        """Let a leg that is dialling call somebody else."""

    def leg_of(self, call: Call) -> SipLeg | None:
        """Give the leg of a call, where it is one of SIP."""


class SipTransfer:
    """The transfers that one call takes part in."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._target: Target | None = None
        self._asked = False
        """Their REFER is not answered yet."""

    # What we want

    def ask(self, session: InviteSession, text: str, now: float) -> None:
        """Ask the far end to call this address instead.  CallError: it is none."""
        session.referral.refer(self._exchange.read_address(text), now)

    def ask_for(self, session: InviteSession, consulted: InviteSession, now: float) -> None:
        """Ask the far end to take our place in another call, which is *consulted*."""
        session.referral.refer(consulted.remote_target, now, consulted.referral.replaces)

    # What the far end wants

    def follow(self) -> Call:
        """Call whom the far end wants us to call.  CallError: nobody is wanted any more, or the call can't be made."""
        if self._target is None:
            raise CallError("nobody is to be called")
        return self._exchange.call_target(self._target)

    def refuse(self, session: InviteSession, reason: EndReason, now: float) -> None:
        """Tell the far end that nothing came of it."""
        self._target = None
        status = causes.REFER_STATUSES.get(reason) or causes.SIP_STATUSES[reason]
        if self._asked:
            self._asked = False
            session.referral.refuse(status, now)
        else:
            session.referral.notify(status, now)

    def done(self, session: InviteSession, now: float) -> None:
        """Tell the far end that whom it wanted us to call has answered."""
        self._target = None
        session.referral.notify(200, now)

    # What happened

    def handle(self, event: Referred | ReferProgress, call: Call, now: float) -> None:
        """Take an event of the call's session."""
        if isinstance(event, Referred):
            self._requested(event, call, now)
        else:
            self._progressed(event, call, now)

    def _requested(self, event: Referred, call: Call, now: float) -> None:
        """Take that the far end wants us elsewhere."""
        session = event.session
        fields = tuple(
            (name, value)
            for name, value in (
                ("Replaces", str(event.replaces) if event.replaces is not None else ""),
                ("Referred-By", event.referred_by),
            )
            if value
        )
        far = session.flow.remote[0]
        try:
            uri = parse_address(str(event.target))
        except CallError:
            uri = None
        if uri is None or not is_fair(uri.host, far) or (session.secure and uri.scheme != "sips"):
            session.referral.refuse(603, now)
            return
        self._target = Target(uri, fields, far)
        self._asked = True
        call.transfer_requested(str(uri))
        if self._asked:  # nobody has refused
            self._asked = False
            session.referral.accept(now)

    def _progressed(self, event: ReferProgress, call: Call, now: float) -> None:
        """Take how far the far end is with what we wanted."""
        if event.status >= 300:
            call.transfer_refused(f"{event.status} {event.reason}".rstrip())
        elif event.status >= 200:
            event.session.end(now)
