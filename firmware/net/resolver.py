"""From a host's name to addresses to try, in order.

Rule 1: an address is given back as it is, without a turn of the event loop.
Rule 2: the order is the system's (RFC 6724), which knows which of IPv6 and IPv4 works here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING, Final

from firmware.errors import FirmwareError

if TYPE_CHECKING:
    from firmware.sansio import Address

RESOLVE_TIME: Final = 5.0
"""Seconds for an answer; a person waits."""
MAX_ADDRESSES: Final = 8


class UnknownHostError(FirmwareError):
    """There is no host of this name."""


async def resolve(host: str, port: int, transport: str) -> list[tuple[str, Address]]:
    """Give transports and addresses for a host, an IP literal (no brackets) or a name; at least one.

    UnknownHostError: there is no such name.  FirmwareError: nobody could say.
    """
    if is_address(host):
        return [(transport, (host, port))]
    try:
        async with asyncio.timeout(RESOLVE_TIME):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except TimeoutError:
        raise FirmwareError(f"no answer within {RESOLVE_TIME:.0f} s to where {host} is") from None
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
            raise UnknownHostError(f"there is no host {host}") from None
        raise FirmwareError(f"cannot find out where {host} is: {error.strerror}") from None
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is empty or too long
        raise UnknownHostError(f"{host} is no name of a host: {error}") from None
    addresses = dict.fromkeys(sockaddr[:2] for *_, sockaddr in found)
    return [(transport, (str(host), int(port))) for host, port in addresses][:MAX_ADDRESSES]


def is_address(host: str) -> bool:
    """Whether this is an IPv4 or IPv6 literal."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
