"""The decoder: whole pictures, damaged ones, and rubbish."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from media_parts import brightness, picture

from firmware.media.codecs import VIDEO_CODECS
from firmware.media.decoder import MAX_PIXELS, Decoder
from firmware.media.encoder import SoftwareEncoder
from firmware.media.level import PictureFormat
from firmware.rtp.h264 import nal_units


def stream(count: int, width: int = 640, height: int = 360) -> list[bytes]:
    encoder = SoftwareEncoder(VIDEO_CODECS["H264"], PictureFormat(width, height, 30, 31), 1_500_000)
    units = []
    for number in range(count):
        frame = picture(number * 10, width, height)
        size = frame.planes[0].buffer_size
        texture = random.Random(number).randbytes(size // 8)
        frame.planes[0].update(texture * 8)
        units.append(encoder.encode(frame, False)[0])
    return units


def test_each_picture_comes_at_once() -> None:
    decoder = Decoder("h264")
    encoder = SoftwareEncoder(VIDEO_CODECS["H264"], PictureFormat(320, 180, 30, 13), 300_000)
    for number in range(0, 100, 10):
        frame, good = decoder.decode(encoder.encode(picture(number), False)[0])
        assert good
        assert frame is not None
        assert abs(brightness(frame) - number) < 4


@pytest.mark.parametrize(("name", "decoder"), [("H263", "h263"), ("H261", "h261")])
def test_pixels_of_old_codecs_become_squares(name: str, decoder: str) -> None:
    row = VIDEO_CODECS[name]
    decode = Decoder(row.decoder, row.pixel_aspect)
    encoder = SoftwareEncoder(row, PictureFormat(352, 288, 30, 0, row.pixel_aspect), 300_000)
    for number in (50, 100):
        frame, good = decode.decode(encoder.encode(picture(number, 1280, 720), False).data)
        assert good
        assert frame is not None
        square = decode.square(frame)
        assert (frame.width, square.width, square.height) == (352, 384, 288)
        assert abs(brightness(square) - number) < 4


@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(4), Fraction(1, 4), Fraction(0)])
def test_other_pixels_stay_as_they_are(aspect: Fraction) -> None:
    decode = Decoder("h264", aspect)
    frame, _ = decode.decode(stream(1)[0])
    assert frame is not None
    assert decode.square(frame) is frame


def test_squares_have_a_bound() -> None:
    decode = Decoder("h264", Fraction(3))
    frame, _ = decode.decode(stream(1, 1280, 720)[0])
    assert frame is not None
    assert decode.square(frame) is frame


def test_nothing_can_be_decoded_before_a_key_frame() -> None:
    decoder, units = Decoder("h264"), stream(5)
    assert [decoder.decode(unit)[0] for unit in units[1:]] == [None] * 4
    frame, good = decoder.decode(units[0])
    assert good
    assert frame is not None


def test_a_missing_slice_is_noticed() -> None:
    decoder, units = Decoder("h264"), stream(3)
    slices = list(nal_units(units[1]))
    assert len(slices) > 3
    assert decoder.decode(units[0])[1]
    _, good = decoder.decode(b"".join(b"\0\0\0\1" + part for part in slices[:1] + slices[3:]))
    assert not good


@pytest.mark.parametrize("seed", range(20))
def test_rubbish_neither_raises_nor_harms(seed: int) -> None:
    chance = random.Random(seed)
    decoder, units = Decoder("h264"), stream(4)
    decoder.decode(units[0])
    damaged = bytearray(units[1])
    for _ in range(30):
        damaged[chance.randrange(5, len(damaged))] = chance.randrange(256)
    decoder.decode(bytes(damaged))
    decoder.decode(chance.randbytes(3_000))
    decoder.decode(b"\0\0\0\1" + bytes([chance.randrange(256)]) + chance.randbytes(200))
    decoder.decode(b"")
    frame, good = decoder.decode(units[0])
    assert good
    assert frame is not None


def test_a_picture_that_is_too_large_is_refused() -> None:
    unit = stream(1, 2560, 1440)[0]
    assert MAX_PIXELS < 2560 * 1440
    assert Decoder("h264").decode(unit) == (None, False)
