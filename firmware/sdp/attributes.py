"""What the attributes of an RTP media description say, as values.

Each function takes the `MediaDescription` and gives what can be read; what can't counts as absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from firmware.sdp.session import MAX_FORMATS

if TYPE_CHECKING:
    from firmware.sdp.session import MediaDescription, SessionDescription

MAX_PARAMETERS = 32
"""Of one fmtp line."""


class Direction(Enum):
    """Which ways media go, seen from who wrote the description (RFC 8866 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @staticmethod
    def of(sends: bool, receives: bool) -> Direction:
        """Give the direction of one who does this."""
        return _DIRECTIONS[sends, receives]

    @property
    def sends(self) -> bool:
        """Whether the writer sends."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the writer receives."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)


_DIRECTIONS = {
    (True, True): Direction.SENDRECV,
    (True, False): Direction.SENDONLY,
    (False, True): Direction.RECVONLY,
    (False, False): Direction.INACTIVE,
}
_DIRECTION_NAMES = {direction.value: direction for direction in Direction}


@dataclass(frozen=True, slots=True)
class RtpMap:
    """What an RTP payload type stands for (RFC 8866 6.6)."""

    name: str
    clock_rate: int
    """Hz."""
    channels: int = 1

    def __str__(self) -> str:
        return f"{self.name}/{self.clock_rate}" + (f"/{self.channels}" if self.channels != 1 else "")


def direction(session: SessionDescription, media: MediaDescription) -> Direction:
    """The line's direction, else the session's, else sendrecv (RFC 8866 6.7)."""
    for attributes in (media.attributes, session.attributes):
        for name, _ in attributes:
            if name in _DIRECTION_NAMES:
                return _DIRECTION_NAMES[name]
    return Direction.SENDRECV


def payload_types(media: MediaDescription) -> tuple[int, ...]:
    """The RTP payload types of the ``m=`` line, the preferred first, each once."""
    numbers = (int(text) for text in media.formats if text.isdecimal() and len(text) <= 3)
    return tuple(dict.fromkeys(number for number in numbers if number <= 127))


def rtpmaps(media: MediaDescription) -> dict[int, RtpMap]:
    """What each payload type stands for, as far as it is said; static ones may stay unsaid (RFC 3551 6)."""
    maps = {}
    for payload_type, text in _by_format(media, "rtpmap").items():
        name, _, rest = text.partition("/")
        clock_rate, _, channels = rest.partition("/")
        channels = channels or "1"
        if name and _is_small(clock_rate, 7) and _is_small(channels, 2) and int(clock_rate) and int(channels):
            maps[payload_type] = RtpMap(name, int(clock_rate), int(channels))
    return maps


def fmtps(media: MediaDescription) -> dict[int, str]:
    """What each payload type's ``fmtp`` says, unread (RFC 8866 6.15)."""
    return _by_format(media, "fmtp")


def parameters(fmtp: str) -> dict[str, str]:
    """Read ``name=value;name=value`` of an fmtp; names in small letters, a name alone has the value ""."""
    found = {}
    for text in fmtp.split(";")[:MAX_PARAMETERS]:
        name, _, value = text.partition("=")
        if name.strip():
            found[name.strip().lower()] = value.strip()
    return found


def rtcp(media: MediaDescription) -> tuple[int, str | None] | None:
    """Port, and address where said, of ``a=rtcp`` (RFC 3605 2.1); None: the port after the RTP port serves."""
    words = (media.attribute("rtcp") or "").split()
    if not words or not _is_small(words[0], 5) or not 0 < int(words[0]) <= 0xFFFF:
        return None
    return int(words[0]), words[3] if len(words) == 4 else None


def feedback(media: MediaDescription, payload_type: int) -> frozenset[str]:
    """The RTCP feedback of a payload type: ``nack``, ``nack pli``, ``ccm fir``, ... (RFC 4585 4.2, RFC 5104 7.1)."""
    found = set()
    for value in media.values("rtcp-fb"):
        which, _, what = value.partition(" ")
        if which in ("*", str(payload_type)):
            words = what.lower().split()
            # RFC 5104 7.1: what follows are parameters (smaxpr), which oblige to nothing.
            found.add(" ".join(words[:2] if words[:2] == ["ccm", "tmmbr"] else words))
    return frozenset(found)


def milliseconds(media: MediaDescription, name: str) -> float | None:
    """Value of ``ptime`` or ``maxptime`` (RFC 8866 6.4, 6.5); some peers write fractions."""
    text = media.attribute(name) or ""
    if not _is_small(text.replace(".", "", 1), 6):
        return None
    return float(text) or None


def _by_format(media: MediaDescription, name: str) -> dict[int, str]:
    """Values of attributes that begin with a payload type, by it; the first of each counts."""
    found: dict[int, str] = {}
    for value in media.values(name)[:MAX_FORMATS]:
        number, _, text = value.partition(" ")
        if _is_small(number, 3):
            found.setdefault(int(number), text.strip())
    return found


def _is_small(text: str, digits: int) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= digits
