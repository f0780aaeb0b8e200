"""STUN and TURN over a stream of bytes: where each message begins and ends (RFC 8489 6.2.2, RFC 8656 12.5).

Rule 1: both kinds of message say their length; what is in a channel is padded to a multiple of four octets here.
Rule 2: what is neither ends the stream: nobody could find the next message in it.  Nor does one begin with a channel:
nobody has asked for any yet (and other protocols begin with a letter).
Rule 3: a message longer than `MAX_MESSAGE` is passed over, and never kept: a peer of ours may make the server send it.
"""

from __future__ import annotations

from typing import Final

from firmware.errors import DecodeError
from firmware.ice.attribute import MAGIC_COOKIE

MAX_MESSAGE: Final = 2_048
"""Octets; a longer datagram would not be taken from a socket either."""

_STUN_HEADER: Final = 20
_COOKIE_ENDS: Final = 8
_CHANNEL_HEADER: Final = 4
_PADDING: Final = 4
_COOKIE: Final = MAGIC_COOKIE.to_bytes(4, "big")


def frame(data: bytes) -> bytes:
    """Give what a datagram to the server is in a stream; STUN is a multiple of four octets long by itself."""
    return data + bytes(-len(data) % _PADDING)


class FrameReader:
    """Takes the bytes of a stream apart."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._skip = 0
        """Octets that belong to a message that is passed over."""
        self._begun = False

    def receive(self, data: bytes) -> list[bytes]:
        """Give the datagrams that are complete now, without padding.  DecodeError: this is no stream of TURN."""
        if self._skip:
            skipped, data = data[: self._skip], data[self._skip :]
            self._skip -= len(skipped)
        self._data += data
        if self._data and not self._begun:
            self._begun = True
            if self._data[0] > 3:
                raise DecodeError("it does not begin with a message of STUN")
        found: list[bytes] = []
        position = 0
        while (size := _size(self._data, position)) is not None:
            whole = size + -size % _PADDING
            if size > MAX_MESSAGE:
                there = min(whole, len(self._data) - position)
                self._skip = whole - there
                position += there
            elif position + whole > len(self._data):
                break
            else:
                found.append(bytes(self._data[position : position + size]))
                position += whole
        del self._data[:position]
        return found


def _size(data: bytearray, position: int) -> int | None:
    """Give how long the message is that begins here; None: too little of it has come."""
    there = len(data) - position
    if there == 0:
        return None
    kind = data[position] >> 6
    if kind > 1:
        raise DecodeError(f"neither STUN nor a channel at octet {position}")
    if there < _CHANNEL_HEADER:
        return None
    length = int.from_bytes(data[position + 2 : position + 4], "big")
    if kind == 1:
        if data[position] > 79:  # RFC 8656 12: the numbers above 0x4FFF are nobody's
            raise DecodeError(f"neither STUN nor a channel at octet {position}")
        return _CHANNEL_HEADER + length
    # RFC 8489 5: a multiple of four, and the cookie.
    if length % _PADDING:
        raise DecodeError(f"a length that no message of STUN has at octet {position}")
    if there < _COOKIE_ENDS:
        return None
    if data[position + 4 : position + _COOKIE_ENDS] != _COOKIE:
        raise DecodeError(f"no magic cookie at octet {position}")
    return _STUN_HEADER + length
