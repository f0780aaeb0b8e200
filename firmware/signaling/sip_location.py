"""Where a SIP URI leads: transports and addresses to try, in order (RFC 3263 4).

Rule 1: what the URI says comes first (4.1): its transport, its port, an address instead of a name.
Rule 2: where it says neither, the domain's name server does, by NAPTR and SRV; where that is silent, the settings.
Rule 3: SIPS is TLS, whatever else is said; and by TLS the far end must have the domain's name, wherever it was found.
Rule 4: all answers are a stranger's: so many are looked at, and no more.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from firmware.errors import FirmwareError
from firmware.net.dns import alternate, in_order
from firmware.net.resolver import UnknownHostError, is_address
from firmware.sip.transport import DEFAULT_PORTS

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from firmware.net.dns import Names
    from firmware.sansio import Address
    from firmware.sip.uri import Uri

MAX_SERVERS: Final = 8
"""Hosts of which the addresses are looked up."""
MAX_CANDIDATES: Final = 16
LOCATE_TIME: Final = 12.0
"""Seconds for all answers together; a person waits."""

_SERVICES: Final = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
"""RFC 3263 4.1: what stands in a NAPTR record."""
_SRV_NAMES: Final = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}
"""RFC 3263 4.1: where the SRV records of a transport are."""


class Candidate(NamedTuple):
    """A way to the far end."""

    transport: str
    address: Address
    domain: str = ""
    """What its certificate must be for; "": its address."""


class _Server(NamedTuple):
    """A host that serves the domain by a transport."""

    transport: str
    host: str
    port: int


def wanted_transports(uri: Uri, ours: Sequence[str]) -> tuple[str, ...]:
    """Give the transports that a URI allows, of *ours*, which are in our order.  FirmwareError: there is none."""
    named = (uri.parameter("transport") or "").lower()
    if uri.scheme == "sips":
        # RFC 3261 26.2.2: by TLS; RFC 3263 4.1: over TCP, which may be named.
        allowed = tuple(way for way in ours if way == "tls" and named in ("", "tcp", "tls"))
    elif named:
        allowed = tuple(way for way in ours if way == named)
    else:
        return tuple(ours)
    if not allowed:
        raise FirmwareError(f"this unit does not use {named or 'tls'}, by which {uri.host} is to be called")
    return allowed


def direct(uri: Uri, ours: Sequence[str]) -> list[Candidate] | None:
    """Give the ways that need no name server; None: one must be asked.  FirmwareError: there is no way."""
    host = _target(uri)
    if not is_address(host):
        return None
    domain = uri.host if uri.host != host and not is_address(uri.host) else ""
    transports = _without_a_say(wanted_transports(uri, ours))
    return [Candidate(way, (host, uri.port or DEFAULT_PORTS[way]), domain) for way in transports]


async def locate(uri: Uri, ours: Sequence[str], names: Names, rng: random.Random) -> list[Candidate]:
    """Give the ways to a URI, at least one, with *ours* as the transports that we have, the preferred one first.

    UnknownHostError: there is no such domain.  FirmwareError: nobody could say, or there is no way.
    """
    found = direct(uri, ours)
    if found is not None:
        return found
    try:
        async with asyncio.timeout(LOCATE_TIME):
            servers = await _servers(uri, wanted_transports(uri, ours), names, rng)
            return await _candidates(servers[:MAX_SERVERS], uri.host, names)
    except TimeoutError:
        raise FirmwareError(f"no answer within {LOCATE_TIME:.0f} s to where {uri.host} is") from None


async def _servers(uri: Uri, transports: tuple[str, ...], names: Names, rng: random.Random) -> list[_Server]:
    """Give who serves the domain, the best first."""
    target = _target(uri)
    # A name without a dot is one of this network, of which DNS has no services.
    if uri.port is None and "." in target.strip("."):
        ways = await _by_naptr(target, transports, names) if uri.parameter("transport") is None else []
        # RFC 3263 4.1: without NAPTR, the SRV records of each transport that we have.
        ways = ways or [(way, f"{_SRV_NAMES[way]}.{target}") for way in transports]
        answers = await asyncio.gather(*(names.srv(name) for _, name in ways))
        servers = [
            _Server(way, record.target, record.port)
            for (way, _), records in zip(ways, answers, strict=True)
            for record in in_order(records, rng)
            # RFC 2782: "A Target of "." means that the service is decidedly not available at this domain."
            if record.target
        ]
        if servers:
            return servers
        if any(answers):
            raise UnknownHostError(f"{target} says that it takes no calls")
    # RFC 3263 4.2: no SRV, or a port: the addresses of the name itself.
    return [_Server(way, target, uri.port or DEFAULT_PORTS[way]) for way in _without_a_say(transports)]


async def _by_naptr(domain: str, transports: tuple[str, ...], names: Names) -> list[tuple[str, str]]:
    """Give the transports that a domain prefers, of those that we have, and the names of their SRV records."""
    records = sorted(await names.naptr(domain), key=lambda record: (record.order, record.preference))
    found = [
        (way, record.replacement)
        for record in records
        if record.flags.lower() == "s" and (way := _SERVICES.get(record.service.upper())) in transports
    ]
    return [(way, name) for way, name in found if way is not None][: len(DEFAULT_PORTS)]


async def _candidates(servers: list[_Server], domain: str, names: Names) -> list[Candidate]:
    """Look the servers' addresses up, all at once, and keep their order."""
    hosts = dict.fromkeys(server.host for server in servers)
    answers = await asyncio.gather(*(_hosts(host, names) for host in hosts), return_exceptions=True)
    addresses = dict(zip(hosts, answers, strict=True))
    found: list[Candidate] = []
    for server in servers:
        known = addresses[server.host]
        if not isinstance(known, BaseException):
            found += [Candidate(server.transport, (host, server.port), domain.lower()) for host in known]
    if not found:
        raise next(answer for answer in answers if isinstance(answer, BaseException))
    return list(dict.fromkeys(found))[:MAX_CANDIDATES]


async def _hosts(host: str, names: Names) -> list[str]:
    return [host] if is_address(host) else alternate(await names.hosts(host))


def _target(uri: Uri) -> str:
    """RFC 3263 4: "TARGET is set to the value of the maddr parameter, if present"."""
    return uri.parameter("maddr") or uri.host


def _without_a_say(transports: tuple[str, ...]) -> tuple[str, ...]:
    """Give the transports to try where the name server names none: TLS only where it is wanted or preferred."""
    return transports if transports[0] == "tls" else tuple(way for way in transports if way != "tls")
