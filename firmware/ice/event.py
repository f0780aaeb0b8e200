"""What an agent tells about one medium."""

from __future__ import annotations

from dataclasses import dataclass

from firmware.call.ice import Selected


@dataclass(frozen=True, slots=True)
class Failed:
    """No pair of a component has come to anything.  Not the last word: a pair that still does is `Selected`."""

    component: int
    why: str


@dataclass(frozen=True, slots=True)
class ConsentLost:
    """The far end has not agreed for 30 s to be sent anything (RFC 7675 5.1): only a restart helps."""

    component: int


Event = Selected | Failed | ConsentLost
