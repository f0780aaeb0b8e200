"""A TURN server as the settings name it."""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware.sansio import Address


@dataclass(frozen=True, slots=True)
class TurnServer:
    """Where it is, and as whom we ask it (RFC 8656 5: long-term credentials)."""

    address: Address
    username: str
    password: str = field(repr=False)
    reliable: bool = False
    """It is asked by a stream (RFC 8656 2.1), which somebody else keeps; *address* is where he takes datagrams for it
    from the socket of a component, and where those that it sends come from."""
    name: str = ""
    """What people know it by; "": its address."""
