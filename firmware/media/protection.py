"""The network edge of a stream: packets are encrypted as they leave and decrypted as they come.

Rule 1: a stream whose channel is encrypted sends nothing in the clear and hears nothing that is.
Rule 2: after a change of keys the one before is good for as long as packets may be under way.
Rule 3: whatever comes, nothing raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.rtp.h235 import PayloadCipher

if TYPE_CHECKING:
    from firmware.call.media import Channel

OVERLAP: Final = 3.0
"""Seconds for which the key before is still good."""


class Protection:
    """What one stream is encrypted with; `protect` may be called by any thread, all else by the network's."""

    def __init__(self) -> None:
        self._sending: PayloadCipher | None = None
        self._receiving: PayloadCipher | None = None
        self._before: PayloadCipher | None = None
        """The key before."""
        self._until = 0.0
        """How long it is good."""
        self._channels: tuple[Channel | None, Channel | None] = (None, None)
        self.refused = 0
        """Packets that were not of the stream, or not encrypted as they should be."""

    def use(self, send: Channel | None, receive: Channel | None, now: float) -> None:
        """Encrypt and decrypt as these channels say.  ValueError: they say what makes no sense."""
        sending = _cipher(send, self._sending, self._channels[0])
        receiving = _cipher(receive, self._receiving, self._channels[1])
        old = self._receiving
        if old is not None and receiving is not None and old.wire_type != receiving.wire_type:
            self._before, self._until = old, now + OVERLAP
        elif receiving is None:
            self._before = None
        self._sending, self._receiving, self._channels = sending, receiving, (send, receive)

    def protect(self, packet: bytes) -> bytes:
        """Give what to send for an RTP packet."""
        cipher = self._sending
        return packet if cipher is None else cipher.encrypt(packet)

    def unprotect(self, packet: bytes, now: float) -> bytes | None:
        """Give the RTP packet of what came; None: it is not to be heard."""
        if self._receiving is None:
            return packet
        clear = self._receiving.decrypt(packet)
        if clear is None and self._before is not None and now < self._until:
            clear = self._before.decrypt(packet)
        self.refused += clear is None
        return clear


def _cipher(channel: Channel | None, now: PayloadCipher | None, before: Channel | None) -> PayloadCipher | None:
    """Give the cipher of a channel: the one in use where nothing of it changes."""
    if channel is None or channel.crypto is None:
        return None
    if before is not None and (before.crypto, before.format) == (channel.crypto, channel.format):
        return now
    crypto, media_type = channel.crypto, channel.format.payload_type
    return PayloadCipher(crypto.key, media_type if crypto.payload_type is None else crypto.payload_type, media_type)
