"""The names by which an endpoint is registered and called: AliasAddress (H.225.0 7.6), both ways.

Rule 1: what we write is checked here, because it comes from settings and from what people dial: ValueError says what is
wrong with it.
Rule 2: what we read and don't know is passed over; what is read can be written again.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from firmware.h323.address import alias as plain_alias
from firmware.h323.address import decode_aliases, decode_transport, encode_transport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.asn1 import Value
    from firmware.h323.address import Alias
    from firmware.sansio import Address

TRANSPORT_ID: Final = "transportID"
"""An alias that is an address; its text is ``host:port``, IPv6 in brackets."""
MAX_ALIASES: Final = 32
"""Of one message; more are not looked at."""

_DIGITS: Final = frozenset("0123456789#*,")


def _is_digits(text: str) -> bool:
    return _DIGITS.issuperset(text)


def _is_ascii(text: str) -> bool:
    return text.isascii() and "\0" not in text


def _is_bmp(text: str) -> bool:
    """Whether a BMPString can carry it, which has no surrogates."""
    return "\0" not in text and max(text) <= "\uffff" and not any("\ud800" <= c <= "\udfff" for c in text)


_FORMS: Final[dict[str, tuple[int, Callable[[str], bool]]]] = {
    # H.225.0: AliasAddress; kind: characters at most, and which
    "dialledDigits": (128, _is_digits),
    "h323-ID": (256, _is_bmp),
    "url-ID": (512, _is_ascii),
    "email-ID": (512, _is_ascii),
}
_EMAIL: Final = re.compile(r"[!-~]+@[!-~]+")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")


def _fits(alias: Alias) -> bool:
    longest, right = _FORMS[alias[0]]
    return 0 < len(alias[1]) <= longest and right(alias[1])


def guess(text: str) -> Alias:
    """Give the alias that somebody means: an address with a port, a number, a URL, an e-mail address, else a name."""
    if read_host_port(text) is not None:
        return (TRANSPORT_ID, text)
    if _URL.fullmatch(text):
        return ("url-ID", text)
    if _EMAIL.fullmatch(text):
        return ("email-ID", text)
    return plain_alias(text)


def encode_alias(alias: Alias) -> Value:
    """Write an AliasAddress."""
    kind, text = alias
    if kind == TRANSPORT_ID:
        address = read_host_port(text)
        if address is None:
            raise ValueError(f"{text!r} is no address with a port")
        return (kind, encode_transport(address))
    if kind not in _FORMS:
        raise ValueError(f"{kind!r} is no kind of alias that we write")
    if not _fits(alias):
        raise ValueError(f"{text!r} can't be a {kind}")
    return (kind, text)


def encode_aliases(aliases: Iterable[Alias]) -> list[Value]:
    """Write a list of AliasAddress."""
    return [encode_alias(alias) for alias in aliases]


def encode_usable(aliases: Iterable[Alias]) -> list[Value]:
    """Write a list of AliasAddress of what a far end named, without those that it should not have."""
    found: list[Value] = []
    for alias in aliases:
        with contextlib.suppress(ValueError):
            found.append(encode_alias(alias))
    return found


def read_aliases(values: list[Value]) -> tuple[Alias, ...]:
    """Read a list of AliasAddress, each alias once."""
    found: dict[Alias, None] = {}
    for value in values[:MAX_ALIASES]:
        match value:
            case ("transportID", transport):
                address = decode_transport(transport)
                if address is not None:
                    found[TRANSPORT_ID, host_port(address)] = None
            case _:
                # Some peers send the end of a C string as a character of an h323-ID.
                aliases = [(kind, text.rstrip("\0")) for kind, text in decode_aliases([value])]
                found.update({alias: None for alias in aliases if _fits(alias)})
    return tuple(found)


def host_port(address: Address) -> str:
    """Write an address as people do."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def read_host_port(text: str) -> Address | None:
    """Read an IP literal and a port; None if it is something else."""
    host, _, port = text.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        return None
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        literal = ipaddress.ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        return None
    return (str(literal), int(port)) if bracketed is (literal.version == 6) else None
