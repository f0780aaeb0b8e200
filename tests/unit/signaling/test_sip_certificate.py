"""The certificate of a unit's handshakes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

from firmware.errors import FirmwareError
from firmware.net.own_certificate import dtls_pair, make_pairs
from firmware.signaling.sip_certificate import make_certificate, read_certificate


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


def test_one_that_was_kept(tmp_path: Path) -> None:
    make_pairs(tmp_path, "Room", ())
    pair = dtls_pair(tmp_path)
    kept = read_certificate(pair)
    assert kept.der == load_pem_x509_certificate(pair.certificate.read_bytes()).public_bytes(Encoding.DER)
    key = load_der_private_key(kept.private_key, None)
    assert key.public_key() == load_der_x509_certificate(kept.der).public_key()


@pytest.mark.parametrize("damaged", ["certificate", "key"])
@pytest.mark.parametrize("content", ["", "no PEM", "-----BEGIN PRIVATE KEY-----\n\u00fc\n", None])
def test_one_that_is_damaged_or_gone(tmp_path: Path, damaged: str, content: str | None) -> None:
    make_pairs(tmp_path, "Room", ())
    pair = dtls_pair(tmp_path)
    file: Path = getattr(pair, damaged)
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(FirmwareError, match=file.name):
        read_certificate(pair)
