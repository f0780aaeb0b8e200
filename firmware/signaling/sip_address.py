"""What a person may write for a SIP address: ``sip:`` and all the rest, ``user@host``, or a bare host."""

from __future__ import annotations

import re
from typing import Final

from firmware.errors import CallError, DecodeError
from firmware.net.resolver import is_address
from firmware.sip.transport import DEFAULT_PORTS
from firmware.sip.uri import Uri

SCHEMES: Final = ("sip:", "sips:")
_NUMBER: Final = re.compile(r"[0-9.]+")


def is_sip(address: str) -> bool:
    """Whether the address says that it is one of SIP."""
    return address.strip().lower().startswith(SCHEMES)


def parse_address(text: str) -> Uri:
    """Read an address as it was written or stored.  CallError: it is none, and why."""
    bare = text.strip().removeprefix("<").removesuffix(">").strip()
    if not is_sip(bare):
        user, at, host = bare.rpartition("@")
        host = f"[{host}]" if is_address(host) and ":" in host else host
        bare = f"sip:{user}{at}{host}"
    try:
        uri = Uri.parse(bare)
    except DecodeError:
        raise CallError(f"{text[:80]!r} is no SIP address; one is like sip:room@example.com") from None
    transport = (uri.parameter("transport") or "tls").lower()
    if transport not in DEFAULT_PORTS or (uri.scheme == "sips" and transport == "udp"):
        raise CallError(f"this unit has no transport {transport[:20]!r}")
    if _NUMBER.fullmatch(uri.host) and not is_address(uri.host):
        # RFC 3261 25.1: the last label of a host name begins with a letter.
        raise CallError(f"{text[:80]!r} is a number, and nobody is set to find numbers; write number@host")
    return uri
