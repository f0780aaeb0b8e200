"""The certificate that proves in DTLS that a unit is the one whose descriptions say its fingerprint (RFC 5763 3)."""

from __future__ import annotations

import base64
import hashlib
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from firmware.errors import FirmwareError
from firmware.net.own_certificate import NOBODY
from firmware.net.own_certificate import make_certificate as make_pem

if TYPE_CHECKING:
    from firmware.net.own_certificate import Pair

HASH: Final = "sha-256"
"""Of our own fingerprint (RFC 8122 5)."""
_KEY_BEGIN, _KEY_END = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
"""RFC 7468 10."""


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate."""

    der: bytes
    private_key: bytes = field(repr=False)
    """DER, PKCS #8."""

    @cached_property
    def fingerprint(self) -> tuple[str, bytes]:
        """The hash's name, and its value."""
        return HASH, hashlib.sha256(self.der).digest()


def read_certificate(pair: Pair) -> Certificate:
    """Read one that was kept.  FirmwareError: it isn't there, or isn't one."""
    try:
        return _from_pem(pair.certificate.read_text("ascii"), pair.key.read_text("ascii"))
    except OSError as error:
        raise FirmwareError(f"{error.filename}: {error.strerror}") from None
    except ValueError:
        raise FirmwareError(f"{pair.certificate}, {pair.key}: not a certificate and its key in PEM form") from None


def make_certificate() -> Certificate:
    """Make one that nobody keeps, which costs 60 ms and 10 MB."""
    certificate, key = make_pem(NOBODY)
    return _from_pem(certificate.decode(), key.decode())


def _from_pem(certificate: str, key: str) -> Certificate:
    encoded = key.strip()
    if not (encoded.startswith(_KEY_BEGIN) and encoded.endswith(_KEY_END)):
        raise ValueError("no key of PKCS #8")
    encoded = encoded.removeprefix(_KEY_BEGIN).removesuffix(_KEY_END)
    return Certificate(ssl.PEM_cert_to_DER_cert(certificate), base64.b64decode(encoded))
