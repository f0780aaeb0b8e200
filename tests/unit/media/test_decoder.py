"""The decoder: whole pictures, damaged ones, and rubbish."""

from __future__ import annotations

import random

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
