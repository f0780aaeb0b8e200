"""TPKT packets: how H.225.0 and H.245 find their messages in a TCP stream (RFC 1006 6).

Rule 1: a packet has at most 65,535 octets with its header, so a reader never keeps more than that of an unfinished one.
Rule 2: a stream that once breaks the rules is of no use any more: where the next packet begins can't be told.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 3
HEADER: Final = 4
"""Octets: version, reserved, and a length of two octets that counts the header too."""
MAX_PAYLOAD: Final = 0xFFFF - HEADER


def encode(payload: bytes) -> bytes:
    """Put one message into a packet.  ValueError: it is too long for one."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"{len(payload)} octets do not fit into a TPKT packet")
    return bytes((VERSION, 0)) + (HEADER + len(payload)).to_bytes(2, "big") + payload


class PacketReader:
    """Cuts one stream into its packets."""

    def __init__(self, max_payload: int = MAX_PAYLOAD) -> None:
        self.broken = False
        """Whether the stream broke the rules; it gives nothing more."""
        self._max_length = max_payload + HEADER
        self._buffer = bytearray()

    def __len__(self) -> int:
        return len(self._buffer)

    def receive(self, data: bytes) -> list[bytes]:
        """Take the next octets; give the payload of each packet that is complete now.

        A packet without a payload keeps a connection alive and gives nothing.
        """
        if self.broken:
            return []
        self._buffer += data
        payloads: list[bytes] = []
        start = 0
        while len(self._buffer) - start >= HEADER:
            length = int.from_bytes(self._buffer[start + 2 : start + HEADER], "big")
            # RFC 1006 6: the version is 3; what is reserved is not looked at.
            if self._buffer[start] != VERSION or not HEADER <= length <= self._max_length:
                self.broken = True
                self._buffer.clear()
                return payloads
            if len(self._buffer) - start < length:
                break
            if length > HEADER:
                payloads.append(bytes(self._buffer[start + HEADER : start + length]))
            start += length
        del self._buffer[:start]
        return payloads
