"""Whom a far end may have us call: anybody but this machine's own services, unless it is the same machine itself."""

from __future__ import annotations

import ipaddress

from firmware.net.resolver import is_address


def is_fair(host: str, far: str) -> bool:
    """Whether the far end at address *far* may have us call this host; a name is judged by its addresses, once known.

    A wildcard is this machine as well.
    """
    if not is_address(host):
        return True
    address = ipaddress.ip_address(host)
    address = getattr(address, "ipv4_mapped", None) or address
    here = address.is_loopback or address.is_unspecified
    return not address.is_multicast and (not here or ipaddress.ip_address(far.partition("%")[0]).is_loopback)
