"""H.263 in RTP as RFC 2190 has it: the payload of the static payload type 34, which old terminals know.

Rule 1: a packet begins at a picture or GOB start (mode A); where a GOB is too large for one, at a macroblock (mode B).
Rule 2: where macroblocks begin, and what is to be known there, the encoder says: to find it here would be to decode.
Rule 3: a payload of RFC 4629 under this name is read as that: it looks like mode A with a source format that is
forbidden.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from firmware.errors import DecodeError, LocalProtocolError
from firmware.rtp import h263, picture
from firmware.rtp.h263 import MAX_PAYLOAD
from firmware.rtp.picture import Fragment

_SIZES: Final = {0b00: 4, 0b01: 4, 0b10: 8, 0b11: 12}
"""F and P -> octets of the header: modes A, A with PB-frames, B and C (RFC 2190 5.1 to 5.3)."""
_record = struct.Struct("<IBBHbbbb")


@dataclass(frozen=True, slots=True)
class Macroblock:
    """What a receiver needs to begin at a macroblock in the middle of a GOB (RFC 2190 5.2)."""

    position: int
    """Bit within the picture."""
    quantizer: int
    gob: int
    address: int
    """Within the GOB."""
    horizontal: int
    """Motion vector predictors, in half pixels."""
    vertical: int


def macroblocks(records: bytes) -> list[Macroblock]:
    """Read what libav's encoder tells of a picture (AV_PKT_DATA_H263_MB_INFO)."""
    usable = records[: len(records) // _record.size * _record.size]
    return [Macroblock(*fields[:6]) for fields in _record.iter_unpack(usable)]


def packetize(coded: bytes, boundaries: list[Macroblock], max_payload: int = MAX_PAYLOAD) -> list[bytes]:
    """Give the payloads that carry a coded picture; the last one's packet has the marker bit.

    LocalProtocolError: it has no picture header of H.263 (1996), or no boundary where one is needed.
    """
    if h263.is_key_frame(coded) is None or coded[4] >> 2 & 7 in (0, 7):
        raise LocalProtocolError("no picture of H.263 version 1")
    cuts: dict[int, Macroblock | None] = {block.position: block for block in boundaries}
    cuts |= {8 * octet: None for octet in h263.starts(coded)}
    positions = sorted(cuts)
    whole = 8 * len(coded)
    payloads = []
    at = 0
    while at < whole:
        block = cuts[at]
        most = (at // 8 + max_payload - _SIZES[0b10 if block else 0]) * 8
        end = whole if whole <= most else _last(positions, cuts, at, most)
        first, last = at // 8, -(-end // 8)
        payloads.append(_header(coded, block, at % 8, -end % 8) + coded[first:last])
        at = end
    return payloads


def _last(positions: list[int], cuts: dict[int, Macroblock | None], at: int, most: int) -> int:
    """Give the last GOB start in reach, or else the last macroblock."""
    within = [position for position in positions if at < position <= most]
    starts = [position for position in within if cuts[position] is None]
    if not within:
        raise LocalProtocolError(f"no boundary within {(most - at) // 8} octets")
    return (starts or within)[-1]


def _header(coded: bytes, block: Macroblock | None, start_bits: int, end_bits: int) -> bytes:
    # H.263 5.1.3, PTYPE from bit 3: split, document, freeze; source format (3), type, UMV | SAC, AP, PB.
    source_format, flags = coded[4] >> 2 & 7, (coded[4] & 3) << 2 | coded[5] >> 6
    bits = start_bits << 3 | end_bits
    if block is None:
        # RFC 2190 5.1: F, P, SBIT, EBIT, SRC, I, U, S, A; the rest serves PB-frames.
        return bytes([bits, source_format << 5 | flags << 1, 0, 0])
    # RFC 2190 5.2: F, P, SBIT, EBIT, SRC, QUANT, GOBN, MBA, R | I, U, S, A, HMV1, VMV1, HMV2, VMV2.
    first = (0x80 | bits) << 24 | source_format << 21 | block.quantizer << 16 | block.gob << 11 | block.address << 2
    second = flags << 28 | (block.horizontal & 0x7F) << 21 | (block.vertical & 0x7F) << 14
    return struct.pack("!II", first, second)


def read(payload: bytes) -> Fragment:
    """Take a payload apart.  DecodeError: it is malformed."""
    if len(payload) < 5:
        raise DecodeError("RFC 2190: no header")
    if payload[0] & 0x80 == 0 and payload[1] >> 5 == 0:
        return h263.read(payload)
    size = _SIZES[payload[0] >> 6]
    start, end = payload[0] >> 3 & 7, payload[0] & 7
    if 8 * (len(payload) - size) <= start + end:
        raise DecodeError(f"RFC 2190: nothing behind a header of {size} octets")
    return Fragment(payload[size:], start, end)


def depacketizer() -> picture.Depacketizer:
    """Make what puts pictures together."""
    return picture.Depacketizer(read, h263.is_key_frame)
