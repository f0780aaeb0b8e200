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
class Unanswered:
    """The far end has not answered lately (`consent.DOUBT`); said with each check until it does, or is lost.

    The pair is used as before, but a restart may find a better one (RFC 8445 9).
    """

    component: int


@dataclass(frozen=True, slots=True)
class ConsentLost:
    """The far end has not agreed for 30 s to be sent anything (RFC 7675 5.1): only a restart helps."""

    component: int


Event = Selected | Failed | Unanswered | ConsentLost
