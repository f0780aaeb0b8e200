"""DTLS-SRTP: two ends agree on keys where their packets go, and prove who they are (RFC 5763, RFC 5764).

Rule 1: the far end is who signalling said, by the fingerprint of its certificate, or there are no keys at all
(RFC 8122 6.2).  Nothing else of a certificate counts.
Rule 2: what is lost is sent again by OpenSSL's timers; what has not come to an end in `PATIENCE` seconds never does.
Rule 3: after the end an association only answers what the far end repeats; no data goes by it.
Rule 4: whatever comes, nothing raises.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from firmware.call.media import Crypto, Handshake, Suite
from firmware.rtp.srtp_transform import SIZES

if TYPE_CHECKING:
    from types import ModuleType

    from OpenSSL import SSL
    from OpenSSL.crypto import X509

PATIENCE: Final = 30.0
"""Seconds from the first moment until a handshake counts as failed; the far end may begin it late."""
MTU: Final = 1_200
"""Octets of a datagram of ours: what fits everywhere."""
MAX_WAITING: Final = 65_536
"""Octets of records that OpenSSL may want to send at once."""
RECORD_HEADER: Final = 13
"""RFC 6347 4.1: type, version, epoch, sequence number, length."""

_DTLS_1_2: Final = 0xFEFD
"""RFC 6347 4.1; 1.0 is not to be had any more (RFC 8996)."""
PROFILES: Final = {
    b"SRTP_AEAD_AES_256_GCM": Suite.AEAD_AES_256_GCM,
    b"SRTP_AEAD_AES_128_GCM": Suite.AEAD_AES_128_GCM,
    b"SRTP_AES128_CM_SHA1_80": Suite.AES_CM_128_HMAC_SHA1_80,
    b"SRTP_AES128_CM_SHA1_32": Suite.AES_CM_128_HMAC_SHA1_32,
}
"""RFC 5764 4.1.2, RFC 7714 14.2, by OpenSSL's names; the preferred one first."""
STRANGER: Final = "the far end's certificate is not the one that it announced"
"""Why there are no keys with one whom signalling does not know."""
_LABEL: Final = b"EXTRACTOR-dtls_srtp"
"""RFC 5764 4.2."""
HASHES: Final = ("sha-512", "sha-384", "sha-256", "sha-224", "sha-1")
"""RFC 8122 5: the functions of fingerprints, the strongest first; MD5 and MD2 must not be used."""


class Keys(NamedTuple):
    """What came of a handshake."""

    send: Crypto
    receive: Crypto


def is_dtls(data: bytes) -> bool:
    """Tell DTLS from RTP, RTCP and STUN on the same port (RFC 7983 7)."""
    return bool(data) and 20 <= data[0] <= 63


def prepare() -> None:
    """Import OpenSSL, which only calls that need it pay for: packets would wait for what takes a Pi half a second."""
    with _hashes_of_python():
        import OpenSSL.SSL  # noqa: F401


class Association:
    """One handshake on one socket, and what came of it.

    *send* sends a datagram to the far end.  ValueError: our certificate makes no sense.
    """

    def __init__(self, handshake: Handshake, send: Callable[[bytes], None], now: float) -> None:
        from OpenSSL import SSL

        self.handshake: Final = handshake
        self.keys: Keys | None = None
        self.failure = ""
        """Why there are none, and never will be; "": they may come."""
        self._send = send
        self._errors: Final = SSL.Error
        self._wants_more: Final = SSL.WantReadError
        self._connection: SSL.Connection = _connection(handshake)
        self._until = now + PATIENCE
        self._due = now
        self._advance(now)

    def receive(self, data: bytes, now: float) -> None:
        """Take a datagram for which `is_dtls` is true."""
        if self.failure:
            return
        try:
            self._connection.bio_write(data)
        except self._errors:
            return
        self._advance(now)

    def timer(self) -> float:
        """When handle_timer is wanted; infinity: never."""
        return self._due

    def handle_timer(self, now: float) -> None:
        """Send again what got no answer."""
        if now < self._due:
            return
        if now >= self._until and self.keys is None:
            self._fail("the far end does not agree on keys")
            return
        try:
            self._connection.DTLSv1_handle_timeout()
        except self._errors:
            self._fail("the far end does not agree on keys")
            return
        self._flush()
        self._wait(now)

    def _advance(self, now: float) -> None:
        try:
            if self.keys is None:
                self._connection.do_handshake()
                self._finish()
            else:
                self._connection.recv(MTU)  # nothing is said there, but what was lost of the handshake is answered
        except self._wants_more:
            pass
        except self._errors as error:
            if self.keys is None:
                self._flush()  # the alert that says why
                self._fail(f"the handshake failed: {_words(error)}")
                return
        self._flush()
        self._wait(now)

    def _finish(self) -> None:
        certificate = self._connection.get_peer_certificate()
        if certificate is None or not _is_expected(_der(certificate), self.handshake.fingerprints):
            self._fail(STRANGER)
            return
        suite = PROFILES.get(self._connection.get_selected_srtp_profile())
        if suite is None:
            self._fail("the two ends have no way to encrypt in common")
            return
        sizes = SIZES[suite]
        material = self._connection.export_keying_material(_LABEL, 2 * (sizes.key + sizes.salt))
        # RFC 5764 4.2: the client's key, the server's, the client's salt, the server's.
        client, server = material[: sizes.key], material[sizes.key : 2 * sizes.key]
        salts = material[2 * sizes.key :]
        ends = Crypto(suite, client, salt=salts[: sizes.salt]), Crypto(suite, server, salt=salts[sizes.salt :])
        self.keys = Keys(*(ends if self.handshake.begins else reversed(ends)))

    def _fail(self, why: str) -> None:
        self.failure = why
        self._due = float("inf")

    def _wait(self, now: float) -> None:
        if self.failure:
            return
        timeout = self._connection.DTLSv1_get_timeout()
        again = now + timeout if timeout is not None else float("inf")
        self._due = again if self.keys is not None else min(again, self._until)

    def _flush(self) -> None:
        """Send what OpenSSL has written: as many records in a datagram as fit (RFC 6347 4.1.1)."""
        try:
            written = self._connection.bio_read(MAX_WAITING)
        except self._wants_more:
            return
        datagram = b""
        for record in _records(written):
            if datagram and len(datagram) + len(record) > MTU:
                self._send(datagram)
                datagram = b""
            datagram += record
        if datagram:
            self._send(datagram)


@contextlib.contextmanager
def _hashes_of_python() -> Iterator[None]:
    """Let what is imported have Python's own hashes: for the same ones, hashlib would bring a second OpenSSL, 3 MB."""
    if "hashlib" in sys.modules:
        yield
        return
    sys.modules["_hashlib"] = cast("ModuleType", None)  # import system, 5.3.1: it can't be found
    try:
        yield
    finally:
        del sys.modules["_hashlib"]


def _connection(handshake: Handshake) -> SSL.Connection:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key
    from cryptography.x509 import load_der_x509_certificate
    from OpenSSL import SSL

    key = load_der_private_key(handshake.private_key, None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("the key of a unit's certificate is of an elliptic curve")
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION)
    context.use_certificate(load_der_x509_certificate(handshake.certificate))
    context.use_privatekey(key)
    # RFC 5763 5: each end shows a certificate; whose it is, is looked at when the handshake is done.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.set_tlsext_use_srtp(b":".join(PROFILES))
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    connection = SSL.Connection(context)
    connection.set_ciphertext_mtu(MTU)
    if handshake.begins:
        connection.set_connect_state()
    else:
        connection.set_accept_state()
    return connection


def _is_expected(certificate: bytes, fingerprints: tuple[tuple[str, bytes], ...]) -> bool:
    """Whether a certificate, DER, has one of these fingerprints by the strongest hash among them (RFC 8122 5)."""
    import hashlib

    for name in HASHES:
        values = [value for hashed, value in fingerprints if hashed == name]
        if values:
            return hashlib.new(name.replace("-", ""), certificate).digest() in values
    return False


def _der(certificate: X509) -> bytes:
    # By OpenSSL, which took it already; another reader may find something wrong in it, which does not count.
    from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate

    return dump_certificate(FILETYPE_ASN1, certificate)


def _records(written: bytes) -> Iterator[bytes]:
    while written:
        end = RECORD_HEADER + int.from_bytes(written[RECORD_HEADER - 2 : RECORD_HEADER], "big")
        yield written[:end]
        written = written[end:]


def _words(error: Exception) -> str:
    """Give what OpenSSL says of an error: the last of its reasons."""
    reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return str(reasons[-1][-1]) if reasons and reasons[-1] else type(error).__name__
