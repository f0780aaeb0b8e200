"""H.264 in RTP (RFC 6184): single NAL unit packets, STAP-A and FU-A.

Rule 1: an access unit is a byte stream of H.264 annex B on our side, NAL units in packets on the wire.
Rule 2: the depacketizer takes packets in order (see reorder.py), finds what is missing by the sequence numbers, and
says so of the access unit that it hurts.  It gives damaged units too: to show or to drop them is the decoder's choice.
Rule 3: interleaved mode (STAP-B, MTAP, FU-B) is never agreed to, so such packets are refused and counted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from firmware.errors import LocalProtocolError
from firmware.rtp.packet import Packet

CLOCK_RATE: Final = 90_000
"""Hz (RFC 6184 8.1)."""
MAX_PAYLOAD: Final = 1200
"""Octets of payload in a packet: with RTP, SRTP, UDP and IPv6 it passes tunnels whose MTU is 1280."""
MAX_ACCESS_UNIT: Final = 4 << 20
"""Octets: more than any frame of level 5.1 takes at 60 Mbit/s and 15 frames a second."""
MAX_NAL_UNITS: Final = 2048
"""In one access unit: what a peer could put into MAX_ACCESS_UNIT as one octet each would be millions."""

# H.264 table 7-1 and RFC 6184 table 1.
SLICE, IDR, SEI, SPS, PPS, DELIMITER = 1, 5, 6, 7, 8, 9
STAP_A, STAP_B, MTAP16, MTAP24, FU_A, FU_B = 24, 25, 26, 27, 28, 29

_START_CODE: Final = b"\x00\x00\x00\x01"
_AGGREGATED: Final = frozenset({SEI, SPS, PPS, DELIMITER})
_length = struct.Struct("!H")


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture with what belongs to it."""

    data: bytes
    """Annex B, each NAL unit behind a start code of four octets."""
    timestamp: int
    """As on the wire, 32 bits at 90 kHz."""
    types: int
    """The NAL unit types within, one bit each."""
    damaged: bool
    """A packet is missing in it or right before it: it will not decode to the picture that was sent."""
    stream: int = 0
    """Of the packets, see Packet."""

    @property
    def key_frame(self) -> bool:
        """Whether decoding can start here: an IDR picture."""
        return bool(self.types >> IDR & 1)

    @property
    def has_picture(self) -> bool:
        """Whether a slice is within, not parameter sets alone."""
        return bool(self.types & 0b111110)


def nal_units(stream: bytes) -> Iterator[bytes]:
    """Give the NAL units of a byte stream (H.264 annex B), without start codes and trailing zeros."""
    start = stream.find(b"\x00\x00\x01")
    while start >= 0:
        start += 3
        end = stream.find(b"\x00\x00\x01", start)
        unit = (stream[start:end] if end >= 0 else stream[start:]).rstrip(b"\x00")
        if unit:
            yield unit
        start = end


def packetize(
    access_unit: bytes, packetization_mode: int = 1, max_payload: int = MAX_PAYLOAD, aggregate: bool = False
) -> list[bytes]:
    """Give the payloads that carry an access unit (Annex B); the last one's packet has the marker bit.

    With *aggregate*, in mode 1, parameter sets, SEI and delimiters that follow each other share a STAP-A.  It is off
    because it saves two small packets a key frame, and old receivers (baresip 1.0) know no STAP-A.
    LocalProtocolError: packetization mode 0, and a NAL unit larger than a packet: the encoder has to make smaller
    slices; drop this access unit.
    """
    payloads: list[bytes] = []
    waiting: list[bytes] = []
    for unit in nal_units(access_unit):
        if aggregate and packetization_mode and unit[0] & 0x1F in _AGGREGATED:
            if waiting and sum(map(len, waiting)) + 2 * len(waiting) + len(unit) + 3 > max_payload:
                payloads.append(_stap_a(waiting))
                waiting = []
            if len(unit) + 3 <= max_payload:
                waiting.append(unit)
                continue
        if waiting:
            payloads.append(_stap_a(waiting))
            waiting = []
        if len(unit) <= max_payload:
            payloads.append(unit)  # RFC 6184 5.6
        elif packetization_mode:
            payloads.extend(_fu_a(unit, max_payload))
        else:
            # RFC 6184 6.2: only single NAL unit packets may be used in this mode.
            raise LocalProtocolError(f"a NAL unit of {len(unit)} octets can't be sent in packetization mode 0")
    if waiting:
        payloads.append(_stap_a(waiting))
    return payloads


def _stap_a(units: list[bytes]) -> bytes:
    if len(units) == 1:
        return units[0]
    # RFC 6184 5.7.1: F is set if any unit has it; NRI is the largest of all.
    header = max(unit[0] & 0x60 for unit in units) | STAP_A
    for unit in units:
        header |= unit[0] & 0x80
    return bytes([header]) + b"".join(_length.pack(len(unit)) + unit for unit in units)


def _fu_a(unit: bytes, max_payload: int) -> list[bytes]:
    """RFC 6184 5.8: the header octet is not repeated, its parts go into indicator and FU header."""
    first = unit[0]
    indicator, kind = first & 0xE0 | FU_A, first & 0x1F
    room = max_payload - 2
    middle = bytes([indicator, kind])
    payloads = [middle + unit[at : at + room] for at in range(1, len(unit), room)]
    payloads[0] = bytes([indicator, 0x80 | kind]) + payloads[0][2:]
    payloads[-1] = bytes([indicator, 0x40 | kind]) + payloads[-1][2:]
    return payloads


class Depacketizer:
    """Makes access units of one source's packets, given in order; loss is a jump of the sequence numbers."""

    def __init__(self, max_size: int = MAX_ACCESS_UNIT) -> None:
        self.refused = 0
        """Packets of a kind that mode 0 and 1 don't have, and malformed ones."""
        self.damaged = 0
        """Access units given as damaged, or too large to give."""
        self._max_size = max_size
        self._stream = -1
        self._next_sequence = -1
        self._gap = False
        """Packets are missing before the next access unit."""
        self._only_before = False
        """What is missing may all have belonged to earlier access units."""
        self._timestamp = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._count = 0
        self._types = 0
        self._open = False
        """A unit is under construction."""
        self._hurt = False
        self._fragments: list[bytes] = []

    def receive(self, packet: Packet) -> list[AccessUnit]:
        """Give the access units that this packet ends: none, one, or two where the marker bit of one was missing."""
        units: list[AccessUnit] = []
        if packet.stream != self._stream:
            self.reset()
            self._stream, self._next_sequence = packet.stream, packet.sequence
        lost = packet.sequence != self._next_sequence
        self._next_sequence = packet.sequence + 1 & 0xFFFF
        if lost:
            # What is missing may have been the end of this unit, the start of the next, or both.
            self._hurt, self._only_before = True, False
            self._gap = not self._open or packet.timestamp != self._timestamp
            self._drop_fragments()
        if self._open and packet.timestamp != self._timestamp:  # RFC 6184 5.1: one timestamp, one access unit
            self._finish(units)
        if not self._open:
            self._begin(packet)
        payload = packet.payload
        kind = payload[0] & 0x1F if payload else 0
        if kind == FU_A:
            self._fragment(payload)
        elif 0 < kind < STAP_A:
            self._drop_fragments()
            self._add(payload)
        elif kind == STAP_A:
            self._drop_fragments()
            self._split(payload)
        elif payload:  # an empty payload is padding, which probes and keep-alives are made of
            self._refuse()
        if packet.marker:
            self._finish(units)
        return units

    def reset(self) -> None:
        """Forget the unit under construction; the next packet is the first of a source."""
        self._open = self._hurt = self._gap = self._only_before = False
        self._clear()

    def _begin(self, packet: Packet) -> None:
        self._open, self._timestamp = True, packet.timestamp
        self._hurt = self._only_before = self._gap
        self._gap = False

    def _add(self, unit: bytes) -> None:
        self._size += len(unit) + 4
        self._count += 1
        if self._size > self._max_size or self._count > MAX_NAL_UNITS:
            self._overflow()
            return
        if unit[0] & 0x80:  # RFC 6184 1.3: F says that there are bit errors
            self._hurt = True
            return
        kind = unit[0] & 0x1F
        if kind == SPS and self._only_before and not self._types & ~(1 << DELIMITER):
            # H.264 7.4.1.2.3: an SPS stands before the slices, so the picture is whole from its start; and a coded
            # video sequence that starts here refers to none before it.
            self._hurt = False
        self._types |= 1 << kind
        self._parts.append(_START_CODE)
        self._parts.append(unit)

    def _split(self, payload: bytes) -> None:
        """RFC 6184 5.7.1: each unit has its size before it."""
        at, end = 1, len(payload)
        while at < end:
            if at + 2 > end:
                self._refuse()
                return
            size = _length.unpack_from(payload, at)[0]
            at += 2
            if size == 0 or at + size > end or not 0 < payload[at] & 0x1F < STAP_A:
                self._refuse()
                return
            self._add(payload[at : at + size])
            at += size

    def _fragment(self, payload: bytes) -> None:
        """RFC 6184 5.8."""
        if len(payload) < 2:
            self._refuse()
            return
        header = payload[1]
        if header & 0x80:
            self._drop_fragments()
            if not 0 < header & 0x1F < STAP_A:
                self._refuse()
                return
            self._fragments.append(bytes([payload[0] & 0xE0 | header & 0x1F]))
        elif not self._fragments:
            self._hurt = True  # its start is missing: useless
            return
        self._fragments.append(payload[2:])
        self._size += len(payload)
        if self._size > self._max_size:
            self._overflow()
        elif header & 0x40:
            unit = b"".join(self._fragments)
            self._fragments = []
            self._size -= len(unit)
            self._add(unit)

    def _drop_fragments(self) -> None:
        if self._fragments:
            self._fragments = []
            self._hurt = True

    def _refuse(self) -> None:
        self.refused += 1
        self._hurt = True

    def _overflow(self) -> None:
        self._clear()
        self._hurt = True
        self._size = self._max_size  # whatever else belongs to this unit overflows too

    def _clear(self) -> None:
        self._parts = []
        self._fragments = []
        self._size = self._count = self._types = 0

    def _finish(self, units: list[AccessUnit]) -> None:
        self._drop_fragments()
        if self._hurt:
            self.damaged += 1
        if self._parts:
            units.append(AccessUnit(b"".join(self._parts), self._timestamp, self._types, self._hurt, self._stream))
        else:
            self._gap = self._gap or self._hurt  # nothing left of it to carry the news: the next unit does
        self._open = self._hurt = self._only_before = False
        self._clear()
