"""Addresses for people and for the kernel."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from firmware.errors import FirmwareError

if TYPE_CHECKING:
    from firmware.sansio import Address


def at(address: Address) -> str:
    """Write an address for people: ``192.0.2.1:5060``, ``[2001:db8::1]:5060``."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def without_scope(host: str) -> str:
    """Leave out what only this machine understands: ``fe80::1%eth0`` becomes ``fe80::1``."""
    return host.partition("%")[0]


def source_address(remote: Address) -> str:
    """Give the address of ours from which the kernel would send there.  FirmwareError: there is no route."""
    with socket.socket(socket.AF_INET6 if ":" in remote[0] else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(remote)  # sends nothing
        except OSError as error:
            raise FirmwareError(f"no way to {at(remote)}: {error.strerror}") from None
        return without_scope(probe.getsockname()[0])
