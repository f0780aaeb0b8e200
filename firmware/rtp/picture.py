"""Pictures of H.261 and H.263 out of packets: what the payload formats of both have in common.

Rule 1: a payload is a header and a piece of the picture's bits, which need not begin or end with an octet.
Rule 2: packets are taken in order (see reorder.py); what is missing is known by the sequence numbers, and damages the
picture within which it is missing, and those after it up to the next key frame that is whole.
Rule 3: after a gap the pieces are put together octet by octet, because there a decoder looks for the next start code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware.errors import DecodeError
from firmware.rtp.packet import Packet

MAX_PICTURE: Final = 1 << 20
"""Octets: twice what H.263 table 1 (BPPmaxKb) allows the largest standard picture."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one packet has of a picture."""

    data: bytes
    """At least one octet."""
    start_bits: int = 0
    """SBIT: the first bits of the first octet that don't belong to it, 0 to 7."""
    end_bits: int = 0
    """EBIT: the last bits of the last octet that don't belong to it, 0 to 7."""


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """One coded picture."""

    data: bytes
    """From the picture start code on, if that came."""
    timestamp: int
    """As on the wire, 32 bits at 90 kHz."""
    key_frame: bool
    """Decoding can start here."""
    damaged: bool
    """A packet is missing in it, or before it where it builds upon what was there."""
    stream: int = 0
    """Of the packets, see Packet."""

    @property
    def has_picture(self) -> bool:
        """There are no parameters without a picture here."""
        return True


class Depacketizer:
    """Makes pictures of one source's packets, given in order.

    *read* takes a payload apart, or raises DecodeError.  *is_key_frame* judges the bits of a picture; it gives None
    where they don't begin with a picture header.
    """

    def __init__(
        self,
        read: Callable[[bytes], Fragment],
        is_key_frame: Callable[[bytes], bool | None],
        max_size: int = MAX_PICTURE,
    ) -> None:
        self.refused = 0
        """Malformed payloads."""
        self.damaged = 0
        """Pictures given as damaged."""
        self._read = read
        self._is_key_frame = is_key_frame
        self._max_size = max_size
        self._stream = -1
        self._next_sequence = -1
        self._gap = False
        """Packets are missing before the next picture."""
        self._open = False
        """A picture is under construction."""
        self._timestamp = 0
        self._after_gap = self._hurt = False
        """What is missing may all have been before this picture; something within it is missing."""
        self._data = bytearray()
        self._spare = 0
        """Bits of the last octet that are still free."""

    def receive(self, packet: Packet) -> list[CodedPicture]:
        """Give the pictures that this packet ends: none, one, or two where the marker bit of one was missing."""
        pictures: list[CodedPicture] = []
        if packet.stream != self._stream:
            self.reset()
            self._stream, self._next_sequence = packet.stream, packet.sequence
        lost = packet.sequence != self._next_sequence
        self._next_sequence = packet.sequence + 1 & 0xFFFF
        if lost:
            # What is missing may have been the end of this picture, the start of the next, or both.
            self._gap = not self._open or packet.timestamp != self._timestamp
            self._hurt, self._spare = True, 0
        if self._open and packet.timestamp != self._timestamp:
            self._finish(pictures)
        if not self._open:
            self._open, self._timestamp = True, packet.timestamp
            self._after_gap, self._hurt, self._gap = self._gap, False, False
        if packet.payload:  # an empty one is padding, which probes and keep-alives are made of
            self._take(packet.payload, lost)
        if packet.marker:
            self._finish(pictures)
        return pictures

    def reset(self) -> None:
        """Forget the picture under construction; the next packet is the first of a source."""
        self._open = self._hurt = self._gap = self._after_gap = False
        self._clear()

    def _take(self, payload: bytes, lost: bool) -> None:
        try:
            fragment = self._read(payload)
        except DecodeError:
            self.refused += 1
            self._hurt = True
            return
        if len(self._data) + len(fragment.data) > self._max_size:
            self._hurt = True  # whatever else belongs to this picture is too much as well
            return
        if lost and fragment.start_bits:
            first = bytes([fragment.data[0] & 0xFF >> fragment.start_bits])
            fragment = Fragment(first + fragment.data[1:], 0, fragment.end_bits)
        self._spare = append_bits(self._data, self._spare, fragment)

    def _finish(self, pictures: list[CodedPicture]) -> None:
        data = bytes(self._data)
        key_frame = self._is_key_frame(data) if data else None
        damaged = self._hurt or key_frame is None or (self._after_gap and not key_frame)
        if data:
            self.damaged += damaged
            pictures.append(CodedPicture(data, self._timestamp, bool(key_frame), damaged, self._stream))
        else:
            self._gap = self._gap or self._hurt or self._after_gap  # nothing carries the news: the next picture does
        self._open = self._hurt = self._after_gap = False
        self._clear()

    def _clear(self) -> None:
        self._data = bytearray()
        self._spare = 0


def append_bits(data: bytearray, spare: int, fragment: Fragment) -> int:
    """Append a fragment behind the last bit of *data*; give how many bits of the last octet are free then, all 0.

    *spare* are free before.
    """
    octets, start, end = fragment.data, fragment.start_bits, fragment.end_bits
    if start == spare == 0:
        data += octets
    elif start + spare == 8:  # the octet in which the sender cut is in both packets
        data[-1] |= octets[0] & 0xFF >> start
        data += octets[1:]
    else:
        bits = 8 * len(octets) - start
        value = int.from_bytes(octets, "big") & (1 << bits) - 1
        if spare:
            value |= data.pop() >> spare << bits
            bits += 8 - spare
        pad = -bits % 8
        data += (value << pad).to_bytes((bits + pad) // 8, "big")
        end += pad
        if end >= 8:
            data.pop()
            end -= 8
    if end:
        data[-1] &= 0xFF << end & 0xFF
    return end
