"""The sequence parameter set of H.264 (7.3.2.1.1): how large the pictures are, and what it takes to decode them.

Only what comes before the picture's size is read, and no loop is longer than the standard allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from firmware.errors import DecodeError
from firmware.rtp.h264 import SPS, nal_units

MAX_SIZE: Final = 16_384
"""Pixels a side: level 6.2 allows 16,880 at its thinnest."""
_WITH_CHROMA_FORMAT: Final = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""H.264 7.3.2.1.1: the profiles whose SPS says the chroma format."""
_CHROMA_SHIFT: Final = {0: (0, 0), 1: (1, 1), 2: (1, 0), 3: (0, 0)}
"""chroma_format_idc -> log2 of SubWidthC and SubHeightC (table 6-1)."""


@dataclass(frozen=True, slots=True)
class SequenceParameterSet:
    """What a decoder and a picture's place on the screen need to know."""

    profile: int
    """profile_idc: 66 baseline, 77 main, 100 high."""
    constraints: int
    """constraint_set0_flag (most significant) to constraint_set5_flag, and two zeros."""
    level: int
    """level_idc."""
    number: int
    """seq_parameter_set_id."""
    width: int
    """Pixels, after cropping."""
    height: int
    """Pixels, after cropping."""


class _Bits:
    """Reads a raw byte sequence payload bit by bit."""

    def __init__(self, payload: bytes) -> None:
        self._value = int.from_bytes(payload, "big")
        self._left = 8 * len(payload)

    def read(self, count: int) -> int:
        """u(n)."""
        self._left -= count
        if self._left < 0:
            raise DecodeError("H.264: the parameter set ends too early")
        return self._value >> self._left & (1 << count) - 1

    def unsigned(self) -> int:
        """ue(v), H.264 9.1: at most 32 bits."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 31:
                raise DecodeError("H.264: an Exp-Golomb code of more than 32 bits")
        return (1 << zeros) - 1 + self.read(zeros)

    def signed(self) -> int:
        """se(v), H.264 9.1.1."""
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def parse(unit: bytes) -> SequenceParameterSet:
    """Read a NAL unit of type 7.  DecodeError: it is none, or says what H.264 does not allow."""
    if len(unit) < 4 or unit[0] & 0x1F != SPS:
        raise DecodeError("H.264: not a sequence parameter set")
    # H.264 7.4.1: emulation prevention; the size comes within the first hundreds of octets.
    bits = _Bits(unit[1:1024].replace(b"\x00\x00\x03", b"\x00\x00"))
    profile, constraints, level = bits.read(8), bits.read(8), bits.read(8)
    number = _limited(bits, 31, "seq_parameter_set_id")
    chroma, separate = 1, 0
    if profile in _WITH_CHROMA_FORMAT:
        chroma = _limited(bits, 3, "chroma_format_idc")
        separate = bits.read(1) if chroma == 3 else 0
        bits.unsigned()  # bit_depth_luma_minus8
        bits.unsigned()  # bit_depth_chroma_minus8
        bits.read(1)  # qpprime_y_zero_transform_bypass_flag
        if bits.read(1):  # seq_scaling_matrix_present_flag
            for index in range(12 if chroma == 3 else 8):
                if bits.read(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.unsigned()  # log2_max_frame_num_minus4
    order = _limited(bits, 2, "pic_order_cnt_type")
    if order == 0:
        bits.unsigned()  # log2_max_pic_order_cnt_lsb_minus4
    elif order == 1:
        bits.read(1)  # delta_pic_order_always_zero_flag
        bits.signed()  # offset_for_non_ref_pic
        bits.signed()  # offset_for_top_to_bottom_field
        for _ in range(_limited(bits, 255, "num_ref_frames_in_pic_order_cnt_cycle")):
            bits.signed()
    bits.unsigned()  # max_num_ref_frames
    bits.read(1)  # gaps_in_frame_num_value_allowed_flag
    width = 16 * (_limited(bits, MAX_SIZE // 16, "pic_width_in_mbs_minus1") + 1)
    height = 16 * (_limited(bits, MAX_SIZE // 16, "pic_height_in_map_units_minus1") + 1)
    frames_only = bits.read(1)
    height *= 2 - frames_only
    if not frames_only:
        bits.read(1)  # mb_adaptive_frame_field_flag
    bits.read(1)  # direct_8x8_inference_flag
    if bits.read(1):  # frame_cropping_flag
        # H.264 7-19 to 7-22: the crop unit is a chroma sample, and two lines where fields are allowed.
        across, down = _CHROMA_SHIFT[0 if separate else chroma]
        width -= bits.unsigned() + bits.unsigned() << across
        height -= (bits.unsigned() + bits.unsigned() << down) * (2 - frames_only)
        if width <= 0 or height <= 0:
            raise DecodeError("H.264: nothing is left of the picture after cropping")
    return SequenceParameterSet(profile, constraints, level, number, width, height)


def find(access_unit: bytes) -> SequenceParameterSet | None:
    """Give the first sequence parameter set of a byte stream (annex B) that can be read, or None."""
    for unit in nal_units(access_unit):
        if unit[0] & 0x1F == SPS:
            try:
                return parse(unit)
            except DecodeError:
                return None
    return None


def _limited(bits: _Bits, most: int, name: str) -> int:
    value = bits.unsigned()
    if value > most:
        raise DecodeError(f"H.264: {name} is {value}, more than {most}")
    return value


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    """H.264 7.3.2.1.1.1."""
    last = scale = 8
    for _ in range(size):
        if scale:
            scale = (last + bits.signed()) % 256
        last = scale or last
