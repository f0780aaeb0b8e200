"""Certificates for tests of DTLS, and handshakes with them."""

from __future__ import annotations

import hashlib
from functools import cache

from firmware.call.media import Handshake
from firmware.signaling.sip_certificate import Certificate, make_certificate


@cache
def certificate(name: str) -> Certificate:
    """A certificate, the same each time for a name."""
    return make_certificate()


def fingerprint(name: str, by: str = "sha-256") -> tuple[str, bytes]:
    return by, hashlib.new(by.replace("-", ""), certificate(name).der).digest()


def handshake(ours: str, theirs: str, begins: bool, *fingerprints: tuple[str, bytes]) -> Handshake:
    """What one end knows: its own certificate, and the other's fingerprint."""
    own = certificate(ours)
    return Handshake(begins, own.der, own.private_key, fingerprints or (fingerprint(theirs),))
