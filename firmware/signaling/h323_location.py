"""Where the name of an H.323 address leads: who serves its domain, or else the host of that name (H.323 annex O).

Rule 1: a domain says by SRV records who takes its calls, and who registers its terminals; that one has to be told the
domain as well, since it may serve several.
Rule 2: all answers are a stranger's: so many are looked at, and no more.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from firmware.errors import FirmwareError
from firmware.net.dns import alternate, in_order
from firmware.net.resolver import UnknownHostError, is_address

if TYPE_CHECKING:
    import random

    from firmware.net.dns import Names
    from firmware.sansio import Address

CALL_SIGNALING: Final = "_h323cs._tcp"
REGISTRATION: Final = "_h323rs._udp"
MAX_SERVERS: Final = 4
"""Hosts of which the addresses are looked up."""
MAX_ADDRESSES: Final = 8
LOCATE_TIME: Final = 12.0
"""Seconds for all answers together; a person waits."""


class Located(NamedTuple):
    """Addresses to try, in order; at least one."""

    addresses: list[Address]
    by_service: bool
    """Whether they are of who serves the domain."""


async def locate(service: str, host: str, port: int, names: Names, rng: random.Random) -> Located:
    """Give where a *service* of a domain is ("": none is asked for), or else the host of that name at *port*.

    UnknownHostError: there is no such domain, or it has no such service and says so.  FirmwareError: nobody could say.
    """
    if is_address(host):
        return Located([(host, port)], by_service=False)
    try:
        async with asyncio.timeout(LOCATE_TIME):
            return await _locate(service, host, port, names, rng)
    except TimeoutError:
        raise FirmwareError(f"no answer within {LOCATE_TIME:.0f} s to where {host} is") from None


async def _locate(service: str, host: str, port: int, names: Names, rng: random.Random) -> Located:
    # A name without a dot is one of this network, of which DNS has no services.
    records = await names.srv(f"{service}.{host}") if service and "." in host.strip(".") else []
    if not records:
        return Located([(found, port) for found in await _hosts(host, names)][:MAX_ADDRESSES], by_service=False)
    # RFC 2782: "A Target of "." means that the service is decidedly not available at this domain."
    servers = [record for record in in_order(records, rng) if record.target][:MAX_SERVERS]
    if not servers:
        raise UnknownHostError(f"{host} says that it takes none by H.323")
    answers = await asyncio.gather(*(_hosts(server.target, names) for server in servers), return_exceptions=True)
    addresses = [
        (found, server.port)
        for server, answer in zip(servers, answers, strict=True)
        if not isinstance(answer, BaseException)
        for found in answer
    ]
    if not addresses:
        raise next(answer for answer in answers if isinstance(answer, BaseException))
    return Located(list(dict.fromkeys(addresses))[:MAX_ADDRESSES], by_service=True)


async def _hosts(host: str, names: Names) -> list[str]:
    return [host] if is_address(host) else alternate(await names.hosts(host))
