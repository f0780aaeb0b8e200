"""The sequence parameter sets of H.264 (7.3.2.1.1, annex E): what a stream says of its pictures before any comes.

Rule 1: they are read as the far end wrote them, with a bound on every count; what can't be read is a DecodeError.
Rule 2: hardware holds pictures back until it knows that none overtakes another.  A stream that has none of that kind
but does not say so is made to say it (`without_reordering`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from firmware.errors import DecodeError

MAX_SIZE: Final = 1024
"""Octets of a parameter set; all that it can hold of scaling lists and HRD parameters takes fewer."""

_BASELINE: Final = 66
_WITH_CHROMA: Final = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""profile_idc of those that say what their chroma is like."""
_CROP_UNIT: Final = ((1, 1), (2, 2), (2, 1), (1, 1))
"""H.264 table 6-1: samples of luma to one of chroma across and down, by chroma_format_idc."""
_EXTENDED_SAR: Final = 255
_ASPECTS: Final = (
    *((0, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11)),
    *((80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1)),
)
"""H.264 table E-1, by aspect_ratio_idc."""
UNSPECIFIED: Final = 2
"""matrix_coefficients of a stream that does not say them (H.264 table E-5)."""


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """What one says."""

    profile: int
    """profile_idc."""
    coded_width: int
    """Pixels, whole macroblocks."""
    coded_height: int
    width: int
    """Pixels that are seen."""
    height: int
    plain: bool
    """Whether it is 4:2:0 of 8 bits, frame by frame."""
    order_type: int
    """pic_order_cnt_type."""
    references: int
    """max_num_ref_frames."""
    aspect: Fraction | None = None
    """Width of a pixel to its height; None: it doesn't say."""
    matrix: int = UNSPECIFIED
    """matrix_coefficients."""
    full_range: bool | None = None
    """None: it doesn't say."""
    restricted: bool = False
    """Whether it says how many pictures may overtake others."""

    @property
    def never_reorders(self) -> bool:
        """Whether no picture of the stream can be shown in another order than that in which it comes."""
        # H.264 8.2.1.3: type 2 gives the order of decoding.  A.2.1: baseline has no B slices.
        return self.order_type == 2 or self.profile == _BASELINE


class _Bits:
    """Reads a NAL unit bit by bit, without its header and emulation prevention."""

    def __init__(self, unit: bytes) -> None:
        if len(unit) > MAX_SIZE:
            raise DecodeError(f"a sequence parameter set of {len(unit)} octets")
        raw = unit[1:].replace(b"\0\0\3", b"\0\0")  # H.264 7.3.1
        self.length = len(raw) * 8
        self.value = int.from_bytes(raw, "big")
        self.place = 0

    def bits(self, count: int) -> int:
        """u(n)."""
        self.place += count
        if self.place > self.length:
            raise DecodeError("a sequence parameter set that is cut off")
        return self.value >> (self.length - self.place) & (1 << count) - 1

    def flag(self) -> bool:
        """u(1)."""
        return bool(self.bits(1))

    def number(self, most: int = (1 << 32) - 2) -> int:
        """ue(v) (H.264 9.1), at most this."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise DecodeError("a number in a sequence parameter set has no end")
        value = (1 << zeros | self.bits(zeros)) - 1
        if value > most:
            raise DecodeError(f"{value} in a sequence parameter set, where {most} is the most")
        return value

    def difference(self) -> int:
        """se(v)."""
        value = self.number()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def read(unit: bytes) -> SequenceParameters:
    """What a sequence parameter set says, a NAL unit with its header.  DecodeError: it can't be read."""
    return _read(_Bits(unit))[0]


def without_reordering(unit: bytes) -> bytes:
    """The same sequence parameter set, made to say that its pictures come in the order in which they are shown.

    Whoever calls this knows that they do (`SequenceParameters.never_reorders`).  It stays as it is if it says it
    already.  DecodeError: it can't be read.
    """
    bits = _Bits(unit)
    found, flag_place, has_vui = _read(bits)
    if found.restricted:
        return unit
    said = bin(1 << flag_place | bits.value >> (bits.length - flag_place))[3:]
    if not has_vui:
        said += "1" + "0" * 8  # H.264 E.1.1: each of the flags before bitstream_restriction_flag
    # motion_vectors_over_pic_boundaries_flag, no limit to the size of a picture or macroblock, the usual one to vectors
    said += "11" + _golomb(0) * 2 + _golomb(15) * 2
    said += _golomb(0) + _golomb(max(found.references, 1))  # max_num_reorder_frames, max_dec_frame_buffering
    said += "1"
    said += "0" * (-len(said) % 8)
    raw = int(said, 2).to_bytes(len(said) // 8, "big")
    return unit[:1] + _prevented(raw)


def _read(bits: _Bits) -> tuple[SequenceParameters, int, bool]:
    """What it says, where bitstream_restriction_flag (or vui_parameters_present_flag, if it is 0) is, and which."""
    profile = bits.bits(8)
    bits.bits(16)  # constraint flags, level
    bits.number(31)
    chroma, depths, one_plane = 1, (0, 0), True
    if profile in _WITH_CHROMA:
        chroma = bits.number(3)
        one_plane = not (chroma == 3 and bits.flag())
        depths = bits.number(6), bits.number(6)
        bits.flag()
        if bits.flag():
            _skip_scaling(bits, 12 if chroma == 3 else 8)
    bits.number(12)
    order_type = bits.number(2)
    if order_type == 0:
        bits.number(12)
    elif order_type == 1:
        bits.flag()
        bits.difference()
        bits.difference()
        for _ in range(bits.number(255)):
            bits.difference()
    references = bits.number(16)
    bits.flag()
    columns, rows = bits.number(1023) + 1, bits.number(1023) + 1
    progressive = bits.flag()
    if not progressive:
        bits.flag()
    bits.flag()
    coded = columns * 16, rows * 16 * (1 if progressive else 2)
    across, down = _CROP_UNIT[chroma] if one_plane else (1, 1)
    left, right, top, bottom = (bits.number(16_384) for _ in range(4)) if bits.flag() else (0, 0, 0, 0)
    width = coded[0] - across * (left + right)
    height = coded[1] - down * (1 if progressive else 2) * (top + bottom)
    if width <= 0 or height <= 0:
        raise DecodeError("a sequence parameter set that leaves nothing of its pictures")
    plain = progressive and chroma == 1 and depths == (0, 0)
    found = SequenceParameters(profile, *coded, width, height, plain, order_type, references)
    place = bits.place
    if not bits.flag():
        return found, place, False
    return _read_vui(bits, found)


def _read_vui(bits: _Bits, found: SequenceParameters) -> tuple[SequenceParameters, int, bool]:
    """H.264 E.1.1."""
    aspect, matrix, full_range = None, UNSPECIFIED, None
    if bits.flag():
        idc = bits.bits(8)
        across, down = (bits.bits(16), bits.bits(16)) if idc == _EXTENDED_SAR else (0, 0)
        if idc < len(_ASPECTS):
            across, down = _ASPECTS[idc]
        aspect = Fraction(across, down) if across and down else None  # E.2.1: 0 says that it is not known
    if bits.flag():
        bits.flag()
    if bits.flag():
        bits.bits(3)
        full_range = bits.flag()
        if bits.flag():
            bits.bits(16)
            matrix = bits.bits(8)
    if bits.flag():
        bits.number(5)
        bits.number(5)
    if bits.flag():
        bits.bits(65)
    hypothetical = False
    for _ in range(2):
        if bits.flag():
            hypothetical = True
            _skip_hrd(bits)
    if hypothetical:
        bits.flag()
    bits.flag()
    place = bits.place
    restricted = bits.flag()
    return replace(found, aspect=aspect, matrix=matrix, full_range=full_range, restricted=restricted), place, True


def _skip_scaling(bits: _Bits, lists: int) -> None:
    """H.264 7.3.2.1.1.1."""
    for number in range(lists):
        if not bits.flag():
            continue
        last = following = 8
        for _ in range(16 if number < 6 else 64):
            if following:
                following = (last + bits.difference()) % 256
            last = following or last


def _skip_hrd(bits: _Bits) -> None:
    """H.264 E.1.2."""
    count = bits.number(31) + 1
    bits.bits(8)
    for _ in range(count):
        bits.number()
        bits.number()
        bits.flag()
    bits.bits(20)


def _golomb(value: int) -> str:
    """ue(v)."""
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def _prevented(raw: bytes) -> bytes:
    """With emulation prevention (H.264 7.3.1)."""
    made = bytearray()
    for octet in raw:
        if octet <= 3 and made[-2:] == b"\0\0":
            made.append(3)
        made.append(octet)
    return bytes(made)
