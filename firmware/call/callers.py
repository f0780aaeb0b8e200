"""Who may call, where not everybody may.

An entry is an address, a network (``10.0.0.0/8``), or what a caller calls itself: a user with its domain
(``alice@example.com``), a user or number, or a domain.  An address is where the call comes from, which is a server's
where one stands between; what a caller calls itself proves nothing unless such a server vouches for it, or, by mutual
TLS, a certificate for that domain.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCHEMES = ("sip:", "sips:", "h323:", "h323s:")


class Callers:
    """A list of those who may call; empty: everybody may."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._names: set[str] = set()
        for entry in entries:
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._names.add(_plain(entry))

    def admits(self, host: str, names: Iterable[str]) -> bool:
        """Whether somebody at this IP address who calls itself so may call."""
        if not self._networks and not self._names:
            return True
        if self._networks:
            address = ipaddress.ip_address(host.partition("%")[0])
            address = getattr(address, "ipv4_mapped", None) or address
            if any(address in network for network in self._networks):
                return True
        return any(_plain(name) in self._names for name in names)


def _plain(name: str) -> str:
    """Give an identity without what does not tell two callers apart."""
    name = name.strip().lower()
    return next((name.removeprefix(scheme) for scheme in _SCHEMES if name.startswith(scheme)), name)
