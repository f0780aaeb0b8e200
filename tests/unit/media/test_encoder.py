"""libx264 as it is set up here, read with what others wrote: the depacketizer's view and a decoder."""

from __future__ import annotations

from av.video.frame import PictureType
from media_parts import brightness, picture

from firmware.media.codecs import MAX_SLICE, VIDEO_CODECS
from firmware.media.decoder import Decoder
from firmware.media.encoder import SoftwareEncoder
from firmware.media.level import PictureFormat
from firmware.rtp.h264 import IDR, PPS, SPS, nal_units

FORMAT = PictureFormat(320, 180, 30, 13)


def types(access_unit: bytes) -> list[int]:
    return [unit[0] & 0x1F for unit in nal_units(access_unit)]


def test_the_first_picture_is_a_key_frame_with_its_parameter_sets() -> None:
    encoder = SoftwareEncoder(VIDEO_CODECS["H264"], FORMAT, 300_000)
    access_unit, key_frame, _ = encoder.encode(picture(0), False)
    assert key_frame
    assert {SPS, PPS, IDR} <= set(types(access_unit))
    sps = next(unit for unit in nal_units(access_unit) if unit[0] & 0x1F == SPS)
    assert sps[1:4] == bytes([66, 0xC0, 13])  # H.264 A.2.1: constrained baseline; and the level that was asked for


def test_a_key_frame_when_asked_for_and_only_then() -> None:
    encoder = SoftwareEncoder(VIDEO_CODECS["H264"], FORMAT, 300_000)
    keys = [encoder.encode(picture(n), n == 20)[1] for n in range(40)]
    assert [n for n, key in enumerate(keys) if key] == [0, 20]


def test_a_picture_that_others_encode_too_is_left_as_it_is() -> None:
    one, other = (SoftwareEncoder(VIDEO_CODECS["H264"], FORMAT, 300_000) for _ in range(2))
    for encoder in (one, other):
        encoder.encode(picture(0), False)
    shared = picture(1)
    time, pixels = shared.time, bytes(shared.planes[0])
    assert one.encode(shared, True).key_frame
    assert not other.encode(shared, False).key_frame
    assert (shared.time, shared.pict_type, bytes(shared.planes[0])) == (time, PictureType.NONE, pixels)


def test_a_picture_keeps_its_time_where_a_codec_counts() -> None:
    encoder = SoftwareEncoder(VIDEO_CODECS["H261"], PictureFormat(352, 288, 30, 0), 300_000)
    shared = picture(1, 352, 288)
    time = shared.time
    assert encoder.encode(shared, False).data
    assert shared.time == time


def test_every_slice_fits_a_packet() -> None:
    encoder = SoftwareEncoder(VIDEO_CODECS["H264"], PictureFormat(1280, 720, 30, 31), 4_000_000)
    noise = picture(0, 1280, 720)
    noise.planes[0].update(bytes(n * n * 7919 >> 5 & 0xFF for n in range(noise.planes[0].buffer_size)))
    access_unit = encoder.encode(noise, False).data
    sizes = [len(unit) for unit in nal_units(access_unit)]
    assert len(sizes) > 20
    assert max(sizes) <= MAX_SLICE


def test_any_size_is_scaled_and_the_picture_comes_back() -> None:
    encoder, decoder = SoftwareEncoder(VIDEO_CODECS["H264"], FORMAT, 300_000), Decoder("h264")
    for number in (0, 50, 150):
        access_unit = encoder.encode(picture(number, 640, 360), False).data
        frame, good = decoder.decode(access_unit)
        assert good
        assert frame is not None
        assert (frame.width, frame.height) == (320, 180)
        assert abs(brightness(frame) - number) < 4


def test_the_bitrate_changes_while_running() -> None:
    encoder = SoftwareEncoder(VIDEO_CODECS["H264"], PictureFormat(640, 360, 30, 30), 1_000_000)

    def octets(first: int) -> int:
        total = 0
        for number in range(first, first + 60):
            noise = picture(number, 640, 360)
            rows = bytes((n * 31 + number * n // 7) & 0xFF for n in range(noise.planes[0].buffer_size))
            noise.planes[0].update(rows)
            total += len(encoder.encode(noise, False)[0])
        return total

    before = octets(0)
    encoder.set_bitrate(200_000)
    octets(60)
    assert octets(120) < before / 2
    encoder.set_bitrate(5_000_000)  # more than it was opened with: as much as that
    octets(180)
    assert octets(240) > before / 2
