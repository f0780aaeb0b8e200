"""Sequence parameter sets: real ones, made ones, and nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError
from firmware.rtp.h264_parameter_sets import MAX_SIZE, SequenceParameterSet, find, parse


class Writer:
    """Writes parameter sets bit by bit."""

    def __init__(self) -> None:
        self.bits = ""

    def u(self, count: int, value: int) -> Writer:
        self.bits += f"{value:0{count}b}" if count else ""
        return self

    def ue(self, *values: int) -> Writer:
        for value in values:
            code = f"{value + 1:b}"
            self.bits += "0" * (len(code) - 1) + code
        return self

    def se(self, value: int) -> Writer:
        return self.ue(2 * value - 1 if value > 0 else -2 * value)

    def unit(self) -> bytes:
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
        escaped, zeros = bytearray(), 0
        for octet in raw:
            if zeros >= 2 and octet <= 3:
                escaped.append(3)
                zeros = 0
            escaped.append(octet)
            zeros = 0 if octet else zeros + 1
        return b"\x67" + bytes(escaped)


def baseline(width: int, height: int, crop: tuple[int, int, int, int] | None = None, level: int = 31) -> Writer:
    writer = Writer().u(8, 66).u(8, 0xC0).u(8, level).ue(0, 0, 2, 1).u(1, 0)
    writer.ue((width + 15) // 16 - 1, (height + 15) // 16 - 1).u(1, 1).u(1, 1)
    writer.u(1, 1 if crop else 0)
    if crop:
        writer.ue(*crop)
    return writer.u(1, 0)


REAL = {
    # x264, 1280x720, constrained baseline 3.1
    "x264 720p": ("6742c01fda014016e840000003004000000f23c60ca8", 66, 31, 1280, 720),
    # x264, 1920x1080 with cropping, high 4.0
    "x264 1080p": ("67640028acb200f0044fcb08000003000800000301e478c19240", 100, 40, 1920, 1080),
}


@pytest.mark.parametrize(("text", "profile", "level", "width", "height"), REAL.values(), ids=REAL)
def test_real_parameter_set(text: str, profile: int, level: int, width: int, height: int) -> None:
    found = parse(bytes.fromhex(text))
    assert (found.profile, found.level, found.width, found.height) == (profile, level, width, height)


def test_everything_read() -> None:
    assert parse(baseline(640, 360, (0, 0, 0, 4)).unit()) == SequenceParameterSet(66, 0xC0, 31, 0, 640, 360)


def test_cropping_of_fields_counts_double() -> None:
    writer = Writer().u(8, 77).u(8, 0).u(8, 40).ue(3, 0, 0, 0, 4).u(1, 0).ue(119, 33)
    writer.u(1, 0).u(1, 0).u(1, 1).u(1, 1).ue(0, 0, 0, 2)
    found = parse(writer.unit())
    assert (found.number, found.width, found.height) == (3, 1920, 1088 - 8)


def test_high_profile_with_scaling_lists_and_order_type_1() -> None:
    writer = Writer().u(8, 100).u(8, 0).u(8, 31).ue(0).ue(3).u(1, 0).ue(0, 0).u(1, 0).u(1, 1)
    for index in range(12):
        writer.u(1, index % 2)
        if index % 2:
            writer.se(1)  # every scale from 9 up ...
            writer.se(-9)  # ... until it says 0: as the last
    writer.ue(0, 1).u(1, 0).se(-3).se(3).ue(2).se(1).se(-1).ue(1).u(1, 0).ue(19, 14).u(1, 1).u(1, 1)
    writer.u(1, 1).ue(1, 1, 0, 0)  # 4:4:4: the crop unit is one pixel
    found = parse(writer.unit())
    assert (found.width, found.height) == (318, 240)


@pytest.mark.parametrize("width", [16, 4096])
def test_sizes_made_of_zeros_need_emulation_prevention(width: int) -> None:
    found = parse(baseline(width, 16).unit())
    assert (found.width, found.height) == (width, 16)


@pytest.mark.parametrize(
    "unit",
    [
        b"",
        b"\x67",
        b"\x67\x42\xc0",
        b"\x68\x42\xc0\x1f\xd9\x00",  # a PPS
        b"\x67\x42\xc0\x1f",
        b"\x67" + b"\x00" * 60,  # an Exp-Golomb code without end
        baseline(640, 368).unit()[:6],
        baseline(MAX_SIZE + 32, 16).unit(),
        baseline(640, 368, (200, 200, 0, 0)).unit(),
        Writer().u(24, 0x42C01F).ue(32, 0, 0).unit(),  # seq_parameter_set_id
        Writer().u(24, 0x42C01F).ue(0, 0, 3).unit(),  # pic_order_cnt_type
        Writer().u(24, 0x64001F).ue(0, 4).unit(),  # chroma_format_idc
    ],
)
def test_nonsense_is_refused(unit: bytes) -> None:
    with pytest.raises(DecodeError, match=r"H\.264"):
        parse(unit)


def test_found_in_an_access_unit() -> None:
    sps = baseline(320, 240).unit()
    found = find(b"\x00\x00\x00\x01\x09\xf0\x00\x00\x01" + sps + b"\x00\x00\x01\x68ce\x00\x00\x01\x65idr")
    assert found is not None
    assert (found.width, found.height) == (320, 240)
    assert find(b"\x00\x00\x01\x65idr") is None
    assert find(b"\x00\x00\x01\x67") is None


@given(st.integers(1, 500), st.integers(1, 300), st.integers(0, 7), st.integers(0, 7))
def test_any_size(columns: int, rows: int, right: int, bottom: int) -> None:
    found = parse(baseline(16 * columns, 16 * rows, (0, right, 0, bottom)).unit())
    assert (found.width, found.height) == (16 * columns - 2 * right, 16 * rows - 2 * bottom)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = parse(b"\x67" + data)
    except DecodeError:
        return
    assert 0 < found.width <= MAX_SIZE + 16
    assert 0 < found.height <= 2 * MAX_SIZE + 32
