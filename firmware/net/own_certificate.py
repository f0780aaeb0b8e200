"""The certificates that a unit makes for itself at its first start, and keeps: one for TLS, one for DTLS.

Rule 1: nobody vouches for the one for TLS: a far end that insists on knowing who it talks to must be given it, or the
administrator gives the unit another.
Rule 2: the one for DTLS is believed by its fingerprint, which signalling tells; it says nothing of the unit, for it is
shown in the clear where packets go (RFC 5763 8.1).
Rule 3: they never expire, because a unit without a clock battery does not know the day when it makes them.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware.errors import FirmwareError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOBODY: Final = "visavis"
"""The name in the certificate for DTLS."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate and its key, both PEM."""

    certificate: Path
    key: Path

    @property
    def exists(self) -> bool:
        """Whether both are there."""
        return self.certificate.is_file() and self.key.is_file()


def tls_pair(folder: Path) -> Pair:
    """Give where the pair for TLS is kept."""
    return Pair(folder / "certificate.pem", folder / "key.pem")


def dtls_pair(folder: Path) -> Pair:
    """Give where the pair for DTLS is kept."""
    return Pair(folder / "dtls-certificate.pem", folder / "dtls-key.pem")


def make_pairs(folder: Path, name: str, reached_by: Iterable[str]) -> None:
    """Make both pairs, where they are not there yet.

    *name* is for people; the certificate for TLS is for the names and IP addresses that the unit is *reached by* now.
    FirmwareError: that can't be done, and why.
    """
    wanted = ((tls_pair(folder), name, tuple(reached_by)), (dtls_pair(folder), NOBODY, ()))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone_in(folder):
            for pair, subject, alternatives in wanted:
                if not pair.exists:
                    chain, secret = make_certificate(subject, alternatives)
                    # The key first: whoever stops half-way leaves no certificate without one.
                    _write(pair.key, secret, 0o600)
                    _write(pair.certificate, chain, 0o644)
    except OSError as error:
        raise FirmwareError(f"{error.filename or folder}: {error.strerror}") from None


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep others from making a certificate there: two at once could leave the one's key with the other's."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def make_certificate(name: str, reached_by: Iterable[str] = ()) -> tuple[bytes, bytes]:
    """Make a self-signed one, ECDSA by P-256, which all of TLS and DTLS know; gives it and its key (PKCS #8), PEM."""
    import datetime

    from cryptography import x509  # 60 ms and 12 MB, for a work of once
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    alternatives: list[x509.GeneralName] = []
    for each in dict.fromkeys(reached_by):
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(each)))
        except ValueError:
            with contextlib.suppress(ValueError):  # a host name of letters that DNS has not
                alternatives.append(x509.DNSName(each))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        # RFC 5280 4.1.2.5: "no well-defined expiration date".
        .not_valid_after(datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), secret


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a file whole or not at all, for nobody's eyes before its mode says so."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
