"""What TLS needs of this unit: its certificate and key, whom it trusts, and what it insists on.

Rule 1: TLS 1.2 and 1.3, forward secrecy, authenticated encryption, nothing else (RFC 9325 3.1.1, 4.2).
Rule 2: the certificate and the key are read at the start, so that a wrong file is told then; the certificates of
others are read when the first connection needs them: the system has more than a hundred.
Rule 3: files that were renewed are read for the next connection; those that are up stay as they are.  As long as the
new ones are of no use, or only half of them are there, the old ones hold.
"""

from __future__ import annotations

import enum
import logging
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firmware.errors import FirmwareError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger(__name__)

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; all suites of 1.3 are good."""
MAX_AUTHORITIES: Final = 512
"""Files read from a folder of certificates."""


_Stamp = tuple[tuple[int, int, int] | None, ...]
"""Of each file when it was read: inode, size and time of its last change, ns; None: it was not there."""


class Verify(enum.Enum):
    """Whose certificate must be valid."""

    NOBODY = "off"
    CALLED = "called"
    """That of a far end that we connect to."""
    ALL = "all"
    """Also that of one that connects to us (mutual TLS)."""


@dataclass(frozen=True)
class Tls:
    """The TLS of one unit.  FirmwareError, on the first use of a part: its file is of no use, and why.

    Who makes a connection asks for the part anew: what it is given may be another one than the last time.
    """

    certificate: Path
    """PEM: ours, and what leads from it to the authority."""
    key: Path
    authorities: Path | None = None
    """A PEM file, or a folder of them; None: those of the system."""
    verify: Verify = Verify.CALLED
    _kept: dict[str, tuple[_Stamp, ssl.SSLContext]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def server(self) -> ssl.SSLContext:
        """For connections that others make."""
        # Whoever knocks makes us look at the files: at those that it takes only.
        return self._current("server", self._make_server, self.authorities if self.verify is Verify.ALL else None)

    @property
    def client(self) -> ssl.SSLContext:
        """For connections that we make.  Whose name the certificate has is up to `TlsLayer` (RFC 5922)."""
        return self._current("client", self._make_client, self.authorities)

    def _current(self, part: str, make: Callable[[], ssl.SSLContext], authorities: Path | None) -> ssl.SSLContext:
        """Give what was made of the files as they are now, or of those that were there before if these are no good."""
        stamp = (_stamp(self.certificate), _stamp(self.key), *_stamps(authorities))
        kept = self._kept.get(part)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        try:
            context = make()
        except FirmwareError as error:
            if kept is None:
                raise
            logger.warning("= tls: a renewed file is of no use, what was read before is kept: %s", error)
            context = kept[1]
        else:
            if kept is not None:
                logger.info("= tls: renewed files are used for new connections (%s)", part)
        self._kept[part] = stamp, context
        return context

    def _make_server(self) -> ssl.SSLContext:
        context = self._context(ssl.PROTOCOL_TLS_SERVER)
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        if self.verify is Verify.ALL:
            context.verify_mode = ssl.CERT_REQUIRED
            self._trust(context)
        return context

    def _make_client(self) -> ssl.SSLContext:
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
        for path in _files(self.authorities):
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


def _files(folder: Path) -> list[Path]:
    """Give the files of a folder that are read, in order."""
    return sorted(path for path in folder.iterdir() if path.is_file())[:MAX_AUTHORITIES]


def _stamps(authorities: Path | None) -> _Stamp:
    """Give what is different once one of these files was written anew, replaced, added or removed."""
    if authorities is None:
        return ()
    try:
        inside = _files(authorities) if authorities.is_dir() else []
    except OSError:
        inside = []
    return tuple(map(_stamp, (authorities, *inside)))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Give what is different once a file was written anew or replaced."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
