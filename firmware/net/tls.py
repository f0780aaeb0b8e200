"""What TLS needs of this unit: its certificate and key, whom it trusts, and what it insists on.

Rule 1: TLS 1.2 and 1.3, forward secrecy, authenticated encryption, nothing else (RFC 9325 3.1.1, 4.2).
Rule 2: the certificate and the key are read at the start, so that a wrong file is told then; the certificates of
others are read when the first connection needs them: the system has more than a hundred.
"""

from __future__ import annotations

import enum
import functools
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware.errors import FirmwareError

logger = logging.getLogger(__name__)

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; all suites of 1.3 are good."""
MAX_AUTHORITIES: Final = 512
"""Files read from a folder of certificates."""


class Verify(enum.Enum):
    """Whose certificate must be valid."""

    NOBODY = "off"
    CALLED = "called"
    """That of a far end that we connect to."""
    ALL = "all"
    """Also that of one that connects to us (mutual TLS)."""


@dataclass(frozen=True)
class Tls:
    """The TLS of one unit.  FirmwareError, on the first use of a part: its file is of no use, and why."""

    certificate: Path
    """PEM: ours, and what leads from it to the authority."""
    key: Path
    authorities: Path | None = None
    """A PEM file, or a folder of them; None: those of the system."""
    verify: Verify = Verify.CALLED

    @functools.cached_property
    def server(self) -> ssl.SSLContext:
        """For connections that others make."""
        context = self._context(ssl.PROTOCOL_TLS_SERVER)
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        if self.verify is Verify.ALL:
            context.verify_mode = ssl.CERT_REQUIRED
            self._trust(context)
        return context

    @functools.cached_property
    def client(self) -> ssl.SSLContext:
        """For connections that we make.  Whose name the certificate has is up to `TlsLayer` (RFC 5922)."""
        context = self._context(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        if self.verify is Verify.NOBODY:
            context.verify_mode = ssl.CERT_NONE
        else:
            self._trust(context)
        return context

    def _context(self, protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        try:
            # An empty password: a key that has one would make OpenSSL ask at the terminal.
            context.load_cert_chain(self.certificate, self.key, lambda: "")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise FirmwareError(f"{self.key}: this key belongs to another certificate") from None
            words = "not a certificate and its key in PEM form, the key without a password"
            raise FirmwareError(f"{self.certificate}, {self.key}: {words}") from None
        except OSError as error:
            missing = self.key if self.certificate.exists() else self.certificate
            raise FirmwareError(f"{missing}: {error.strerror}") from None
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        """Take whose certificates are accepted.  FirmwareError: there are none."""
        if self.authorities is None:
            context.load_default_certs()
            return
        if not self.authorities.is_dir():
            _load(context, self.authorities)
            return
        for path in sorted(path for path in self.authorities.iterdir() if path.is_file())[:MAX_AUTHORITIES]:
            try:
                _load(context, path)
            except FirmwareError as error:
                logger.warning("= tls: %s", error)
        if not context.cert_store_stats()["x509"]:
            raise FirmwareError(f"{self.authorities}: there is no certificate in this folder")


def _load(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise FirmwareError(f"{path}: there is no certificate in PEM form in it, or it is damaged") from None
    except OSError as error:
        raise FirmwareError(f"{path}: {error.strerror}") from None
