"""The certificate by which a unit proves, in DTLS, to be the one whose descriptions say its fingerprint (RFC 5763 3).

Rule 1: it is made when a call first wants it, and thrown away when the unit stops: nobody knows a unit by it, and
nothing of it is on a disk.
Rule 2: it says nothing of the unit (RFC 5763 8.1).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

HASH: Final = "sha-256"
"""Of our own fingerprint (RFC 8122 5)."""
_COMMON_NAME: Final = "visavis"


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


def make_certificate() -> Certificate:
    """Make one: ECDSA by P-256, which every DTLS knows (RFC 8827 6.5)."""
    import datetime

    from cryptography import x509  # 60 ms and 10 MB: only for those who need it
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _COMMON_NAME)])
    # Without bounds that a wrong clock, here or there, could lie beyond.
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2049, 12, 31, tzinfo=datetime.UTC))
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(certificate.public_bytes(serialization.Encoding.DER), secret)
