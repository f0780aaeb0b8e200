"""Datagrams of ICE, and how they are told from the others on their port (RFC 7983 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from firmware.ice.attribute import MAGIC_COOKIE
from firmware.sansio import Address

_COOKIE: Final = MAGIC_COOKIE.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Datagram:
    """What is to be sent, by the socket of this component."""

    component: int
    destination: Address
    data: bytes
    base: Address | None = None
    """Which of the component's sockets, where it has several; None: that by which servers are asked."""


def is_stun(data: bytes) -> bool:
    """Whether this is a STUN message, if anything (RFC 8489 6.3, RFC 7983 7)."""
    return len(data) >= 20 and data[0] < 4 and data[4:8] == _COOKIE


def is_channel_data(data: bytes) -> bool:
    """Whether this is what a TURN server relays by a channel; only from its address (RFC 7983 7, RFC 8656 12.4)."""
    return len(data) >= 4 and 64 <= data[0] <= 79
