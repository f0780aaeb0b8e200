"""What a person may write for an H.323 address: a URL (H.323 7.5, RFC 3508), a host, or host##extension.

Rule 1: what stands before the ``@``, or after the ``##``, is the alias that the far end is asked for.
Rule 2: ``h323s:`` is call signalling over TLS.  No standard has this scheme; it is written as ``sips:`` is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from firmware.errors import CallError
from firmware.net.resolver import is_address

if TYPE_CHECKING:
    from firmware.h323.address import Alias

SCHEME: Final = "h323:"
SECURE_SCHEME: Final = "h323s:"
DEFAULT_PORT: Final = 1720
"""H.225.0 annex D: call signalling."""
SECURE_PORT: Final = 1300
"""H.225.0 annex D: call signalling secured by TLS."""
MAX_LENGTH: Final = 512
_HOST_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:]+)(?::([0-9]{1,5}))?")
_HOST: Final = re.compile(r"(?=.{1,253}\Z)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?)+")
_NUMBER: Final = re.compile(r"[0-9.*#,]+")


@dataclass(frozen=True, slots=True)
class H323Address:
    """Whom to call, and where."""

    alias: str
    """Whom to ask for there, or "": whoever answers."""
    host: str
    """Address or name, without brackets; "": wherever the gatekeeper finds the alias."""
    port: int = DEFAULT_PORT
    secure: bool = False
    """Whether the call signalling goes over TLS."""

    @property
    def names(self) -> tuple[Alias, ...]:
        """What to ask for who serves the whole domain, the name that most terminals have there first."""
        return (("h323-ID", f"{self.alias}@{self.host}"), ("url-ID", f"{SCHEME}{self._user}@{self.host}"))

    @property
    def is_domain(self) -> bool:
        """Whether the host may be a domain with services: a name, at the usual port."""
        return self.port == DEFAULT_PORT and not self.secure and not is_address(self.host)

    @property
    def _user(self) -> str:
        return quote(self.alias, safe=_ALIAS_SAFE)

    def __str__(self) -> str:
        if not self.host:
            return f"{SCHEME}{self._user}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port != default_port(secure=self.secure) else ""
        alias = f"{self._user}@" if self.alias else ""
        return f"{SECURE_SCHEME if self.secure else SCHEME}{alias}{host}{port}"


_ALIAS_SAFE: Final = "-_.!~*'()&=+$,;?/"
"""RFC 3508 4.3.2: what stands unescaped in the user part."""


def is_h323(address: str) -> bool:
    """Whether the address says that it is one of H.323."""
    return address.strip().lower().startswith((SCHEME, SECURE_SCHEME))


def default_port(*, secure: bool) -> int:
    """Give where call signalling is listened for."""
    return SECURE_PORT if secure else DEFAULT_PORT


def parse_address(text: str, *, with_gatekeeper: bool = False) -> H323Address:
    """Read an address as it was written or stored.  CallError: it is none, and why.

    *with_gatekeeper*: a number, or a name without dots, is an alias that the gatekeeper finds.
    """
    bare = text.strip()
    secure = bare.lower().startswith(SECURE_SCHEME)
    if is_h323(bare):
        bare = bare.partition(":")[2].partition(";")[0]
    if len(bare) > MAX_LENGTH or not bare.isprintable():
        raise _wrong(text, "it is too long, or has signs that can't be read")
    host_port, hashes, extension = bare.partition("##")
    if hashes:
        alias = extension
    else:
        alias, _, host_port = bare.rpartition("@")
        alias = unquote(alias)
    if ":" in host_port and is_address(host_port):
        return H323Address(alias, host_port, default_port(secure=secure), secure)
    if with_gatekeeper and not secure and not hashes and "@" not in bare and _is_alias(bare):
        return H323Address(unquote(bare), "")
    found = _HOST_PORT.fullmatch(host_port)
    if found is None:
        raise _wrong(text, "it has no host")
    host = found[1].strip("[]")
    port = int(found[2] or default_port(secure=secure))
    if not 0 < port <= 0xFFFF:
        raise _wrong(text, f"there is no port {port}")
    if _NUMBER.fullmatch(host) and not is_address(host):
        raise _wrong(text, "it is a number, and nobody is set to find numbers; write number@host")
    if not is_address(host) and _HOST.fullmatch(host) is None:
        raise _wrong(text, f"{host[:80]!r} is no name of a host")
    return H323Address(alias, host, port, secure)


def _is_alias(bare: str) -> bool:
    return bool(bare) and not is_address(bare) and (_NUMBER.fullmatch(bare) is not None or not set(bare) & set(".:[]"))


def _wrong(text: str, why: str) -> CallError:
    return CallError(f"{text[:80]!r} is no H.323 address: {why}")
