"""Macroblocks of H.261, found by stepping over their codes; libav's decoder says what vectors they have."""

from __future__ import annotations

import av
import pytest
from av.codec.context import Flags, Flags2
from card_pictures import encode

from firmware.errors import DecodeError
from firmware.rtp.h261 import starts
from firmware.rtp.h261_macroblock import Macroblock, macroblocks


def bits(text: str) -> tuple[bytes, int]:
    text = text.replace(" ", "")
    size = -(-len(text) // 8)
    return int(text.ljust(size * 8, "0"), 2).to_bytes(size, "big"), len(text)


GROUP = "0000000000000001 0011 00101 0"
"""The third group, quantizer 5."""


def found(rest: str, group: str = GROUP) -> list[Macroblock]:
    data, end = bits(group + rest)
    return list(macroblocks(data, 0, end))


def test_positions_and_what_is_known_there() -> None:
    intra = "10000000 110 10" + "10000000 10" * 5  # a first coefficient, (0, 1), end of block; five times no more
    first = "1 0001" + intra
    second = "011 0000001 01010" + intra  # 2 further; MQUANT 10
    third = "1 001 010 0011"  # MC, FIL: vector 1, -2
    fourth = "1 01 0010 1 1011 10 10"  # vector, pattern 16, one block: 1s, end
    blocks = found(first + second + third + fourth)
    begin = 26 + len(first.replace(" ", ""))
    behind = begin + len(second.replace(" ", ""))
    assert blocks == [
        Macroblock(begin, 3, 1, 5, 0, 0),
        Macroblock(behind, 3, 3, 10, 0, 0),
        Macroblock(behind + 11, 3, 4, 10, 1, -2),
    ]


def test_vectors_are_predicted_and_wrap() -> None:
    moved = "1 000000001 "  # MC without coefficients
    blocks = found(moved + "00000011010 1" + moved + "010 1" + moved + "010 1" + moved + "1 1")
    assert [(block.horizontal, block.vertical) for block in blocks] == [(15, 0), (-16, 0), (-15, 0)]
    # H.261 4.2.3.4: nothing is predicted across a macroblock that is left out.
    blocks = found(moved + "010 010" + "011 000000001 010 1" + moved + "1 1")
    assert [(block.horizontal, block.vertical) for block in blocks] == [(1, 1), (1, 0)]


def test_stuffing_and_spare_information_are_skipped() -> None:
    moved = "1 000000001 1 1"
    assert found("00000001111" + moved + "00000001111" * 2 + moved)[0].position == 26 + 11 + 12
    spare = GROUP[:-1] + "1 10101010 1 11111111 0"
    assert len(found(moved * 2, spare)) == 1


@pytest.mark.parametrize(
    "rest",
    ["0000000000011", "1 0000000000", "1 0001 10000000 000000000", "1 1 000000001 1", "1 0001 1" + "11" * 20],
)
def test_what_makes_no_sense(rest: str) -> None:
    with pytest.raises(DecodeError):
        found(rest + "0" * 20 + "1")


def test_there_are_33() -> None:
    moved = "1 000000001 1 1"
    assert len(found(moved * 33)) == 32
    with pytest.raises(DecodeError, match="34"):
        found(moved * 34)
    with pytest.raises(DecodeError, match="group"):
        found("", "0000000000000011 0011 00101 0")


def test_vectors_are_those_that_a_decoder_uses() -> None:
    context = av.CodecContext.create("h261", "r")
    context.flags |= Flags.low_delay
    context.flags2 |= Flags2.export_mvs
    compared = moving = 0
    for encoded in encode("H261", 352, 288, 1_000_000, 8):
        (frame,) = context.decode(av.Packet(encoded.data))
        vectors = frame.side_data.get("MOTION_VECTORS")
        if vectors is None:
            continue
        used = {
            (v.dst_x, v.dst_y): (v.src_x - v.dst_x, v.src_y - v.dst_y)
            for v in (vectors[place] for place in range(len(vectors)))
        }
        groups = starts(encoded.data)[1:]
        for begin, end in zip(groups, [*groups[1:], 8 * len(encoded.data)], strict=True):
            for block in macroblocks(encoded.data, begin, end):
                # H.261 figures 6 and 8: groups of 11 x 3 macroblocks, two beside each other.
                row, column = divmod(block.previous - 1, 11)
                place = (
                    ((block.gob - 1) % 2 * 11 + column) * 16 + 8,
                    ((block.gob - 1) // 2 * 3 + row) * 16 + 8,
                )
                if (block.horizontal, block.vertical) != (0, 0):
                    moving += 1
                    assert used[place] == (block.horizontal, block.vertical)
                compared += 1
    assert compared > 500
    assert moving > 50
