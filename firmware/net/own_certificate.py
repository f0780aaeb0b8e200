"""The certificate that a unit makes for itself at its first start, and keeps.

Nobody vouches for it: a far end that insists on knowing who it talks to must be given it, or the administrator gives
the unit another.  It never expires, because a unit without a clock battery does not know the day when it makes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware.errors import FirmwareError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CERTIFICATE: Final = "certificate.pem"
KEY: Final = "key.pem"


def own_certificate(folder: Path, name: str, reached_by: Iterable[str]) -> tuple[Path, Path]:
    """Give the files of certificate and key in a folder; both are made where they are not there yet.

    *name* is for people; the certificate is for the names and IP addresses that the unit is *reached by* now.
    FirmwareError: that can't be done, and why.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone_in(folder):
            if not (certificate.is_file() and key.is_file()):
                chain, secret = _make(name, tuple(reached_by))
                # The key first: whoever stops half-way leaves no certificate without one.
                _write(key, secret, 0o600)
                _write(certificate, chain, 0o644)
    except OSError as error:
        raise FirmwareError(f"{error.filename or folder}: {error.strerror}") from None
    return certificate, key


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep others from making a certificate there: two at once could leave the one's key with the other's."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(name: str, reached_by: tuple[str, ...]) -> tuple[bytes, bytes]:
    """Give certificate and key in PEM form."""
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
