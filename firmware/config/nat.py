"""The settings of calls through NATs."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from firmware.config.words import is_server

DEFAULT_PORT = 3478
"""Of STUN and TURN (RFC 8489 18.6, RFC 8656 16)."""

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
            extra={"valid": is_server, "allowed": "a host, host:port or an empty text"},
            description='The TURN server that relays what finds no other way: a host or host:port; "": none.',
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
