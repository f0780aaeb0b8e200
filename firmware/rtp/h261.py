"""H.261 in RTP (RFC 4587).

Rule 1: a packet begins at a picture or group start where that fits, else at a macroblock; its header then tells what
the macroblock builds upon.
Rule 2: nothing here is aligned to octets: an octet in which a packet is cut is in both packets.
Rule 3: H.261 has no key frames.  One whose decoder was told to end its freeze, or whose groups all begin with a
macroblock that stands for itself, is taken for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError, LocalProtocolError
from firmware.rtp import picture
from firmware.rtp.picture import Fragment

if TYPE_CHECKING:
    from firmware.rtp.h261_macroblock import Macroblock

MAX_PAYLOAD: Final = 1200
"""Octets of payload in a packet, as for H.264."""
_HEADER: Final = 4
_VECTORS: Final = 1 << 24
"""V: motion vectors may be used; I, only INTRA blocks, is never set.  Both keep for a session (RFC 4587 4.1)."""
_GROUPS: Final = {False: 3, True: 12}
"""CIF? -> groups in a picture (H.261 4.2.2)."""
MAX_STARTS: Final = 64
"""Start codes in a picture that are looked at."""
_ZEROS: Final = 15


def starts(coded: bytes) -> list[int]:
    """Give the bits at which a picture or group start code begins: 15 times 0, then 1 (H.261 4.2.1.1, 4.2.2.1).

    So many zeros fill an aligned octet at least: only where one is, is it looked closer.
    """
    found: list[int] = []
    at = coded.find(0)
    while at >= 0 and len(found) < MAX_STARTS:
        end = at + 1
        while end < len(coded) and not coded[end]:
            end += 1
        if end == len(coded):
            break
        one = 8 * end + 8 - coded[end].bit_length()
        before = coded[at - 1] if at else 0xFF
        zeros = one - 8 * at + (before & -before).bit_length() - 1
        if zeros >= _ZEROS:
            found.append(one - _ZEROS)
        at = coded.find(0, end)
    return found


def packetize(coded: bytes, max_payload: int = MAX_PAYLOAD) -> list[bytes]:
    """Give the payloads that carry a coded picture; the last one's packet has the marker bit.

    LocalProtocolError: it is no picture of H.261, or a macroblock is larger than a packet.
    """
    groups = starts(coded)
    if len(groups) < 2 or is_key_frame(coded) is None:
        raise LocalProtocolError("no picture of H.261")
    cuts = groups[2:]  # the first group goes with the picture header
    whole = 8 * len(coded)
    payloads = []
    at, block = 0, None
    while at < whole:
        most = (at // 8 + max_payload - _HEADER) * 8
        end, next_block = whole, None
        if whole > most:
            within = [cut for cut in cuts if at < cut <= most]
            if within:
                end = within[-1]
            else:
                next_block = _last_macroblock(coded, groups, at, most)
                end = next_block.position
        payloads.append(_header(block, at % 8, -end % 8) + coded[at // 8 : -(-end // 8)])
        at, block = end, next_block
    return payloads


def _last_macroblock(coded: bytes, groups: list[int], at: int, most: int) -> Macroblock:
    """Give the last macroblock in reach, of a group that is too large for a packet."""
    from firmware.rtp.h261_macroblock import macroblocks  # its tables take 3 ms, and only large groups need them

    begin = max(group for group in groups if group <= max(at, groups[1]))
    end = next((group for group in groups if group > begin), 8 * len(coded))
    found = None
    try:
        for block in macroblocks(coded, begin, end):
            if block.position > most:
                break
            found = block
    except DecodeError as error:
        raise LocalProtocolError(str(error)) from error
    if found is None or found.position <= at:
        raise LocalProtocolError(f"no macroblock begins within {(most - at) // 8} octets")
    return found


def _header(block: Macroblock | None, start_bits: int, end_bits: int) -> bytes:
    # RFC 4587 4.1: SBIT, EBIT, I, V, GOBN (4), MBAP (5), QUANT (5), HMVD (5), VMVD (5).
    header = start_bits << 29 | end_bits << 26 | _VECTORS
    if block is not None:
        header |= block.gob << 20 | block.previous - 1 << 15 | block.quantizer << 10
        # -16 is forbidden, and 5 bits hold no other but -15 to 15.
        header |= (max(block.horizontal, -15) & 0x1F) << 5 | max(block.vertical, -15) & 0x1F
    return header.to_bytes(_HEADER, "big")


def read(payload: bytes) -> Fragment:
    """Take a payload apart.  DecodeError: it has no header, or nothing behind it."""
    start, end = (payload[0] >> 5, payload[0] >> 2 & 7) if payload else (0, 0)
    if 8 * (len(payload) - _HEADER) <= start + end:
        raise DecodeError(f"RFC 4587: {len(payload)} octets are a header at most")
    return Fragment(payload[_HEADER:], start, end)


def is_key_frame(coded: bytes) -> bool | None:
    """Tell whether decoding can start with a coded picture; None: it does not begin with a picture start code."""
    # H.261 4.2.1: PSC (20 bits), TR (5), PTYPE (6; the third ends a freeze, the fourth is 1 for CIF), PEI.
    header = int.from_bytes(coded[:4], "big")
    if len(coded) < 4 or header >> 12 != 0x00010:
        return None
    if header & 0x10:
        return True
    groups = starts(coded)[1:]
    return len(groups) >= _GROUPS[bool(header & 0x08)] and all(_begins_intra(coded, group) for group in groups)


def _begins_intra(coded: bytes, group: int) -> bool:
    """Tell whether a group's first macroblock is its number 1, and INTRA."""
    # H.261 4.2.2: GBSC (16), GN (4), GQUANT (5), GEI; then MBA, where 1 is 1, and MTYPE: 0001 and 0000001 are INTRA.
    first = group // 8
    behind = 8 * 5 - group % 8 - 34
    bits = int.from_bytes(coded[first : first + 5].ljust(5, b"\x00"), "big")
    following = (bits >> behind if behind >= 0 else bits << -behind) & 0x1FF
    return following >> 3 == 0b010001 or following == 0b010000001


def depacketizer() -> picture.Depacketizer:
    """Make what puts pictures together."""
    return picture.Depacketizer(read, is_key_frame)
