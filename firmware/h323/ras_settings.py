"""What a RAS client is told: who it is, which gatekeeper, and how much it takes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firmware.h323.h235 import Credentials
    from firmware.h323.identity import Identity
    from firmware.sansio import Address

RAS_PORT: Final = 1719
"""UDP port of a gatekeeper's RAS channel (H.225.0 annex D)."""
DISCOVERY: Final[Address] = ("224.0.1.41", 1718)
"""Multicast group of all gatekeepers (H.323 7.2.1)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One endpoint's registration."""

    identity: Identity
    ras_address: Address
    """Where the gatekeeper reaches our RAS channel: the address it sees, never a wildcard.  Without such a channel
    (H.460.17), the same as the next."""
    call_signal_address: Address
    """Where calls reach us by TCP."""
    gatekeeper: Address | None = None
    """Of its RAS channel, or, where RAS goes inside call signalling, of that; None: ask all gatekeepers by multicast
    (IPv4, UDP)."""
    gatekeeper_identifier: str = ""
    """Only the gatekeeper of this name; "": any."""
    transport: str = "udp"
    """``udp``, or RAS goes inside call signalling (H.460.17), by ``tcp`` or ``tls``."""
    domain: str = ""
    """Whom the gatekeeper's certificate must be for, where it is called by TLS; "": its address."""
    tls_address: Address | None = None
    """Where calls reach us by TLS, for H.460.22; None: nowhere, and we don't call by it either."""
    discover: bool = True
    """Ask the gatekeeper (GRQ) before registering; False only where it is known and does not answer that: then it is
    asked where it refuses a registration for want of that."""
    credentials: Credentials | None = None
    time_to_live: int = 300
    """Seconds after which the gatekeeper may forget us, as we propose it."""
    max_calls: int = 16
    """Admissions at once."""
