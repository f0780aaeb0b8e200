"""The network edge of a stream: packets are encrypted as they leave and decrypted as they come.

Rule 1: a stream whose channel is encrypted sends nothing in the clear and hears nothing that is.  With SRTP that holds
for RTCP too, and in both directions, whatever flows there; H.235.6 leaves RTCP alone.
Rule 2: after a change of keys the one before is good for as long as packets may be under way.
Rule 3: the same key goes on as it was, however often the same is agreed again: SRTP counts rollovers by it.
Rule 4: whatever comes, nothing raises.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol

from firmware.rtp.h235 import PayloadCipher
from firmware.rtp.srtp import Receiver, Sender
from firmware.rtp.srtp_transform import SIZES

if TYPE_CHECKING:
    from firmware.call.media import Channel, Crypto, Format

OVERLAP: Final = 3.0
"""Seconds for which the key before is still good."""


class Sending(Protocol):
    """What encrypts."""

    def protect(self, packet: bytes) -> bytes:
        """Give what to send for an RTP packet."""

    def protect_control(self, packet: bytes) -> bytes:
        """Give what to send for an RTCP packet."""


class Receiving(Protocol):
    """What decrypts."""

    def unprotect(self, packet: bytes) -> bytes | None:
        """Give the RTP packet of what came; None: it is not to be heard."""

    def unprotect_control(self, packet: bytes) -> bytes | None:
        """Give the RTCP packet of what came; None: it is not to be heard."""


class Protection:
    """What one stream is encrypted with; `protect` may be called by any thread, all else by the network's."""

    def __init__(self) -> None:
        self._sending: Sending | None = None
        self._receiving: Receiving | None = None
        self._before: Receiving | None = None
        """With the key before."""
        self._until = 0.0
        """How long it is good."""
        self._keys: tuple[_Key | None, _Key | None] = (None, None)
        self._lock = threading.Lock()
        self.refused = 0
        """Packets that were not of the stream, or not encrypted as they should be, or came twice."""

    @property
    def authenticates(self) -> bool:
        """Whether what is heard proves that its sender has the key."""
        return isinstance(self._receiving, Receiver)

    def use(self, send: Channel | None, receive: Channel | None, now: float) -> None:
        """Encrypt and decrypt as these channels say.  ValueError: they say what makes no sense."""
        keys = _key(send, receive), _key(receive, send)
        sending, receiving = self._sending, self._receiving
        if keys[0] != self._keys[0]:
            sending = keys[0] and _sending(*keys[0])
        if keys[1] != self._keys[1]:
            receiving = keys[1] and _receiving(*keys[1])
            replaced = isinstance(self._receiving, PayloadEdge) and self._receiving.is_replaced_by(receiving)
            self._before = None if receiving is None or replaced else self._receiving
            self._until = now + OVERLAP
        with self._lock:
            self._sending, self._receiving, self._keys = sending, receiving, keys

    def protect(self, packet: bytes) -> bytes:
        """Give what to send for an RTP packet."""
        with self._lock:
            return packet if self._sending is None else self._sending.protect(packet)

    def protect_control(self, packet: bytes) -> bytes:
        """Give what to send for an RTCP packet."""
        with self._lock:
            return packet if self._sending is None else self._sending.protect_control(packet)

    def unprotect(self, packet: bytes, now: float) -> bytes | None:
        """Give the RTP packet of what came; None: it is not to be heard."""
        if self._receiving is None:
            return packet
        clear = self._receiving.unprotect(packet)
        if clear is None and self._before is not None and now < self._until:
            clear = self._before.unprotect(packet)
        self.refused += clear is None
        return clear

    def unprotect_control(self, packet: bytes, now: float) -> bytes | None:
        """Give the RTCP packet of what came; None: it is not to be heard."""
        if self._receiving is None:
            return packet
        clear = self._receiving.unprotect_control(packet)
        if clear is None and self._before is not None and now < self._until:
            clear = self._before.unprotect_control(packet)
        self.refused += clear is None
        return clear


class PayloadEdge:
    """H.235.6 in both directions: payloads only."""

    def __init__(self, cipher: PayloadCipher) -> None:
        self._cipher = cipher

    def is_replaced_by(self, other: object) -> bool:
        """Whether nothing tells the packets of another key from ours."""
        return isinstance(other, PayloadEdge) and other._cipher.wire_type == self._cipher.wire_type  # noqa: SLF001

    def protect(self, packet: bytes) -> bytes:
        """See Sending."""
        return self._cipher.encrypt(packet)

    def unprotect(self, packet: bytes) -> bytes | None:
        """See Receiving."""
        return self._cipher.decrypt(packet)

    def protect_control(self, packet: bytes) -> bytes:
        """See Sending."""
        return packet

    def unprotect_control(self, packet: bytes) -> bytes | None:
        """See Receiving."""
        return packet


_Key = tuple["Crypto", "Format | None"]
"""A key, and the format that it is for where that makes a difference."""


def _key(channel: Channel | None, other: Channel | None) -> _Key | None:
    """Give the key of a direction: of its channel, or what the other direction's says of it."""
    if channel is None:
        crypto = other.return_crypto if other is not None else None
        return (crypto, None) if crypto is not None else None
    if channel.crypto is None:
        return None
    return channel.crypto, None if channel.crypto.suite in SIZES else channel.format


def _sending(crypto: Crypto, form: Format | None) -> Sending:
    return Sender(crypto) if form is None else _payload_edge(crypto, form)


def _receiving(crypto: Crypto, form: Format | None) -> Receiving:
    return Receiver(crypto) if form is None else _payload_edge(crypto, form)


def _payload_edge(crypto: Crypto, form: Format) -> PayloadEdge:
    wire_type = form.payload_type if crypto.payload_type is None else crypto.payload_type
    return PayloadEdge(PayloadCipher(crypto.key, wire_type, form.payload_type))
