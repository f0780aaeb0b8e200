"""What supplementary services tell the application (H.450), as values; each carries its session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware.h323.address import Alias
    from firmware.h323.session import Session
    from firmware.sansio import Address


@dataclass(frozen=True, slots=True)
class Held:
    """The far end put us on hold, or took us back (H.450.4); what flows meanwhile is up to both sides' H.245."""

    session: Session
    on: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Our call waits there behind another one (H.450.6)."""

    session: Session


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """The far end wants us to call somebody else instead (H.450.2, callTransferInitiate).

    `Terminal.call` with *identity* as its ``transfer``, then ``session.services.answer_transfer``, is what it wants.
    """

    session: Session
    identity: str
    """"": the new far end knows of nothing; else it will take the call in the place of one that it has."""
    aliases: tuple[Alias, ...]
    address: Address | None


@dataclass(frozen=True, slots=True)
class TransferAnswered:
    """What became of the transfer that we asked for."""

    session: Session
    error: str
    """"": the far end calls, or talks to, the other; our call with it is of no use any more.  Else why it doesn't: a
    name of `ERRORS`, the code of another, ``rejected`` or ``no answer``."""


@dataclass(frozen=True, slots=True)
class Identified:
    """The far end is ready to be what another call of ours is transferred to, or is not (callTransferIdentify)."""

    session: Session
    identity: str
    """What to say to the one that is transferred."""
    aliases: tuple[Alias, ...]
    address: Address | None
    error: str
    """"": it is ready; else as in `TransferAnswered`."""


ServiceEvent = Held | Waiting | TransferRequested | TransferAnswered | Identified
