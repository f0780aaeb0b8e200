"""The settings of calls through NATs."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta, Struct

from firmware.config.words import host_and_port, is_server

DEFAULT_PORT: Final = 3478
"""Of STUN and TURN (RFC 8489 18.6, RFC 8656 16)."""
SECURE_PORT: Final = 5349
"""Of TURN over TLS."""
_TURN_URI: Final = re.compile(r"(turns?):([^?]+)(?:\?transport=(udp|tcp))?", re.ASCII | re.IGNORECASE)
"""RFC 7065 3.1."""


class TurnUri(NamedTuple):
    """How a TURN server is reached (RFC 7065)."""

    transport: Literal["udp", "tcp", "tls"]
    host: str
    port: int


def is_turn(text: str) -> bool:
    """Whether it is a TURN server by a way that we know, or nothing."""
    try:
        return not text or bool(read_turn(text))
    except ValueError:
        return False


def read_turn(text: str) -> TurnUri:
    """Take a host, host:port or URI of RFC 7065 apart.  ValueError: it is none, or of DTLS."""
    uri = _TURN_URI.fullmatch(text)
    if uri is None:
        return TurnUri("udp", *host_and_port(text, DEFAULT_PORT))
    scheme, server, transport = uri[1].lower(), uri[2], (uri[3] or "").lower()
    if scheme == "turn":
        return TurnUri("tcp" if transport == "tcp" else "udp", *host_and_port(server, DEFAULT_PORT))
    if transport == "udp":
        raise ValueError(text)
    return TurnUri("tls", *host_and_port(server, SECURE_PORT))


_Server = Annotated[
    str,
    Meta(min_length=1, max_length=255, extra={"valid": is_server, "allowed": "a host or host:port"}),
]


class Nat(Struct, frozen=True, kw_only=True):
    """How sound and picture of SIP calls find their way where routers change addresses."""

    ice: Annotated[
        bool,
        Meta(description="Look for a way by ICE in SIP calls with far ends that can do so too; others notice nothing."),
    ] = False
    stun: Annotated[
        tuple[_Server, ...],
        Meta(
            max_length=4,
            description="STUN servers that tell this unit its address on the Internet: host or host:port; empty: none.",
        ),
    ] = ()
    turn: Annotated[
        str,
        Meta(
            max_length=255,
            extra={
                "valid": is_turn,
                "allowed": "a host, host:port, turn:host, turn:host?transport=tcp, turns:host or an empty text",
            },
            description="The TURN server that relays what finds no other way: a host or host:port, asked by UDP; or a "
            'URI (RFC 7065), "turn:host?transport=tcp" or, by TLS as a firewall lets it out that lets out nothing '
            'else, "turns:host:443" (whose certificate is checked as [tls] says); "": none.',
        ),
    ] = ""
    turn_user: Annotated[str, Meta(max_length=256, description="The name that goes with the TURN password.")] = ""
    turn_password: Annotated[
        str,
        Meta(
            max_length=256,
            description='The password for the TURN server; "": none.',
            extra={"secret": True, "allowed": "a text at most 256 characters long"},
        ),
    ] = ""
