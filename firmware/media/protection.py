"""The network edge of a stream: packets are encrypted as they leave and decrypted as they come.

Rule 1: a stream whose channel is encrypted sends nothing in the clear and hears nothing that is; one whose keys are not
agreed yet sends and hears nothing.  With SRTP that holds for RTCP too, and in both directions, whatever flows there;
H.235.6 leaves RTCP alone.
Rule 2: after a change of keys the one before is good for as long as packets may be under way.
Rule 3: the same key goes on as it was, however often the same is agreed again: SRTP counts rollovers by it.
Rule 4: whatever comes, nothing raises.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware.rtp.h235 import PayloadCipher
from firmware.rtp.srtp import Receiver, Sender
from firmware.rtp.srtp_transform import SIZES

if TYPE_CHECKING:
    from firmware.call.media import Channel, Crypto, Format

OVERLAP: Final = 3.0
"""Seconds for which the key before is still good."""

Encrypt = Callable[[bytes], bytes]
Decrypt = Callable[[bytes], bytes | None]
_Key = tuple["Crypto", "Format | None"]
"""A key, and the format that it is for where that makes a difference."""


class Protection:
    """What one stream is encrypted with; `protect` may be called by any thread, all else by the network's."""

    def __init__(self) -> None:
        self._rtp, self._control = _Outgoing(_encrypt), _Outgoing(_encrypt_control)
        self._from_rtp, self._from_control = _Incoming(_decrypt), _Incoming(_decrypt_control)
        self._waits = False
        """For keys."""
        self._lock = threading.Lock()
        self.authenticates = False
        """Whether what is heard proves that its sender has the key."""
        self.refused = 0
        """Packets that were not of the stream, or not encrypted as they should be, or came twice."""

    def use(self, send: Channel | None, receive: Channel | None, now: float) -> None:
        """Encrypt and decrypt as these channels say.  ValueError: they say what makes no sense."""
        outgoing, incoming = _keys(send, receive), _keys(receive, send)
        made = self._rtp.make(outgoing[0]), self._control.make(outgoing[1])
        self._from_rtp.use(incoming[0], now)
        self._from_control.use(incoming[1], now)
        with self._lock:
            self._rtp.use(outgoing[0], made[0])
            self._control.use(outgoing[1], made[1])
            self._waits = any(c is not None and c.handshake is not None and c.crypto is None for c in (send, receive))
            self.authenticates = incoming[1] is not None

    def protect(self, packet: bytes) -> bytes | None:
        """Give what to send for an RTP packet; None: nothing, there is no key yet."""
        with self._lock:
            return None if self._waits else self._rtp.encrypt(packet)

    def protect_control(self, packet: bytes) -> bytes | None:
        """Give what to send for an RTCP packet; None: nothing, there is no key yet."""
        with self._lock:
            return None if self._waits else self._control.encrypt(packet)

    def unprotect(self, packet: bytes, now: float) -> bytes | None:
        """Give the RTP packet of what came; None: it is not to be heard."""
        clear = None if self._waits else self._from_rtp.decrypt(packet, now)
        self.refused += clear is None and not self._waits
        return clear

    def unprotect_control(self, packet: bytes, now: float) -> bytes | None:
        """Give the RTCP packet of what came; None: it is not to be heard."""
        clear = None if self._waits else self._from_control.decrypt(packet, now)
        self.refused += clear is None and not self._waits
        return clear


class _Outgoing:
    """What goes one way, with the key of now."""

    def __init__(self, make: Callable[[_Key], Encrypt]) -> None:
        self.encrypt: Encrypt = _as_it_is
        self._make = make
        self._key: _Key | None = None

    def make(self, key: _Key | None) -> Encrypt:
        """Give what encrypts with a key: what does so now, if it is the same."""
        if key == self._key:
            return self.encrypt
        return self._make(key) if key is not None else _as_it_is

    def use(self, key: _Key | None, encrypt: Encrypt) -> None:
        self._key, self.encrypt = key, encrypt


class _Incoming:
    """What comes one way, with the key of now, and for a while the one before."""

    def __init__(self, make: Callable[[_Key], Decrypt]) -> None:
        self._decrypt: Decrypt = _as_it_is
        self._before: Decrypt | None = None
        self._until = 0.0
        self._make = make
        self._key: _Key | None = None

    def use(self, key: _Key | None, now: float) -> None:
        if key == self._key:
            return
        decrypt = self._make(key) if key is not None else _as_it_is
        tell_apart = key is not None and self._key is not None and not _look_alike(key, self._key)
        self._before, self._until = self._decrypt if tell_apart else None, now + OVERLAP
        self._key, self._decrypt = key, decrypt

    def decrypt(self, packet: bytes, now: float) -> bytes | None:
        clear = self._decrypt(packet)
        if clear is None and self._before is not None and now < self._until:
            clear = self._before(packet)
        return clear


def _keys(channel: Channel | None, other: Channel | None) -> tuple[_Key | None, _Key | None]:
    """Give the keys of a direction, of RTP and RTCP: of its channel, or what the other direction's says of it."""
    crypto = None
    if channel is not None:
        crypto = channel.crypto
    elif other is not None:
        crypto = other.return_crypto
    if crypto is None:
        return None, None
    if crypto.suite not in SIZES:
        return (crypto, channel.format) if channel is not None else None, None
    return (replace(crypto, control=None), None), (crypto.control or crypto, None)


def _look_alike(key: _Key, other: _Key) -> bool:
    """Whether nothing tells the packets of one key from those of the other: H.235.6 proves nothing."""
    (crypto, form), (other_crypto, other_form) = key, other
    if form is None or other_form is None:
        return False
    return _wire_type(crypto, form) == _wire_type(other_crypto, other_form)


def _as_it_is(packet: bytes) -> bytes:
    return packet


def _encrypt(key: _Key) -> Encrypt:
    crypto, form = key
    return Sender(crypto).protect if form is None else _payload_cipher(crypto, form).encrypt


def _encrypt_control(key: _Key) -> Encrypt:
    return Sender(key[0]).protect_control


def _decrypt(key: _Key) -> Decrypt:
    crypto, form = key
    return Receiver(crypto).unprotect if form is None else _payload_cipher(crypto, form).decrypt


def _decrypt_control(key: _Key) -> Decrypt:
    return Receiver(key[0]).unprotect_control


def _payload_cipher(crypto: Crypto, form: Format) -> PayloadCipher:
    return PayloadCipher(crypto.key, _wire_type(crypto, form), form.payload_type)


def _wire_type(crypto: Crypto, form: Format) -> int:
    return crypto.payload_type if crypto.payload_type is not None else form.payload_type
