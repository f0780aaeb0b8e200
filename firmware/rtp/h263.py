"""H.263 in RTP (RFC 4629, which is RFC 2429 as well): the payload of H263-1998 and H263-2000.

Rule 1: packets begin at a picture or GOB start where that fits; a larger GOB goes on in the next packet, cut anywhere.
Rule 2: of a start code, the first two octets are zero and aren't sent (RFC 4629 4.1.1).
Rule 3: a copy of the picture header in a packet, and the video redundancy code, are skipped: loss is made good by a
key frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from firmware.errors import DecodeError
from firmware.rtp import picture
from firmware.rtp.picture import Fragment

MAX_PAYLOAD: Final = 1200
"""Octets of payload in a packet, as for H.264."""
_HEADER: Final = 2
_STARTS: Final = 0x04
"""P: the two octets of zero before this payload were left out."""
_ZEROS: Final = b"\x00\x00"


def starts(data: bytes) -> Iterator[int]:
    """Give where a start code of a picture, a GOB or a slice is (H.263 5.1.1, 5.2.2): 16 bits 0 and a 1, aligned."""
    at = data.find(_ZEROS)
    while 0 <= at < len(data) - 2:
        if data[at + 2] & 0x80:
            yield at
            at += 2
        at = data.find(_ZEROS, at + 1)


def packetize(coded: bytes, max_payload: int = MAX_PAYLOAD) -> list[bytes]:
    """Give the payloads that carry a coded picture; the last one's packet has the marker bit."""
    cuts = [*starts(coded), len(coded)]
    payloads = []
    at = passed = 0
    while at < len(coded):
        starting = cuts[passed] == at
        begin = at + len(_ZEROS) * starting
        most = begin + max_payload - _HEADER
        while passed < len(cuts) - 1 and cuts[passed + 1] <= most:
            passed += 1
        end = cuts[passed] if cuts[passed] > at else min(most, len(coded))
        payloads.append(bytes([_STARTS * starting, 0]) + coded[begin:end])
        at = end
    return payloads


def read(payload: bytes) -> Fragment:
    """Take a payload apart.  DecodeError: it has no header, or nothing behind it."""
    # RFC 4629 5.1: RR (5 bits), P, V, PLEN (6), PEBIT (3); then VRC where V is set, and PLEN octets of picture header.
    if len(payload) < _HEADER:
        raise DecodeError("RFC 4629: no header")
    first = payload[0]
    begin = _HEADER + (first >> 1 & 1) + ((first & 1) << 5 | payload[1] >> 3)
    if begin >= len(payload):
        raise DecodeError(f"RFC 4629: {len(payload)} octets end within {begin} of headers")
    return Fragment(_ZEROS * bool(first & _STARTS) + payload[begin:])


def is_key_frame(coded: bytes) -> bool | None:
    """Tell whether a coded picture is an INTRA one; None: it does not begin with a picture start code."""
    # H.263 5.1.1: PSC is 22 bits; then TR (8) and PTYPE (13), or PTYPE's first 8 bits, UFEP and so on.
    if len(coded) < 8 or coded[:2] != _ZEROS or coded[2] >> 2 != 0x20:
        return None
    source_format = coded[4] >> 2 & 7
    if source_format != 7:
        return not coded[4] & 2  # PTYPE bit 9
    # H.263 5.1.4: UFEP (3 bits) at bit 38, OPPTYPE (18) where that is 1, then MPPTYPE, whose first 3 bits are the type.
    bits = int.from_bytes(coded[4:9].ljust(5, b"\x00"), "big")  # from bit 32 on
    extended = bits >> 31 & 7
    return not bits >> (31 - 3 - (18 if extended == 1 else 0)) & 7


def depacketizer() -> picture.Depacketizer:
    """Make what puts pictures together."""
    return picture.Depacketizer(read, is_key_frame)
