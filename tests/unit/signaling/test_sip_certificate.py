"""The certificate of a unit's handshakes."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from cryptography.x509 import load_der_x509_certificate

from firmware.signaling.sip_certificate import make_certificate


def test_what_it_says() -> None:
    made = make_certificate()
    certificate = load_der_x509_certificate(made.der)
    public = certificate.public_key()
    assert isinstance(public, EllipticCurvePublicKey)
    assert public.curve.name == "secp256r1"
    key = load_der_private_key(made.private_key, None)
    encoded = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    assert key.public_key().public_bytes(*encoded) == public.public_bytes(*encoded)
    certificate.verify_directly_issued_by(certificate)
    assert made.fingerprint == ("sha-256", hashlib.sha256(made.der).digest())


def test_each_is_another_and_none_shows_its_key() -> None:
    one, other = make_certificate(), make_certificate()
    assert one.der != other.der
    assert "private_key" not in repr(one)
