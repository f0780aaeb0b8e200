"""Encrypted RTP payloads (H.235.6 clause 9): AES in CBC mode, each packet by itself.

Rule 1: only the payload is encrypted; the header, and RTCP, are not.  Nothing proves who sent a packet: H.235.6 keeps
secrets, it does not detect changes.
Rule 2: an encrypted stream has a payload type of its own, which stands for its key too.  What comes under another
payload type is not of the stream.
Rule 3: whatever comes, `decrypt` gives a packet or None and never raises.  A wrong key gives noise, not an error;
`firmware.rtp.plausible` tells that from sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.rtp.packet import HEADER_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers import AEADDecryptionContext, AEADEncryptionContext, CipherContext

    Context = CipherContext | AEADEncryptionContext | AEADDecryptionContext

BLOCK: Final = 16
"""Octets in a block of AES (FIPS 197)."""
KEY_SIZES: Final = frozenset({16, 24, 32})
"""Octets."""
_PADDED: Final = 0x20
_EXTENDED: Final = 0x10
_MARKER: Final = 0x80


class PayloadCipher:
    """One key and the payload type that stands for it; for either direction, and any thread.

    *wire_type* is the payload type of the encrypted packets, *media_type* that of the same packets in the clear.
    ValueError: the key has a length that AES doesn't know, or a payload type is none.
    """

    def __init__(self, key: bytes, wire_type: int, media_type: int) -> None:
        if len(key) not in KEY_SIZES:
            raise ValueError(f"AES has no keys of {len(key)} octets")
        if not 0 <= wire_type <= 0x7F or not 0 <= media_type <= 0x7F:
            raise ValueError(f"RTP payload types are 0 to 127, not {wire_type} or {media_type}")
        # It costs a process 25 ms and 8 MB, and most have no call to encrypt at the start.
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

        self.wire_type: Final = wire_type
        self.media_type: Final = media_type
        algorithm = AES(key)
        self._encryptor: Callable[[bytes], Context] = lambda vector: Cipher(algorithm, CBC(vector)).encryptor()
        self._decryptor: Callable[[bytes], Context] = lambda vector: Cipher(algorithm, CBC(vector)).decryptor()
        self._block: Callable[[], Context] = lambda: Cipher(algorithm, ECB()).decryptor()

    def encrypt(self, packet: bytes) -> bytes:
        """Give a packet of ours, which has neither padding nor extension, encrypted."""
        start = HEADER_SIZE + 4 * (packet[0] & 0x0F)
        payload, first = packet[start:], packet[0]
        missing = -len(payload) % BLOCK
        if missing:
            # H.235.6 9.3.1: filled up with RTP's own padding, whose last octet counts it (RFC 3550 5.1).
            payload, first = payload + bytes([missing]) * missing, first | _PADDED
        encrypted = self._encryptor(_vector(packet)).update(payload)
        return bytes((first, packet[1] & _MARKER | self.wire_type)) + packet[2:start] + encrypted

    def decrypt(self, packet: bytes) -> bytes | None:
        """Give a received packet in the clear, without padding; None: it is not of this stream, or not encrypted so."""
        if len(packet) < HEADER_SIZE or packet[0] >> 6 != 2 or packet[1] & 0x7F != self.wire_type:
            return None
        start = _payload_start(packet)
        if start > len(packet):
            return None
        payload = packet[start:]
        padded = bool(packet[0] & _PADDED)
        if len(payload) % BLOCK == 0:
            clear = self._decryptor(_vector(packet)).update(payload)
            if padded:
                count = clear[-1] if clear else 0
                if not 0 < count <= len(clear):
                    return None
                clear = clear[:-count]
        elif padded or len(payload) < BLOCK:
            return None
        else:
            clear = self._decrypt_stolen(_vector(packet), payload)
        header = bytes((packet[0] & ~_PADDED, packet[1] & _MARKER | self.media_type)) + packet[2:start]
        return header + clear

    def _decrypt_stolen(self, vector: bytes, payload: bytes) -> bytes:
        """Decrypt what is no multiple of blocks and has no padding (H.235.6 9.3.2: ciphertext stealing).

        The last block, cut short, stands for the one before: what it lacks is encrypted in the last but one.
        """
        rest = len(payload) % BLOCK
        begin = len(payload) - rest - BLOCK
        last_but_one, last = payload[begin : begin + BLOCK], payload[begin + BLOCK :]
        mixed = self._block().update(last_but_one)
        end = bytes(a ^ b for a, b in zip(mixed, last, strict=False))
        return self._decryptor(vector).update(payload[:begin] + last + mixed[rest:]) + end


def _vector(packet: bytes) -> bytes:
    """Give the initialization vector: sequence number and timestamp, over and over (H.235.6 9.3)."""
    return (packet[2:8] * 3)[:BLOCK]


def _payload_start(packet: bytes) -> int:
    start = HEADER_SIZE + 4 * (packet[0] & 0x0F)
    if packet[0] & _EXTENDED:  # RFC 3550 5.3.1
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    return start
