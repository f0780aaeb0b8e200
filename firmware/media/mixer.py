"""Who hears and sees whom, and the sum of sounds.

Rule 1: nobody hears himself, unless the unit echoes.
Rule 2: a conference is several far ends in one room: each hears the room and all the others.  No signalling knows.

=========  =======================================  =====================================
listener   room mode                                echo mode
=========  =======================================  =====================================
far end    the room and all other far ends          itself
the room   all far ends                             nobody: the unit that echoes is silent
=========  =======================================  =====================================

Sound is added with saturation and without anything but the standard library: most often there is one source, which is
passed on as it is.
"""

from __future__ import annotations

import operator
from array import array
from collections.abc import Iterable, Sequence

ROOM = ""
"""The room itself (its microphone, camera, speaker) among far ends, which are named by call id."""


def heard_by(listener: str, far_ends: Iterable[str], echo: bool) -> tuple[str, ...]:
    """Whose sound *listener* (ROOM or a far end) hears."""
    if echo:
        return () if listener == ROOM else (listener,)
    return tuple(source for source in (ROOM, *far_ends) if source != listener)


def seen_by(far_end: str, echo: bool) -> str:
    """Whose picture a far end is sent."""
    return far_end if echo else ROOM


def mix(blocks: Sequence[bytes | None]) -> bytes | None:
    """Add blocks of equal length, 16 bit, with saturation; None is silence, also as the result."""
    sounds = [block for block in blocks if block is not None]
    if len(sounds) < 2:
        return sounds[0] if sounds else None
    total: Sequence[int] = array("h", sounds[0])
    for sound in sounds[1:]:
        total = list(map(operator.add, total, array("h", sound)))
    if max(total) > 32_767 or min(total) < -32_768:
        total = [32_767 if s > 32_767 else -32_768 if s < -32_768 else s for s in total]
    return array("h", total).tobytes()
