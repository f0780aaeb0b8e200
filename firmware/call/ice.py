"""How both ends of a medium look for a way through NATs (ICE, RFC 8445): what signalling agreed, as values.

Whoever makes the checks can be replaced at any time: all that he needs is in an `Ice`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from firmware.sansio import Address


class CandidateType(Enum):
    """How somebody came by an address (RFC 8445 4); the values are those of SDP (RFC 8839 5.1)."""

    HOST = "host"
    SERVER_REFLEXIVE = "srflx"
    """As a STUN server sees it."""
    PEER_REFLEXIVE = "prflx"
    """As the other end sees it."""
    RELAYED = "relay"
    """A TURN server's, which relays what comes there."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address where an end may be reached, by UDP."""

    foundation: str
    """The same for candidates of one type, base and server: what is found out of one likely holds for all (RFC 8445
    5.1.1.3); 1 to 32 letters, digits, ``+`` and ``/``."""
    component: int
    """1: RTP, and RTCP too where both share a port; 2: RTCP."""
    priority: int
    """RFC 8445 5.1.2; 1 to 2^31 - 1."""
    address: Address
    type: CandidateType
    related: Address | None = None
    """What the address was found from (``raddr``, RFC 8839 5.1): of a reflexive one its base, of a relayed one what the
    TURN server saw; None: a host's."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one end proves itself by (RFC 8445 5.3): letters, digits, ``+`` and ``/``."""

    fragment: str
    """``ice-ufrag``, 4 to 256 characters."""
    password: str = field(repr=False)
    """``ice-pwd``, 22 to 256 characters."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """An address of a TURN server that is ours for a while (RFC 8656 3.2), asked for on the socket of one component."""

    component: int
    server: Address
    relayed: Address
    username: str
    password: str = field(repr=False)
    realm: str
    nonce: bytes
    """As the server last said it; it may ask for another at any time."""
    expires: float
    """When it ends if nobody refreshes it; s of the monotonic clock, which all processes of a machine share."""
    algorithms: tuple[int, ...] = ()
    """For passwords, as the server named them (RFC 8489 14.11); (): it knows MD5 only."""
    reliable: bool = False
    """The server is reached by a stream, which the room's process keeps; *server* is where that takes datagrams."""


@dataclass(frozen=True, slots=True)
class Selected:
    """The pair of candidates by which a component travels."""

    component: int
    local: Candidate
    remote: Candidate


@dataclass(frozen=True, slots=True)
class Ice:
    """What was agreed for one medium."""

    controlling: bool
    """We choose the pair (RFC 8445 6.1.1): who offered first, or whose far end is lite."""
    ours: Credentials
    theirs: Credentials
    local: tuple[Candidate, ...]
    remote: tuple[Candidate, ...]
    """Components that have candidates on one side only are not used (RFC 8445 6.1.2.2)."""
    allocations: tuple[Allocation, ...] = ()
    """Behind our relayed candidates."""
    lite: bool = False
    """The far end only answers checks (RFC 8445 2.5)."""
    selected: tuple[Selected, ...] = ()
    """What was found by somebody whose place the next one takes; it holds until he finds another."""
