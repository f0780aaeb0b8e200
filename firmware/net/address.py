"""Addresses for people and for the kernel.

A link-local IPv6 address (``fe80::/10``) means something on one link only.  Ours are written without their link, as
others see them; those of others with it: ``fe80::1%eth0`` (RFC 4007 11).
"""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from firmware.errors import FirmwareError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware.sansio import Address

_OWN_ADDRESSES: Final = Path("/proc/net/if_inet6")

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


def at(address: Address) -> str:
    """Write an address for people: ``192.0.2.1:5060``, ``[2001:db8::1]:5060``."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def without_scope(host: str) -> str:
    """Leave out what only this machine understands: ``fe80::1%eth0`` becomes ``fe80::1``."""
    return host.partition("%")[0]


def with_scope_of(host: str, other: str) -> str:
    """Put an address of ours onto the link of *other*, where it needs one."""
    scope = other.partition("%")[2]
    return f"{host}%{scope}" if scope and "%" not in host and ipaddress.ip_address(host).is_link_local else host


def kernel_address(address: Address) -> SocketAddress:
    """Give an address as the kernel wants it.  OSError: there is no such link."""
    host, _, scope = address[0].partition("%")
    if not scope:
        return address
    return host, address[1], 0, int(scope) if scope.isdecimal() else socket.if_nametoindex(scope)


def remote_address(told: Sequence[Any]) -> Address:
    """Give the address of a far end that the kernel has told, ``(host, port, ...)``, with its link where it has one."""
    if len(told) > 3 and told[3]:
        try:
            return f"{told[0]}%{socket.if_indextoname(told[3])}", told[1]
        except OSError:  # the link is gone meanwhile
            return f"{told[0]}%{told[3]}", told[1]
    return told[0], told[1]


def own_kernel_address(address: Address) -> SocketAddress:
    """Give an address of ours as the kernel wants it for ``bind``, its link found out where it needs one."""
    host, port = address
    if ":" not in host or "%" in host or not ipaddress.IPv6Address(host).is_link_local:
        return kernel_address(address)
    wanted = ipaddress.IPv6Address(host).packed.hex()
    try:
        lines = _OWN_ADDRESSES.read_text().splitlines()
    except OSError:
        return address
    # "fe80000000000000... 04 40 20 80     eth0": the address, the number of its link in hexadecimal, ...
    link = next((int(line.split()[1], 16) for line in lines if line.startswith(wanted)), 0)
    return host, port, 0, link


def source_address(remote: Address) -> str:
    """Give the address of ours from which the kernel would send there.  FirmwareError: there is no route."""
    with socket.socket(socket.AF_INET6 if ":" in remote[0] else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(kernel_address(remote))  # sends nothing
        except OSError as error:
            raise FirmwareError(f"no way to {at(remote)}: {error.strerror}") from None
        return without_scope(probe.getsockname()[0])


def is_near(ours: str, theirs: str) -> bool:
    """Whether two addresses are of networks that no router translates between, as far as one can see."""
    try:
        ends = [ipaddress.ip_address(without_scope(host)) for host in (ours, theirs)]
    except ValueError:
        return False
    return all(end.version == 6 for end in ends) or all(end.is_private for end in ends)
