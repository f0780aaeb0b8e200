"""Being passed on: a far end has the room call somebody else, or somebody else takes the far end's place.

Rule 1: the room stays in its call until the new one is up; if that comes to nothing, it stays for good.
Rule 2: nobody is sent from one far end to the next without end.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from firmware.call.call import EndReason, State
from firmware.errors import CallError

if TYPE_CHECKING:
    from firmware.call.call import Call
    from firmware.room.line import Line

logger = logging.getLogger(__name__)

MAX_HOPS: Final = 5
"""How often a room is passed on from one far end to the next."""


def follow(line: Line, *, allowed: bool) -> Call | None:
    """Call whom this far end passes us on to; None: we don't, and it is told so."""
    call = line.call
    if not allowed or line.hops >= MAX_HOPS:
        call.refuse_transfer(EndReason.REFUSED)
        return None
    logger.info("= call %s %s passes us on to %s", call.id, call.remote, call.transfer_target)
    try:
        return call.follow()
    except CallError as error:
        logger.info("= call %s is not passed on: %s", call.id, error)
        call.refuse_transfer(EndReason.LOCAL_ERROR)
        return None


def settle(line: Line) -> None:
    """End the call in the place of which this one was made once it is up, or stay there once it has ended."""
    old = line.instead_of
    if old is None:
        return
    if line.call.state is State.ACTIVE:
        line.instead_of = None
        old.hang_up(EndReason.TRANSFERRED)
    elif line.call.state is State.ENDED:
        line.instead_of = None
        old.refuse_transfer(line.call.end_reason or EndReason.HUNG_UP)
