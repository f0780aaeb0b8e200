"""How one packet is encrypted and signed: the cryptographic transforms of SRTP (RFC 3711 4, RFC 6188, RFC 7714).

Rule 1: which packet of a source it is, its *index*, is the caller's affair (srtp.py); no index is used twice with one
key, unless for the very same packet.
Rule 2: nothing is decrypted whose tag is wrong, and RTCP that is signed only is not taken: nobody agreed to that.
Rule 3: a transform belongs to one direction, and one thread at a time uses it.
"""

from __future__ import annotations

from _operator import _compare_digest as compare_digest  # hmac's own, without the 4 MB of OpenSSL that hmac loads
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from firmware.call.media import Suite

if TYPE_CHECKING:
    from firmware.call.media import Crypto

RTCP_HEADER: Final = 8
"""Octets of an RTCP packet that are never encrypted (RFC 3711 3.4)."""
INDEX_SIZE: Final = 4
"""Octets of the E flag and the SRTCP index (RFC 3711 3.4)."""
ENCRYPTED: Final = 1 << 31
"""The E flag."""
_BLOCK: Final = 16
_GCM_TAG: Final = 16
"""RFC 7714 13.2: all AEAD suites have tags of 16 octets."""
_SHA1_KEY: Final = 20
"""Octets; RFC 2104 2: B."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a suite needs, in octets."""

    key: int
    salt: int
    tag: int
    """Of an RTP packet."""
    control_tag: int

    @property
    def authenticates_alone(self) -> bool:
        """Whether the tag is a part of the cipher's own (AEAD)."""
        return self.salt == 12


SIZES: Final = {
    Suite.AES_CM_128_HMAC_SHA1_80: Sizes(16, 14, 10, 10),
    Suite.AES_CM_128_HMAC_SHA1_32: Sizes(16, 14, 4, 10),  # RFC 4568 6.2.2: only of RTP is the tag short
    Suite.AES_256_CM_HMAC_SHA1_80: Sizes(32, 14, 10, 10),
    Suite.AES_256_CM_HMAC_SHA1_32: Sizes(32, 14, 4, 10),
    Suite.AEAD_AES_128_GCM: Sizes(16, 12, _GCM_TAG, _GCM_TAG),
    Suite.AEAD_AES_256_GCM: Sizes(32, 12, _GCM_TAG, _GCM_TAG),
}
"""RFC 4568 6.2, RFC 6188 4, RFC 7714 12: the suites of SRTP."""


class Transform(Protocol):
    """One direction's way with packets; *start* is where the payload begins, *index* which packet of its source it is.

    What `protect` and `protect_control` give has the tag, and RTCP its index, but no key identifier.
    """

    def protect(self, packet: bytes, start: int, ssrc: int, index: int) -> bytes:
        """Encrypt and sign an RTP packet; *index* has 48 bits."""

    def unprotect(self, packet: bytes, start: int, ssrc: int, index: int) -> bytes | None:
        """Give the RTP packet; None: it is not what was sent under this index."""

    def protect_control(self, packet: bytes, ssrc: int, index: int) -> bytes:
        """Encrypt and sign a compound RTCP packet; *index* has 31 bits."""

    def unprotect_control(self, packet: bytes, ssrc: int) -> bytes | None:
        """Give the RTCP packet; None: it is not what was sent, or not encrypted."""

    def control_index(self, packet: bytes) -> int:
        """Give the E flag and the index that a received RTCP packet, long enough, carries."""


def transform(crypto: Crypto) -> Transform:
    """Give the transform of a key.  ValueError: the suite is none of SRTP, or key or salt have another length."""
    sizes = SIZES.get(crypto.suite)
    if sizes is None:
        raise ValueError(f"{crypto.suite.value} is none of SRTP's")
    if (len(crypto.key), len(crypto.salt)) != (sizes.key, sizes.salt):
        raise ValueError(f"{crypto.suite.value} has a key of {sizes.key} octets and a salt of {sizes.salt}")
    return _Gcm(crypto, sizes) if sizes.authenticates_alone else _CounterMode(crypto, sizes)


def derive(key: bytes, salt: bytes, label: int, size: int) -> bytes:
    """Give a session key (RFC 3711 4.3.1, with a key derivation rate of 0; RFC 6188 3 with 256 bits).

    A salt of 12 octets is filled up with two of 0 (RFC 7714 11).
    """
    # It costs a process 25 ms and 8 MB, and most have no call to encrypt at the start.
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CTR

    vector = int.from_bytes(salt.ljust(14, b"\0"), "big") ^ label << 48
    return Cipher(AES(key), CTR((vector << 16).to_bytes(_BLOCK, "big"))).encryptor().update(bytes(size))


class _CounterMode:
    """AES in counter mode and HMAC-SHA1 (RFC 3711 4.1.1, 4.2.1)."""

    def __init__(self, crypto: Crypto, sizes: Sizes) -> None:
        self._sizes = sizes
        self._rtp = _CounterKeys(crypto, sizes, 0)
        self._rtcp = _CounterKeys(crypto, sizes, 3)

    def protect(self, packet: bytes, start: int, ssrc: int, index: int) -> bytes:
        """See Transform."""
        encrypted = packet[:start] + self._rtp.apply(packet[start:], ssrc, index)
        # RFC 3711 4.2: the rollover counter is signed, but not sent.
        return encrypted + self._rtp.sign(encrypted, (index >> 16).to_bytes(4, "big"))[: self._sizes.tag]

    def unprotect(self, packet: bytes, start: int, ssrc: int, index: int) -> bytes | None:
        """See Transform."""
        size = self._sizes.tag
        encrypted, tag = packet[:-size], packet[-size:]
        if not compare_digest(self._rtp.sign(encrypted, (index >> 16).to_bytes(4, "big"))[:size], tag):
            return None
        return encrypted[:start] + self._rtp.apply(encrypted[start:], ssrc, index)

    def protect_control(self, packet: bytes, ssrc: int, index: int) -> bytes:
        """See Transform."""
        payload = self._rtcp.apply(packet[RTCP_HEADER:], ssrc, index)
        signed = packet[:RTCP_HEADER] + payload + (ENCRYPTED | index).to_bytes(INDEX_SIZE, "big")
        return signed + self._rtcp.sign(signed)[: self._sizes.control_tag]

    def unprotect_control(self, packet: bytes, ssrc: int) -> bytes | None:
        """See Transform."""
        size = self._sizes.control_tag
        signed, tag = packet[:-size], packet[-size:]
        if not compare_digest(self._rtcp.sign(signed)[:size], tag):
            return None
        index = self.control_index(packet)
        if not index & ENCRYPTED:
            return None
        return signed[:RTCP_HEADER] + self._rtcp.apply(signed[RTCP_HEADER:-INDEX_SIZE], ssrc, index & ~ENCRYPTED)

    def control_index(self, packet: bytes) -> int:
        """See Transform."""
        end = len(packet) - self._sizes.control_tag
        return int.from_bytes(packet[end - INDEX_SIZE : end], "big")


class _CounterKeys:
    """The session keys of RTP, or of RTCP."""

    def __init__(self, crypto: Crypto, sizes: Sizes, label: int) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.ciphers.modes import CTR
        from cryptography.hazmat.primitives.hashes import SHA1
        from cryptography.hazmat.primitives.hmac import HMAC

        def key(offset: int, size: int) -> bytes:
            return derive(crypto.key, crypto.salt, label + offset, size)

        self._salt = int.from_bytes(key(2, sizes.salt), "big") << 16
        # One context, given a new counter for each packet: to make one for each takes three times as long.
        self._stream = Cipher(AES(key(0, sizes.key)), CTR(bytes(_BLOCK))).encryptor()
        self._hmac = HMAC(key(1, _SHA1_KEY), SHA1())

    def apply(self, data: bytes, ssrc: int, index: int) -> bytes:
        """Encrypt or decrypt."""
        # RFC 3711 4.1.1: IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16)
        vector = self._salt ^ ssrc << 64 ^ index << 16
        self._stream.reset_nonce(vector.to_bytes(_BLOCK, "big"))
        return self._stream.update(data)

    def sign(self, *parts: bytes) -> bytes:
        hmac = self._hmac.copy()
        for part in parts:
            hmac.update(part)
        return hmac.finalize()


class _Gcm:
    """AES in Galois/counter mode (RFC 7714)."""

    def __init__(self, crypto: Crypto, sizes: Sizes) -> None:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        def key(label: int, size: int) -> bytes:
            return derive(crypto.key, crypto.salt, label, size)

        self._invalid = InvalidTag
        self._rtp, self._rtcp = AESGCM(key(0, sizes.key)), AESGCM(key(3, sizes.key))
        self._salt = int.from_bytes(key(2, sizes.salt), "big")
        self._control_salt = int.from_bytes(key(5, sizes.salt), "big")

    def protect(self, packet: bytes, start: int, ssrc: int, index: int) -> bytes:
        """See Transform."""
        header = packet[:start]
        return header + self._rtp.encrypt(self._vector(self._salt, ssrc, index), packet[start:], header)

    def unprotect(self, packet: bytes, start: int, ssrc: int, index: int) -> bytes | None:
        """See Transform."""
        header = packet[:start]
        try:
            return header + self._rtp.decrypt(self._vector(self._salt, ssrc, index), packet[start:], header)
        except self._invalid:
            return None

    def protect_control(self, packet: bytes, ssrc: int, index: int) -> bytes:
        """See Transform."""
        # RFC 7714 9.2: the index stands behind the tag, and is signed with the header.
        header, said = packet[:RTCP_HEADER], (ENCRYPTED | index).to_bytes(INDEX_SIZE, "big")
        vector = self._vector(self._control_salt, ssrc, index)
        return header + self._rtcp.encrypt(vector, packet[RTCP_HEADER:], header + said) + said

    def unprotect_control(self, packet: bytes, ssrc: int) -> bytes | None:
        """See Transform."""
        index = self.control_index(packet)
        if not index & ENCRYPTED:
            return None
        vector = self._vector(self._control_salt, ssrc, index & ~ENCRYPTED)
        header, said = packet[:RTCP_HEADER], packet[-INDEX_SIZE:]
        try:
            return header + self._rtcp.decrypt(vector, packet[RTCP_HEADER:-INDEX_SIZE], header + said)
        except self._invalid:
            return None

    def control_index(self, packet: bytes) -> int:
        """See Transform."""
        return int.from_bytes(packet[-INDEX_SIZE:], "big")

    @staticmethod
    def _vector(salt: int, ssrc: int, index: int) -> bytes:
        # RFC 7714 8.1, 9.1: two octets of 0, SSRC, six octets of the index; XOR the salt.
        return (salt ^ ssrc << 48 ^ index).to_bytes(12, "big")
