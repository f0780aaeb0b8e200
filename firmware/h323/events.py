"""What a terminal tells its application, as values.

Each event carries its session; what the application has to do next stands at the event.  After `Ended` a session is
gone: no event follows, and a command does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware.h323.h450_event import ServiceEvent
from firmware.h323.ras_event import Registered, Unregistered

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.address import Alias
    from firmware.h323.control.events import Event as ControlEvent
    from firmware.h323.session import Session
    from firmware.sansio import Address


@dataclass(frozen=True, slots=True)
class Incoming:
    """Somebody calls; CallProceeding is sent already.  ``alert`` at once or not at all; then ``accept`` or ``release``.

    A call that nobody answers ends by itself after `call_signaling.UNANSWERED`.
    """

    session: Session
    fast_start: tuple[Value, ...]
    """OpenLogicalChannel values that the caller proposes (H.323 8.1.7.1), as they came; often several for one medium,
    of which ``accept`` may choose one for each direction.  Empty: no fast connect."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """The far end rings; it may come more than once."""

    session: Session


@dataclass(frozen=True, slots=True)
class Connected:
    """The far end answered our call.  H.245 begins by itself, with the capabilities that were given to ``call``."""

    session: Session


@dataclass(frozen=True, slots=True)
class FastStart:
    """The far end's answer to our fast connect proposals, at once or never, before or with `Connected`."""

    session: Session
    channels: tuple[Value, ...]
    """OpenLogicalChannel values that it chose, with its addresses; empty: it refused, and channels are opened by H.245.
    """


@dataclass(frozen=True, slots=True)
class Control:
    """Something happened in H.245; it may come before the call is answered."""

    session: Session
    event: ControlEvent


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """The gatekeeper allows the call so much from now on, channels that are open included (H.323 8.4.1)."""

    session: Session
    bitrate: int
    """bit/s of either direction."""


@dataclass(frozen=True, slots=True)
class Digit:
    """A digit came in call signalling (Keypad facility in an Information message)."""

    session: Session
    digit: str


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The far end wants to be called elsewhere (Facility callForwarded, routeCallToGatekeeper, routeCallToMC).

    The session is over, `Ended` follows; to go there is one ``call`` more, to the address or, without one, to where
    the aliases lead.  Whoever follows counts, because two far ends may forward to each other for ever.
    """

    session: Session
    address: Address | None
    aliases: tuple[Alias, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over, whatever ended it; exactly one for each session."""

    session: Session
    cause: int | None
    """Q.850 cause value that either side gave, or that we give what happened; None: none was given."""
    reason: str
    """Name of the ReleaseCompleteReason that the far end gave, or ""."""
    by_far_end: bool
    """False where our own ``release`` ended it, or a time-out or a fault of the connection."""
    detail: str
    """Words for the log."""


CallEvent = Incoming | Alerting | Connected | FastStart | Control | Bandwidth | Digit | Forwarded | Ended
Event = CallEvent | ServiceEvent | Registered | Unregistered
"""`Registered` and `Unregistered` are the gatekeeper's (`firmware.h323.ras_event`) and have no session; what
supplementary services tell stands in `firmware.h323.h450_event`."""
