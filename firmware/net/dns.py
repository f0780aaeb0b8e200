"""What name servers know of a domain: NAPTR and SRV records, and the addresses of hosts.

Rule 1: NAPTR and SRV come by c-ares, which asks the servers of the system's ``resolv.conf``, keeps answers as long as
they say, and works in a thread of its own.  Addresses come from the system itself, which also knows the names of this
machine and of its neighbours (hosts, mDNS).
Rule 2: an answer is a stranger's: records over a bound are left out, and what is no record of the kind.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from firmware.net.resolver import resolve

if TYPE_CHECKING:
    import random

    import pycares

logger = logging.getLogger(__name__)

MAX_RECORDS: Final = 32
"""Records of one answer."""
TIMEOUT: Final = 1.5
"""Seconds for a name server's answer, the first time; c-ares gives it longer the second."""
TRIES: Final = 2


class Naptr(NamedTuple):
    """A NAPTR record (RFC 3403 4.1)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str
    """Without the dot at its end."""


class Srv(NamedTuple):
    """An SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str
    """Without the dot at its end; "" says that there is no such service."""


class Names(Protocol):
    """Who knows names, as `Dns` does."""

    async def naptr(self, domain: str) -> list[Naptr]:
        """Give the NAPTR records of a domain; none where nobody says."""

    async def srv(self, name: str) -> list[Srv]:
        """Give the SRV records of a name; none where nobody says."""

    async def hosts(self, name: str) -> list[str]:
        """Give the addresses of a host, the best first.  UnknownHostError, FirmwareError: there are none."""

    def close(self) -> None:
        """Ask nobody any more."""


class Dns:
    """Asks name servers; nothing is begun before the first question.

    *servers* instead of the system's, each ``host`` or ``host:port``.
    """

    def __init__(self, servers: tuple[str, ...] = ()) -> None:
        self._servers = servers
        self._channel: pycares.Channel | None = None

    async def naptr(self, domain: str) -> list[Naptr]:
        """Give the NAPTR records of a domain; none where nobody says."""
        return [
            Naptr(data.order, data.preference, data.flags, data.service, data.replacement.rstrip("."))
            for data in await self._query(domain, "NAPTR")
        ]

    async def srv(self, name: str) -> list[Srv]:
        """Give the SRV records of a name; none where nobody says."""
        return [
            Srv(data.priority, data.weight, data.port, data.target.rstrip("."))
            for data in await self._query(name, "SRV")
            if data.port or not data.target.rstrip(".")
        ]

    async def hosts(self, name: str) -> list[str]:
        """Give the addresses of a host, the best first (RFC 6724).

        UnknownHostError: there is no such host.  FirmwareError: nobody could say.
        """
        return [host for _, (host, _) in await resolve(name, 0, "")]

    def close(self) -> None:
        """Ask nobody any more."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    async def _query(self, name: str, kind: str) -> list[Any]:
        """Give what records of a kind say."""
        import pycares  # 10 ms and 1.3 MB, which a unit that dials addresses never needs

        loop = asyncio.get_running_loop()
        answered: asyncio.Future[list[Any]] = loop.create_future()
        number = getattr(pycares, f"QUERY_TYPE_{kind}")

        def take(records: list[Any]) -> None:
            if not answered.done():
                answered.set_result(records)

        def answer(result: pycares.DNSResult | None, error: int | None) -> None:
            records: list[Any] = []
            if result is not None and not error:
                records = [record.data for record in result.answer if record.type == number][:MAX_RECORDS]
            elif error and error not in (pycares.errno.ARES_ENODATA, pycares.errno.ARES_ENOTFOUND):
                logger.debug("= dns: no %s of %s: %s", kind, name, pycares.errno.strerror(error))
            with contextlib.suppress(RuntimeError):  # the event loop is over, and nobody waits any more
                loop.call_soon_threadsafe(take, records)

        try:
            if self._channel is None:
                self._channel = pycares.Channel(servers=self._servers or None, timeout=TIMEOUT, tries=TRIES)
            self._channel.query(name, number, callback=answer)
        except (pycares.AresError, UnicodeError) as error:  # what is no name
            logger.debug("= dns: no %s of %s: %s", kind, name, error)
            return []
        return await answered


def in_order(records: list[Srv], rng: random.Random) -> list[Srv]:
    """Sort SRV records as RFC 2782 says: by priority, and within one by chance, as their weights want it."""
    rest = sorted(records, key=lambda record: (record.priority, record.weight))
    ordered: list[Srv] = []
    while rest:
        same = [record for record in rest if record.priority == rest[0].priority]
        number = rng.randint(0, sum(record.weight for record in same))
        for record in same:
            number -= record.weight
            if number <= 0:
                break
        ordered.append(record)
        rest.remove(record)
    return ordered


def alternate(hosts: list[str]) -> list[str]:
    """Let IPv6 and IPv4 take turns, beginning with the best (RFC 8305 4): one that is broken costs one attempt."""
    first = [host for host in hosts if _version(host) == _version(hosts[0])]
    other = [host for host in hosts if _version(host) != _version(hosts[0])]
    turns = [host for pair in zip(first, other, strict=False) for host in pair]
    return turns + first[len(other) :] + other[len(first) :]


def _version(host: str) -> int:
    return ipaddress.ip_address(host.partition("%")[0]).version
