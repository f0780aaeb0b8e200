"""`firmware.rtp.h264_parameters`: real encoders' parameter sets, made-up ones, and rubbish."""

from __future__ import annotations

import dataclasses
import random
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError
from firmware.rtp.h264 import SPS, nal_units
from firmware.rtp.h264_parameters import UNSPECIFIED, SequenceParameters, read, without_reordering


def encoded(width: int, height: int, pixel_format: str = "yuv420p", **options: str) -> bytes:
    """An IDR picture by x264, with its parameter sets."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixel_format
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.options = {"tune": "zerolatency", "preset": "ultrafast", **options}
    frame = av.VideoFrame(width, height, pixel_format)
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def sequence(data: bytes) -> bytes:
    return next(unit for unit in nal_units(data) if unit[0] & 0x1F == SPS)


def made(fields: str, header: str = "67 42c0 1f") -> bytes:
    """A parameter set of these bits after its header (blanks are for people), with its end."""
    bits = fields.replace(" ", "") + "1"
    bits += "0" * (-len(bits) % 8)
    return bytes.fromhex(header) + int(bits, 2).to_bytes(len(bits) // 8, "big")


def ue(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


FRAME = f"{ue(0)} {ue(0)} {ue(2)} {ue(1)} 0 {ue(39)} {ue(22)} 1 1"
"""640x368, in the order of decoding, one reference."""
CROPPED = f"{FRAME} 1 {ue(0)} {ue(0)} {ue(0)} {ue(4)}"
"""The upper 360 rows."""


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (854, 480), (176, 144), (320, 180)])
@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_x264s(width: int, height: int, profile: str) -> None:
    found = read(sequence(encoded(width, height, profile=profile)))
    assert (found.width, found.height) == (width, height)
    assert (found.coded_width, found.coded_height) == (-(-width // 16) * 16, -(-height // 16) * 16)
    assert found.plain
    assert found.restricted
    assert found.references >= 1


def test_what_hardware_does_not_know_is_not_plain() -> None:
    assert not read(sequence(encoded(640, 360, "yuv422p", profile="high422"))).plain
    assert not read(sequence(encoded(640, 360, "yuv444p", profile="high444"))).plain
    assert not read(sequence(encoded(640, 360, "yuv420p10le", profile="high10"))).plain
    fields = read(sequence(encoded(640, 352, **{"x264-params": "interlaced=1"})))
    assert not fields.plain
    assert (fields.width, fields.height) == (640, 352)


def test_shape_and_colours() -> None:
    found = read(sequence(encoded(704, 576, **{"x264-params": "sar=12/11:colormatrix=bt709"})))
    assert found.aspect == Fraction(12, 11)
    assert (found.matrix, found.full_range) == (1, False)
    found = read(
        sequence(encoded(704, 576, **{"x264-params": "sar=64/45:nal-hrd=cbr:vbv-maxrate=500:vbv-bufsize=500"}))
    )
    assert found.aspect == Fraction(64, 45)
    assert found.restricted


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_scaling_lists_and_reordering(profile: str) -> None:
    found = read(
        sequence(encoded(640, 360, profile=profile, **{"x264-params": "cqm=jvt"} if profile == "high" else {}))
    )
    assert (found.width, found.height) == (640, 360)
    found = read(sequence(encoded(640, 360, tune="film", bf="3", profile="main")))
    assert not found.never_reorders


def test_fields_one_by_one() -> None:
    assert read(made(f"{CROPPED} 0")) == SequenceParameters(
        66, 640, 368, 640, 360, plain=True, order_type=2, references=1
    )
    by_count = f"{ue(0)} {ue(0)} {ue(1)} 0 {ue(3)} {ue(4)} {ue(2)} {ue(1)} {ue(2)} {ue(4)} 1 {ue(7)} {ue(5)} 1 1 0 0"
    assert read(made(by_count)) == SequenceParameters(66, 128, 96, 128, 96, plain=True, order_type=1, references=4)
    vui = "1 1 0000 0001 1 0 1 101 0 1 0000 0001 0000 0001 0000 0110 0 0 0 0 0 0"
    assert read(made(f"{CROPPED} {vui}")) == SequenceParameters(
        *(66, 640, 368, 640, 360),
        plain=True,
        order_type=2,
        references=1,
        aspect=Fraction(1),
        matrix=6,
        full_range=False,
    )


@pytest.mark.parametrize(
    "vui", ["0", "1 0 0 0 0 0 0 0 0 0", "1 1 0000 0010 0 0 0 0 0 0 0 0", "1 0 0 0 0 1" + "0" * 65 + "0000"]
)
def test_a_stream_that_never_reorders_can_be_made_to_say_so(vui: str) -> None:
    before = made(f"{CROPPED} {vui}")
    assert not read(before).restricted
    assert read(before).never_reorders
    after = without_reordering(before)
    assert read(after) == dataclasses.replace(read(before), restricted=True)
    assert without_reordering(after) == after
    assert b"\0\0\0" not in after
    assert b"\0\0\1" not in after


def silent(unit: bytes) -> bytes:
    """A parameter set without what x264 says beside the size."""
    bits = f"{int.from_bytes(unit[4:], 'big'):0{8 * len(unit) - 32}b}"
    least = dataclasses.replace(read(unit), aspect=None, matrix=UNSPECIFIED, full_range=None, restricted=False)
    for place, bit in enumerate(bits):
        candidate = made(bits[:place] + "0", unit[:4].hex())
        try:
            if bit == "1" and read(candidate) == least:
                return candidate
        except DecodeError:
            continue
    raise AssertionError("it says all of that")


def test_libav_takes_what_was_made_of_it() -> None:
    data = encoded(640, 360, profile="baseline")
    before = silent(sequence(data))
    after = without_reordering(before)
    assert len(before) < len(after)
    decoder = av.CodecContext.create("h264", "r")
    units = [after if unit[0] & 0x1F == SPS else unit for unit in nal_units(data)]
    (frame,) = [*decoder.decode(av.Packet(b"".join(b"\0\0\0\1" + unit for unit in units))), *decoder.decode(None)]
    assert isinstance(frame, av.VideoFrame)
    assert (frame.width, frame.height, frame.is_corrupt) == (640, 360, False)
    assert abs(bytes(frame.planes[0])[0] - 128) <= 2


def test_restrictions_that_are_there_stay() -> None:
    unit = sequence(encoded(640, 360))
    assert without_reordering(unit) is unit


@pytest.mark.parametrize(
    "unit",
    [
        b"\x67",
        bytes.fromhex("6742c01f"),
        made(f"{ue(32)}"),
        made(f"{ue(0)} {ue(13)}"),
        made(f"{ue(0)} {ue(0)} {ue(3)}"),
        made(f"{ue(0)} {ue(0)} {ue(2)} {ue(17)}"),
        made(f"{ue(0)} {ue(0)} {ue(2)} {ue(1)} 0 {ue(1024)}"),
        made(f"{FRAME} 1 {ue(0)} {ue(320)} {ue(0)} {ue(0)} 0"),
        made("0" * 40),
        b"\x67" + b"\xff" * 2000,
    ],
    ids=lambda unit: unit.hex()[:24],
)
def test_what_can_not_be_read(unit: bytes) -> None:
    with pytest.raises(DecodeError):
        read(unit)


@given(st.binary(max_size=60))
def test_rubbish_is_no_more_than_a_decode_error(rest: bytes) -> None:
    for profile in (b"\x67\x42\xc0\x1f", b"\x67\x64\x00\x1f", b"\x67"):
        try:
            read(profile + rest)
            without_reordering(profile + rest)
        except DecodeError:
            continue


@pytest.mark.parametrize("seed", range(5))
def test_damaged_ones(seed: int) -> None:
    chance = random.Random(seed)
    unit = sequence(encoded(704, 576, **{"x264-params": "sar=12/11:nal-hrd=cbr:vbv-maxrate=500:vbv-bufsize=500"}))
    for _ in range(300):
        damaged = bytearray(unit)
        for _ in range(3):
            damaged[chance.randrange(1, len(damaged))] = chance.randrange(256)
        try:
            found = read(bytes(damaged[: chance.randrange(2, len(damaged) + 1)]))
        except DecodeError:
            continue
        assert 0 < found.width <= found.coded_width <= 16_384
        assert 0 < found.height <= found.coded_height <= 32_768
