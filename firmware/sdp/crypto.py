"""The ``a=crypto`` attribute: a key for SRTP, told in the description itself (RFC 4568, security descriptions).

Rule 1: the key is that of packets that the writer sends.
Rule 2: a line that can't be read, or that has several keys, counts as absent; another one may be of use.
Rule 3: a key is in no representation.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firmware.sdp.session import MediaDescription

NAME: Final = "crypto"
MAX_LINES: Final = 32
"""Of one medium that are looked at."""
MAX_IDENTIFIER: Final = 128
"""Octets of an MKI (RFC 4568 6.1)."""
_LINE: Final = re.compile(r"([0-9]{1,9})\s+(\S+)\s+(\S+)(?:\s+(.*))?", re.ASCII)
_KEY: Final = re.compile(
    r"inline:([A-Za-z0-9+/]{4,256}={0,2})(?:\|(2\^[0-9]{1,2}|[0-9]{1,15}))?(?:\|([0-9]{1,40}):([0-9]{1,3}))?",
    re.ASCII | re.IGNORECASE,
)
"""RFC 4568 9.2: key and salt, lifetime, and MKI with its length."""


@dataclass(frozen=True, slots=True)
class CryptoAttribute:
    """One line."""

    tag: int
    """By which an answer names the line of the offer that it takes."""
    suite: str
    """In capital letters."""
    key_and_salt: bytes = field(repr=False)
    """In a row; the suite says how long each is."""
    identifier: bytes = b""
    """The MKI that packets with this key carry; b"": none."""
    lifetime: int = 0
    """Packets that the key is good for; 0: as many as the suite says."""
    parameters: tuple[str, ...] = ()
    """Session parameters (RFC 4568 6.3), unread."""

    def __str__(self) -> str:
        """Give the attribute's value as it goes over the wire, secret and all."""
        said = f"{self.tag} {self.suite} inline:{base64.b64encode(self.key_and_salt).decode()}"
        if self.lifetime:
            said += f"|{self.lifetime}"
        if self.identifier:
            said += f"|{int.from_bytes(self.identifier, 'big')}:{len(self.identifier)}"
        return " ".join((said, *self.parameters))


def read(media: MediaDescription) -> tuple[CryptoAttribute, ...]:
    """Give the lines of a medium that can be read, the preferred one first; the first of each tag counts."""
    found: dict[int, CryptoAttribute] = {}
    for value in media.values(NAME)[:MAX_LINES]:
        line = _read(value)
        if line is not None:
            found.setdefault(line.tag, line)
    return tuple(found.values())


def _read(value: str) -> CryptoAttribute | None:
    line = _LINE.fullmatch(value.strip())
    key = _KEY.fullmatch(line[3]) if line is not None else None
    if line is None or key is None:
        return None
    text = key[1].rstrip("=")
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)  # some leave the padding out
    except binascii.Error:
        return None
    identifier = b""
    if key[3] is not None:
        number, size = int(key[3]), int(key[4])
        if not 0 < size <= MAX_IDENTIFIER or number >> 8 * size:
            return None
        identifier = number.to_bytes(size, "big")
    lifetime = key[2] or "0"
    packets = 1 << int(lifetime[2:]) if lifetime.startswith("2^") else int(lifetime)
    return CryptoAttribute(int(line[1]), line[2].upper(), octets, identifier, packets, tuple((line[4] or "").split()))
