"""Candidates: their priorities, their foundations, and which of them can be a pair (RFC 8445 5.1, 6.1.2.2).

Rule: addresses of IPv6 links (``fe80::/10``) are in no pair: without their link they mean nothing, and no candidate
says which it is.  Loopback pairs with loopback, so that nobody can send us to knock at our own doors.
"""

from __future__ import annotations

import ipaddress
import itertools
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from firmware.call.ice import Candidate, CandidateType
from firmware.sansio import Address

TYPE_PREFERENCES: Final = {
    CandidateType.HOST: 126,
    CandidateType.PEER_REFLEXIVE: 110,
    CandidateType.SERVER_REFLEXIVE: 100,
    CandidateType.RELAYED: 0,
}
"""RFC 8445 5.1.2.2."""
ONLY: Final = 65535
"""Local preference of an end with a single address, and of the best of several (RFC 8445 5.1.2.1)."""
MAX_PRIORITY: Final = 0x7FFFFFFF
_DEFAULTS: Final = (CandidateType.RELAYED, CandidateType.SERVER_REFLEXIVE, CandidateType.HOST)


def priority(kind: CandidateType, component: int, preference: int = ONLY) -> int:
    """Reckon a priority (RFC 8445 5.1.2.1)."""
    return TYPE_PREFERENCES[kind] << 24 | preference << 8 | 256 - component


def ranked(hosts: Sequence[str]) -> list[str]:
    """Give an end's own addresses in the order in which they are preferred: IPv6 and IPv4 in turn (RFC 8421 4)."""
    families = [[host for host in hosts if (":" in host) is ipv6] for ipv6 in (True, False)]
    return [host for pair in itertools.zip_longest(*families) for host in pair if host is not None]


def preference(candidate: Candidate) -> int:
    """Give the local preference that is in a priority of ours."""
    return candidate.priority >> 8 & 0xFFFF


def foundation(kind: CandidateType, base: str, server: str = "") -> str:
    """Give the foundation of a type, a base's host and a server's (RFC 8445 5.1.1.3)."""
    return str(zlib.crc32(f"{kind.value} {base} {server}".encode()))


def pair_priority(controlling: int, controlled: int) -> int:
    """Reckon a pair's priority from those that both ends gave (RFC 8445 6.1.2.3)."""
    return min(controlling, controlled) << 32 | max(controlling, controlled) << 1 | (controlling > controlled)


def default(candidates: Iterable[Candidate], component: int) -> Candidate | None:
    """Give the one to name to those who know no ICE: what most likely works (RFC 8445 5.1.4); None: there is none."""
    ours = [each for each in candidates if each.component == component]
    return next((each for kind in _DEFAULTS for each in ours if each.type is kind), None)


def canonical(candidate: Candidate) -> Candidate | None:
    """Give a candidate with its address as the kernel writes it; None: it has none where anybody could be."""
    host, port = candidate.address
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if not 0 < port < 65536 or address.is_multicast or address.is_unspecified or address == _BROADCAST:
        return None
    if not 0 < candidate.priority <= MAX_PRIORITY or not 0 < len(candidate.foundation) <= 32:
        return None
    return replace(candidate, address=(str(address), port))


def canonical_all(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Give those of them where somebody could be, each once."""
    return tuple(dict.fromkeys(each for one in candidates if (each := canonical(one)) is not None))


def can_pair(local: Candidate, remote: Candidate) -> bool:
    """Whether two canonical candidates can be a pair (RFC 8445 6.1.2.2)."""
    if local.component != remote.component:
        return False
    ours, theirs = _at(local.address), _at(remote.address)
    if ours.version != theirs.version or ours.is_loopback != theirs.is_loopback:
        return False
    return ours.version == 4 or not (ours.is_link_local or theirs.is_link_local)


def _at(address: Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(address[0])


_BROADCAST: Final = ipaddress.IPv4Address("255.255.255.255")
