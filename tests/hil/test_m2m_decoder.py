"""The hardware decoder: the kernel's stateful decoder interface at /dev/video10, fed by the encoder beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from ctypes import c_int
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hil.pictures import Access
from hil.waiting import wait_for

from board import open_board
from board.pi import v4l2
from board.pi.backlog import MOST, PATIENCE
from board.pi.inventory import inventory
from board.pi.m2m_decoder import LEAST_PIXELS, USUAL, M2mDecoder, find_decoder, open_decoder
from board.pi.m2m_encoder import M2mEncoder
from board.settings import PiSettings
from board.sim.card import Card
from firmware.errors import DeviceError
from firmware.media import video_decoder
from firmware.media.codecs import VIDEO_CODECS
from firmware.media.decoder import Decoder
from firmware.media.encoder import SoftwareEncoder
from firmware.media.level import PictureFormat
from firmware.media.video_decoder import VideoDecoder
from firmware.ports import EncoderSettings
from firmware.rtp.h264 import SPS, AccessUnit, nal_units

LONGEST = 3.0
"""Seconds until what hardware does not decode is decoded by libav, on an emulated machine."""


CROPPED = bytes.fromhex("6742c028da0140177e25")
"""The sequence parameter set of 1280x736 of which the upper 720 rows are seen."""


@pytest.fixture(scope="module")
def decoder_node(encoder_node: Path) -> Path:
    """The hardware's H.264 decoder, which comes with its encoder."""
    node = find_decoder()
    assert node is not None
    return node


Encode = Callable[..., list[AccessUnit]]


@pytest.fixture
def encode(encoder_node: Path) -> Encode:
    """Encode the pictures of a card of this size; every ``period``-th one is a key frame."""

    def encode_them(width: int, height: int, count: int, period: int = 5) -> list[AccessUnit]:
        access = Access()
        settings = EncoderSettings(width=width, height=height, frame_rate=30, bitrate=20_000_000, level=40)
        encoder = M2mEncoder(encoder_node, settings, access.add, pytest.fail)
        card = Card(width, height, 30)
        for number in range(count):
            if number % period == 0:
                encoder.force_key_frame()
            encoder.encode(card.picture(number), number / 30)
            assert wait_for(lambda number=number: len(access.units) > number)
        encoder.close()
        return [unit(data) for data, _ in access.units]

    return encode_them


def unit(data: bytes) -> AccessUnit:
    types = 0
    for part in nal_units(data):
        types |= 1 << (part[0] & 0x1F)
    return AccessUnit(data, 0, types, damaged=False)


def by_x264(width: int, height: int, count: int) -> list[AccessUnit]:
    """What no hardware of the bench decodes."""
    encoder = SoftwareEncoder(VIDEO_CODECS["H264"], PictureFormat(width, height, 30, 40), 1_000_000)
    card = Card(width, height, 30)
    return [unit(encoder.encode(card.picture(number), number == 0)[0]) for number in range(count)]


@pytest.fixture
def open_one(decoder_node: Path) -> Iterator[Callable[[int, int], M2mDecoder]]:
    opened: list[M2mDecoder] = []

    def open_it(width: int, height: int) -> M2mDecoder:
        opened.append(M2mDecoder(decoder_node, width, height))
        return opened[-1]

    yield open_it
    for decoder in opened:
        decoder.close()


@pytest.fixture
def video(decoder_node: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VideoDecoder]:
    """What decodes a call's pictures, with this board's hardware for all sizes."""
    monkeypatch.setattr(video_decoder, "REST", 0.0)
    board = open_board("pi", {"decoder": "hardware"})
    decoder = VideoDecoder("h264", Fraction(1), board.open_decoder)
    yield decoder
    decoder.close()
    board.close()


@pytest.fixture
def keeping(on_bench: bool, decoder_node: Path) -> Iterator[Callable[[int], None]]:
    """Let the decoder keep so many pictures, as hardware does that does not know that none overtakes another."""
    if not on_bench:
        pytest.skip("the decoder of this machine does as it pleases")
    held = Path("/sys/module/h264_pcm/parameters/held")

    def keep(count: int) -> None:
        held.write_text(str(count))

    yield keep
    keep(0)


def same(frame: av.VideoFrame | None, other: av.VideoFrame | None) -> bool:
    """Whether both are the same picture, sample by sample."""
    if frame is None or other is None or (frame.width, frame.height) != (other.width, other.height):
        return False
    for plane, copy in zip(frame.planes, other.planes, strict=True):
        for row in range(plane.height):
            parts = (bytes(memoryview(each)[row * each.line_size :][: plane.width]) for each in (plane, copy))
            if next(parts) != next(parts):
                return False
    return True


def test_the_decoder_is_found(decoder_node: Path) -> None:
    assert decoder_node == USUAL
    assert inventory(PiSettings())["decoder"] == f"H.264 in hardware, {USUAL}"


def test_it_is_used_where_it_helps(decoder_node: Path) -> None:
    assert LEAST_PIXELS == 1280 * 720
    assert open_decoder("auto", 640, 360) is None
    assert open_decoder("software", 1280, 720) is None
    for wanted, width, height in (("auto", 1280, 720), ("hardware", 640, 360)):
        decoder = open_decoder(wanted, width, height)
        assert decoder is not None
        decoder.close()


# 1280x720 the device takes for granted; rows of 328 pixels lie in other places than libav's; the others are cropped.
@pytest.mark.parametrize(
    ("width", "height"), [(320, 192), (1280, 720), (328, 184), (854, 480), (640, 360), (1920, 1080)]
)
def test_pictures_are_those_that_libav_makes(
    open_one: Callable[[int, int], M2mDecoder], encode: Encode, width: int, height: int
) -> None:
    decoder, software = open_one(width, height), Decoder("h264")
    shown = []
    for each in encode(width, height, 3 if width > 900 else 8):
        frame, good = decoder.decode(each.data)
        assert good
        expected, _ = software.decode(each.data)
        shown.append(frame is not None and same(frame, expected))
    # The first may be late on a machine that is; what comes then is the newest.
    assert shown.count(True) >= len(shown) - 2
    assert shown[-1]


def test_another_size_in_mid_stream(video: VideoDecoder, encode: Encode, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    software = Decoder("h264")
    for width, height in ((320, 192), (640, 360), (352, 288), (320, 192)):
        results = [(video.decode(each), software.decode(each.data)[0]) for each in encode(width, height, 4, 2)]
        assert all(good for (_, good), _ in results)
        assert same(results[-1][0][0], results[-1][1])
    said = [record.getMessage() for record in caplog.records if "ecod" in record.getMessage()]
    assert said == [f"Decoding {size} in hardware" for size in ("320x192", "640x360", "352x288", "320x192")]


def test_a_size_that_was_not_announced_gets_no_memory(
    open_one: Callable[[int, int], M2mDecoder], encode: Encode
) -> None:
    decoder = open_one(640, 368)
    for each in encode(640, 368, 2):
        decoder.decode(each.data)
    with pytest.raises(DeviceError, match="decodes 320x192, which is not what was announced"):
        decoder.decode(encode(320, 192, 1)[0].data)


def test_missing_pictures_are_told(open_one: Callable[[int, int], M2mDecoder], encode: Encode) -> None:
    decoder, units = open_one(320, 192), encode(320, 192, 12, 6)
    results = [decoder.decode(each.data)[1] for number, each in enumerate(units) if number != 3]
    assert results == [True] * 3 + [False] + [True] * 7
    frame, good = decoder.decode(b"\0\0\0\1\x41" + b"\x55" * 500)
    assert (frame, good) == (None, False)
    assert decoder.decode(units[6].data)[1]


def test_a_stream_that_it_does_not_decode_is_decoded_by_libav_at_once(
    video: VideoDecoder, decoder_node: Path, caplog: pytest.LogCaptureFixture
) -> None:
    units, software = by_x264(320, 192, 6), Decoder("h264")
    start = time.monotonic()
    for each in units:
        frame, good = video.decode(each)
        assert good
        assert same(frame, software.decode(each.data)[0])
    assert time.monotonic() - start < LONGEST
    assert [record.getMessage() for record in caplog.records if "given up" in record.getMessage()] == [
        "The hardware decoder is given up: it does not decode this stream"
    ]


def test_a_stall_is_noticed_within_bounds(
    video: VideoDecoder, encode: Encode, caplog: pytest.LogCaptureFixture
) -> None:
    units = encode(320, 192, 12, 6)
    for each in units[:2]:
        assert video.decode(each)[1]
    hardware = video._hardware
    assert isinstance(hardware, M2mDecoder)
    hardware._device.ioctl(v4l2.STREAMOFF, c_int(v4l2.VIDEO_CAPTURE_MPLANE))
    start = time.monotonic()
    results = [video.decode(each) for each in units[2:]]
    assert time.monotonic() - start < LONGEST
    assert (None, False) in results[:4], "a key frame is asked for"
    expected = Decoder("h264")
    assert same(results[-1][0], [expected.decode(each.data)[0] for each in units[6:]][-1])
    assert "given up" in caplog.text


def test_one_that_keeps_a_picture_stays_one_behind(
    open_one: Callable[[int, int], M2mDecoder], encode: Encode, keeping: Callable[[int], None]
) -> None:
    keeping(1)
    decoder, software, units = open_one(320, 192), Decoder("h264"), encode(320, 192, 8)
    expected = [software.decode(each.data)[0] for each in units]
    results = [decoder.decode(each.data) for each in units]
    assert results[0] == (None, True)
    assert all(good for _, good in results)
    assert same(results[-1][0], expected[-2])
    start = time.monotonic()
    for each in units[5:]:
        assert decoder.decode(each.data)[0] is not None
    assert time.monotonic() - start < 3 * PATIENCE, "nobody waits for what does not come"


def test_one_that_keeps_more_is_given_up(
    open_one: Callable[[int, int], M2mDecoder], encode: Encode, keeping: Callable[[int], None]
) -> None:
    keeping(MOST + 1)
    decoder, units = open_one(320, 192), encode(320, 192, MOST + 1)
    for each in units[:MOST]:
        assert decoder.decode(each.data) == (None, True)
    with pytest.raises(DeviceError, match=f"{MOST + 1} pictures behind"):
        decoder.decode(units[MOST].data)


def test_a_stream_that_never_reorders_is_decoded_picture_by_picture(
    video: VideoDecoder, encode: Encode, keeping: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    keeping(MOST + 1)
    software = Decoder("h264")
    for each in encode(320, 192, 6):
        frame, good = video.decode(each)
        assert good
        assert same(frame, software.decode(each.data)[0])
    assert "given up" not in caplog.text


def test_a_change_that_leaves_the_size_is_followed(open_one: Callable[[int, int], M2mDecoder], encode: Encode) -> None:
    decoder, software = open_one(1280, 720), Decoder("h264")
    for each in encode(1280, 720, 2):
        assert decoder.decode(each.data)[1]
    for each in encode(1280, 736, 3, 3):
        parts = [CROPPED if part[0] & 0x1F == SPS else part for part in nal_units(each.data)]
        data = b"".join(b"\0\0\0\1" + part for part in parts)
        frame, good = decoder.decode(data)
        assert good
        expected, _ = software.decode(data)
    assert expected is not None
    assert (expected.width, expected.height) == (1280, 720)
    assert same(frame, expected)


def test_several_streams_at_once(open_one: Callable[[int, int], M2mDecoder], encode: Encode) -> None:
    sizes = ((320, 192), (640, 368), (352, 288))
    streams = [encode(width, height, 4) for width, height in sizes]
    decoders = [open_one(width, height) for width, height in sizes]
    for units in zip(*streams, strict=True):
        for each, decoder in zip(units, decoders, strict=True):
            assert decoder.decode(each.data)[1]
    for units, decoder in zip(streams, decoders, strict=True):
        frame, _ = decoder.decode(units[0].data)
        assert same(frame, Decoder("h264").decode(units[0].data)[0])


def test_it_can_be_opened_again_and_again(open_one: Callable[[int, int], M2mDecoder], encode: Encode) -> None:
    (each,) = encode(320, 192, 1)
    for _ in range(20):
        decoder = open_one(320, 192)
        assert decoder.decode(each.data)[1]
        decoder.close()


def test_what_it_can_not_do_is_refused(decoder_node: Path) -> None:
    with pytest.raises(DeviceError, match="decodes at most"):
        M2mDecoder(decoder_node, 7680, 4320)
    decoder = M2mDecoder(decoder_node, 320, 192)
    with pytest.raises(DeviceError, match="bytes"):
        decoder.decode(b"\0\0\0\1\x65" + bytes(2_000_000))
    decoder.close()
