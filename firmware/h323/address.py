"""Transport and alias addresses as H.225.0 and H.245 write them.

Rule: an address that a far end gives is only ever read into an IP literal; nothing here resolves a name.
"""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.asn1 import Value
    from firmware.sansio import Address

Alias = tuple[str, str]
"""An AliasAddress that is a text: its alternative (``h323-ID``, ``dialledDigits``, ``url-ID``, ``email-ID``) and it."""

MAX_ALIASES: Final = 16
"""Of one party; more are not looked at."""
_TEXTS: Final = ("h323-ID", "dialledDigits", "url-ID", "email-ID")
_DIGITS: Final = frozenset("0123456789#*,")
"""H.225.0, AliasAddress.dialledDigits."""
_BROADCAST: Final = ipaddress.IPv4Address(0xFFFFFFFF)
_REMEMBERED: Final = 256
"""IP addresses: the same few stand in every message of a call."""


def encode_transport(address: Address) -> Value:
    """Write a TransportAddress of H.225.0."""
    octets = packed(address[0])
    kind = "ipAddress" if len(octets) == 4 else "ip6Address"
    return (kind, {"ip": octets, "port": address[1]})


@functools.lru_cache(_REMEMBERED)
def packed(host: str) -> bytes:
    """Give the 4 or 16 octets of an IP literal."""
    return ipaddress.ip_address(host).packed


def decode_transport(value: Value) -> Address | None:
    """Read a TransportAddress of H.225.0; None for one that is not of IP, or to which nothing can be sent."""
    match value:
        case ("ipAddress" | "ip6Address", {"ip": bytes(octets), "port": int(port)}):
            return usable(octets, port)
        case ("ipSourceRoute", {"ip": bytes(octets), "port": int(port)}):
            return usable(octets, port)
    return None


def usable(octets: bytes, port: int) -> Address | None:
    """Give the address that these octets and this port are, if one host can be reached there."""
    host = _host(octets)
    return (host, port) if host is not None and 0 < port <= 0xFFFF else None


@functools.lru_cache(_REMEMBERED)
def _host(octets: bytes) -> str | None:
    ip = ipaddress.ip_address(octets) if len(octets) in (4, 16) else None
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    if ip is None or ip.is_unspecified or ip.is_multicast or ip == _BROADCAST:
        return None
    return str(ip)


def order(address: Address) -> tuple[bytes, int]:
    """Give what compares as H.323 8.2.3 compares H.245 addresses: octet by octet, then the port."""
    return (packed(address[0]), address[1])


def decode_aliases(values: Value) -> tuple[Alias, ...]:
    """Read the aliases that are texts out of a list of AliasAddress."""
    found: list[Alias] = []
    for value in values[:MAX_ALIASES] if isinstance(values, list) else ():
        match value:
            case (str(kind), str(text)) if kind in _TEXTS:
                found.append((kind, text))
            case ("partyNumber", ("e164Number" | "publicNumber", {"publicNumberDigits": str(text)})):
                found.append(("dialledDigits", text))
    return tuple(found)


def alias(text: str) -> Alias:
    """Give the alias that somebody means who dials *text*: a number, an e-mail address, a URL or a name."""
    if text and set(text) <= _DIGITS:
        return ("dialledDigits", text)
    if "://" in text or text.startswith(("h323:", "tel:", "sip:")):
        return ("url-ID", text)
    return ("h323-ID", text)


def number(aliases: Iterable[Alias]) -> str:
    """Give the first number among some aliases, or ""."""
    return next((text for kind, text in aliases if kind == "dialledDigits"), "")


def name(aliases: Iterable[Alias]) -> str:
    """Give the alias that tells people most, or ""."""
    known = dict(reversed(list(aliases)))
    return next((known[kind] for kind in ("h323-ID", "url-ID", "email-ID", "dialledDigits") if kind in known), "")
