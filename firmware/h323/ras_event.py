"""What a RAS client tells its owner, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware.h323.address import Alias
    from firmware.h323.ras_alternate import Gatekeeper
    from firmware.h323.ras_call import Admission, Refusal


@dataclass(frozen=True, slots=True)
class Registered:
    """The gatekeeper took us, or one of its alternates did; calls may be admitted.

    It comes again when we are taken anew; not when a registration is only kept alive.
    """

    gatekeeper: Gatekeeper
    aliases: tuple[Alias, ...]
    """Our names, as the gatekeeper has them: it may add a number or leave something out."""


@dataclass(frozen=True, slots=True)
class Unregistered:
    """We are with no gatekeeper, or still with none; the client goes on trying, unless it was told to stop."""

    reason: str
    """A name of RegistrationRejectReason, GatekeeperRejectReason or UnregRequestReason, ``noAnswer`` or ``stopped``."""
    retry: float | None
    """When it tries again; None: at once, or never after `stop`."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The call may be made, to ``admission.address``, or may be answered."""

    admission: Admission


@dataclass(frozen=True, slots=True)
class Refused:
    """The call may not be made or answered; its admission is over, and no `disengage` is wanted."""

    admission: Admission
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class BandwidthChanged:
    """The call may use ``admission.bandwidth`` from now on: after a request of ours, or of the gatekeeper's."""

    admission: Admission
    reason: str = ""
    """Why our request was refused, a name of BandRejectReason or ``noAnswer``; "" if it was not."""


@dataclass(frozen=True, slots=True)
class DisengageRequested:
    """The gatekeeper wants the call to end: release it now.  Its admission is over, and no `disengage` is wanted."""

    admission: Admission
    reason: str
    """A name of DisengageReason."""


Event = Registered | Unregistered | Admitted | Refused | BandwidthChanged | DisengageRequested
