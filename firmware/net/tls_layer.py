"""One end of a TLS connection, between the bytes of a stream and what they mean.

No socket: what comes is put in, what is to be sent is taken out.  The work of a handshake is done on the event loop,
where it takes about a millisecond; waiting for the far end takes nothing.
"""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
from typing import TYPE_CHECKING, Final

from firmware.errors import FirmwareError
from firmware.net.far_certificate import fits, names

if TYPE_CHECKING:
    from firmware.net.tls import Tls

CHUNK: Final = 64 * 1024
"""Bytes of plain text read at once."""


class TlsError(FirmwareError):
    """This connection can't be secured, or not any more; in words for people."""


class TlsLayer:
    """TLS over any stream: the client's end where there is a *domain* to be verified, or else the server's."""

    def __init__(self, tls: Tls, domain: str | None = None) -> None:
        """Begin.  FirmwareError: a file of ours is of no use."""
        self.established = False
        self.ended = False
        """Whether the far end has said that it will send no more."""
        self.names: tuple[str, ...] = ()
        """Whose certificate the far end has shown and we have verified."""
        self._domain = domain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = tls.server if domain is None else tls.client
        self._verifies = context.verify_mode is not ssl.CERT_NONE
        # RFC 6066 3: literal addresses are not permitted as a server name.
        server_name = domain if domain and not _is_address(domain) else None
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=domain is None, server_hostname=server_name
        )

    def start(self) -> None:
        """Begin the handshake; ``to_send`` then has what goes first, if anything."""
        self._shake_hands()

    def receive(self, data: bytes) -> bytes:
        """Take what came and give what it means.  TlsError: it is over; ``to_send`` may still have a last word."""
        self._incoming.write(data)
        if not self.established:
            self._shake_hands()
            if not self.established:
                return b""
        parts: list[bytes] = []
        try:
            while not self.ended and (part := self._tls.read(CHUNK)):
                parts.append(part)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise TlsError(_words(error)) from None
        return b"".join(parts)

    def send(self, data: bytes) -> None:
        """Put into ``to_send`` what means *data*; only once it is established.  TlsError: it is over."""
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            raise TlsError(_words(error)) from None

    def to_send(self) -> bytes:
        """Give the bytes that are to be sent now, and forget them."""
        return self._outgoing.read()

    def close(self) -> None:
        """Put our last word into ``to_send`` (RFC 8446 6.1)."""
        # The far end's last word is not waited for, and there may never have been a connection.
        with contextlib.suppress(ssl.SSLError, ValueError):
            self._tls.unwrap()

    def describe(self) -> str:
        """Give version and cipher suite for people."""
        suite = self._tls.cipher()
        return f"{self._tls.version()} {suite[0] if suite else ''}"

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            raise TlsError(_words(error)) from None
        if self._verifies:
            self.names = names(self._tls.getpeercert() or {})
            if self._domain and not fits(self._domain, self.names):
                shown = ", ".join(self.names[:5]) or "nobody"
                raise TlsError(f"its certificate is for {shown}, not for {self._domain}")
        self.established = True


_WORDS: Final = {
    "HTTP_REQUEST": "it speaks HTTP, not TLS",
    "WRONG_VERSION_NUMBER": "it does not speak TLS, or only a version before 1.2",
    "UNSUPPORTED_PROTOCOL": "it only knows versions of TLS before 1.2",
    "VERSION_TOO_LOW": "it only knows versions of TLS before 1.2",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it knows no version of TLS that we know (1.2, 1.3)",
    "NO_SHARED_CIPHER": "there is no cipher suite that both know",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it refuses: no common cipher suite, or it wants another certificate of us",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": 'it shows no certificate, and tls.verify = "all" wants one',
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust our certificate (unknown authority)",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it says that our certificate has expired",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a certificate of us",
}


_VERDICTS: Final = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself",
    **dict.fromkeys((19, 20, 21), "this unit does not trust who signed it"),
}
"""What is wrong with a certificate, by OpenSSL's number (x509_vfy.h)."""


def _words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        verdict = _VERDICTS.get(error.verify_code) or error.verify_message
        return f"its certificate is not accepted: {verdict}"
    reason = error.reason or ""
    return _WORDS.get(reason) or f"TLS failed: {reason.replace('_', ' ').lower() or error}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
