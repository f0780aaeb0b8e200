"""Who takes part in a DTLS handshake and who begins it: ``a=fingerprint`` and ``a=setup`` (RFC 8122, RFC 4145).

Both stand in a medium, or once for all of them in the session part.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firmware.sdp.session import MediaDescription, SessionDescription

FINGERPRINT: Final = "fingerprint"
SETUP: Final = "setup"
MAX_FINGERPRINTS: Final = 16
"""Of one medium that are looked at."""
_VALUE: Final = re.compile(r"([A-Za-z0-9-]{1,32})\s+([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){0,127})", re.ASCII)

Fingerprint = tuple[str, bytes]
"""The hash's name in small letters (``sha-256``), and its value."""


class Setup(Enum):
    """Who begins (RFC 4145 4), said by the one who writes it."""

    ACTIVE = "active"
    PASSIVE = "passive"
    ACTPASS = "actpass"
    HOLDCONN = "holdconn"


def read(session: SessionDescription, media: MediaDescription) -> tuple[Fingerprint, ...]:
    """Give the fingerprints of a medium, in an order that doesn't depend on how they are written."""
    values = media.values(FINGERPRINT) or tuple(value for name, value in session.attributes if name == FINGERPRINT)
    found = (_VALUE.fullmatch(value.strip()) for value in values[:MAX_FINGERPRINTS])
    return tuple(sorted({(each[1].lower(), bytes.fromhex(each[2].replace(":", ""))) for each in found if each}))


def read_setup(session: SessionDescription, media: MediaDescription) -> Setup | None:
    """Give who begins; None: nothing that is known is said of it."""
    text = media.attribute(SETUP) or session.attribute(SETUP) or ""
    try:
        return Setup(text.strip().lower())
    except ValueError:
        return None


def write(fingerprint: Fingerprint) -> str:
    """Give the attribute's value."""
    name, value = fingerprint
    return f"{name} {value.hex(':').upper()}"
