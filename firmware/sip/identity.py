"""Who a user agent is, what it understands, and how much it takes on."""

from __future__ import annotations

from dataclasses import dataclass

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "PRACK", "UPDATE", "REFER", "NOTIFY")
"""The value of Allow (RFC 3261 20.5)."""
EXTENSIONS = ("100rel", "timer", "replaces", "norefersub")
"""Option tags for Supported (RFC 3261 20.37): RFC 3262, RFC 4028, RFC 3891, RFC 4488."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What stands in the messages of one user agent, and its bounds."""

    user: str
    """User part of our From and Contact; requests for any other user are taken as well: a room has one door."""
    display_name: str = ""
    product: str = "Visavis"
    """Value of User-Agent and Server."""
    info_types: tuple[str, ...] = ("application/media_control+xml", "application/dtmf-relay", "application/dtmf")
    """Media types of INFO bodies that are handed up; others are answered 415 (RFC 6086 4.2.2)."""
    max_sessions: int = 8
    """Calls at once; one more is answered 486 (RFC 3261 21.4.24: "not willing or able to take additional calls")."""
    max_transactions: int = 1200
    """Of clients, and as many of servers; a request beyond is answered 503 with Retry-After (RFC 3261 21.5.4)."""
    tls_port: int = 5061
    """Where TLS is listened for (RFC 3261 19.1.2)."""
    max_connections: int = 64
    """Streams at once, in and out; the driver has its own, finer bounds."""
