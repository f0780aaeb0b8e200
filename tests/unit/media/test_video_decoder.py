"""Who decodes: hardware where it helps and works, libav from the moment it doesn't."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import pytest
from media_parts import brightness, picture

from firmware.errors import DeviceError
from firmware.media import video_decoder as module
from firmware.media.codecs import VIDEO_CODECS
from firmware.media.decoder import Decoder
from firmware.media.encoder import SoftwareEncoder
from firmware.media.level import PictureFormat
from firmware.media.video_decoder import VideoDecoder
from firmware.rtp import h264_parameters
from firmware.rtp.h264 import IDR, PPS, SLICE, SPS, AccessUnit, nal_units

SQUARE = Fraction(1)


def unit(*parts: bytes, damaged: bool = False) -> AccessUnit:
    types = 0
    for part in parts:
        types |= 1 << (part[0] & 0x1F)
    return AccessUnit(b"".join(b"\0\0\0\1" + part for part in parts), 0, types, damaged)


class FarEnd:
    """Encodes pictures."""

    def __init__(self, width: int = 640, height: int = 360, **options: str) -> None:
        self._encoder = SoftwareEncoder(VIDEO_CODECS["H264"], PictureFormat(width, height, 30, 31), 900_000)
        self._size = width, height

    def parts(self, number: int, key_frame: bool = False) -> list[bytes]:
        return list(nal_units(self._encoder.encode(picture(number, *self._size), key_frame)[0]))

    def unit(self, number: int, key_frame: bool = False) -> AccessUnit:
        return unit(*self.parts(number, key_frame))


class Hardware:
    """A decoder in a board: libav, with faults that a test chooses."""

    def __init__(self, width: int, height: int) -> None:
        self.size = width, height
        self.units: list[bytes] = []
        self.error = ""
        self.finds_fault = False
        self.closed = False
        self._decoder = Decoder("h264")

    def decode(self, access_unit: bytes) -> tuple[av.VideoFrame | None, bool]:
        assert not self.closed
        if self.error:
            raise DeviceError(self.error)
        self.units.append(access_unit)
        frame, good = self._decoder.decode(access_unit)
        return frame, good and not self.finds_fault

    def close(self) -> None:
        self.closed = True

    @property
    def kinds(self) -> list[list[int]]:
        return [[part[0] & 0x1F for part in nal_units(data)] for data in self.units]


@dataclass
class Board:
    """Opens them, from a size on."""

    least: int = 0
    refusal: str = ""

    def __post_init__(self) -> None:
        self.opened: list[Hardware] = []
        self.asked: list[tuple[int, int]] = []

    def open_decoder(self, width: int, height: int) -> Hardware | None:
        self.asked.append((width, height))
        if self.refusal:
            raise DeviceError(self.refusal)
        if width * height < self.least:
            return None
        self.opened.append(Hardware(width, height))
        return self.opened[-1]


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    monkeypatch.setattr(module, "REST", 0.0)
    return Board()


@pytest.fixture
def decoder(board: Board) -> VideoDecoder:
    return VideoDecoder("h264", SQUARE, board.open_decoder)


def shows(decoder: VideoDecoder, unit: AccessUnit, parameters: bytes = b"") -> int | None:
    """The brightness of what comes of it; None: nothing, or nothing good."""
    frame, good = decoder.decode(unit, parameters)
    return round(brightness(frame) / 10) * 10 if frame is not None and good else None


def test_hardware_decodes_from_a_key_frame_on(decoder: VideoDecoder, board: Board) -> None:
    far_end = FarEnd()
    far_end.unit(0)
    assert shows(decoder, far_end.unit(10)) is None
    assert board.asked == []
    assert [shows(decoder, far_end.unit(number, number == 20)) for number in (20, 30, 40)] == [20, 30, 40]
    (hardware,) = board.opened
    assert hardware.size == (640, 360)
    assert len(hardware.units) == 3
    decoder.close()
    assert hardware.closed


def test_other_codecs_have_none(board: Board) -> None:
    row = VIDEO_CODECS["H263"]
    decoder = VideoDecoder(row.decoder, row.pixel_aspect, board.open_decoder)
    encoder = SoftwareEncoder(row, PictureFormat(352, 288, 30, 0, row.pixel_aspect), 300_000)
    data = encoder.encode(picture(50, 352, 288), True).data
    frame, good = decoder.decode(AccessUnit(data, 0, 1 << IDR, False))
    assert good
    assert frame is not None
    assert board.asked == []
    assert decoder.square(frame).width == 384


def test_where_it_is_no_help_libav_decodes(decoder: VideoDecoder, board: Board) -> None:
    board.least = 1280 * 720
    far_end = FarEnd()
    assert [shows(decoder, far_end.unit(number, number == 20)) for number in (10, 20, 30)] == [10, 20, 30]
    assert board.asked == [(640, 360)], "not at each key frame anew"


def test_a_device_that_is_busy_is_no_trouble(
    decoder: VideoDecoder, board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    board.refusal = "busy"
    far_end = FarEnd()
    with caplog.at_level("INFO"):
        assert [shows(decoder, far_end.unit(number, True)) for number in (10, 20, 30)] == [10, 20, 30]
    assert [record.getMessage() for record in caplog.records] == ["Decoding in software: busy"]


def test_another_size_opens_another(decoder: VideoDecoder, board: Board) -> None:
    board.least = 640 * 360
    far_ends = FarEnd(640, 360), FarEnd(1280, 720), FarEnd(320, 180), FarEnd(640, 360)
    for number, far_end in zip((10, 20, 30, 40), far_ends, strict=True):
        assert shows(decoder, far_end.unit(number)) == number
        assert shows(decoder, far_end.unit(number + 50)) == number + 50
    assert [hardware.size for hardware in board.opened] == [(640, 360), (1280, 720), (640, 360)]
    assert [hardware.closed for hardware in board.opened] == [True, True, False]
    assert [len(hardware.units) for hardware in board.opened] == [2, 2, 2]


def test_another_source_opens_another(decoder: VideoDecoder, board: Board) -> None:
    assert shows(decoder, FarEnd().unit(10)) == 10
    decoder.restart()
    assert board.opened[0].closed
    far_end = FarEnd()
    far_end.unit(20)
    assert shows(decoder, far_end.unit(30)) is None
    assert shows(decoder, far_end.unit(40, True)) == 40
    assert len(board.opened) == 2


def test_a_far_end_that_changes_all_the_time_does_not_keep_hardware_busy(
    decoder: VideoDecoder, board: Board, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "REST", 1_000.0)
    caplog.set_level("INFO")
    for number in range(5):
        assert shows(decoder, FarEnd(640, 360).unit(10 * number)) == 10 * number
        decoder.restart()
        assert shows(decoder, FarEnd(320, 180).unit(20 * number)) == 20 * number
    assert len(board.asked) == 1
    assert len([record for record in caplog.records if record.name == module.__name__]) == 1
    far_end = FarEnd(640, 360)
    assert shows(decoder, far_end.unit(50)) == 50
    monkeypatch.setattr(decoder, "_rests_until", 0.0)
    assert shows(decoder, far_end.unit(60, True)) == 60
    assert len(board.opened) == 2, "when that is over, it is tried again"


def test_one_that_fails_at_a_key_frame_is_not_noticed(
    decoder: VideoDecoder, board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    far_end = FarEnd()
    assert shows(decoder, far_end.unit(10)) == 10
    board.opened[0].error = "it hangs"
    assert [shows(decoder, far_end.unit(number, number == 20)) for number in (20, 30)] == [20, 30]
    assert board.opened[0].closed
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said == ["The hardware decoder is given up: it hangs"]
    decoder.restart()
    assert shows(decoder, FarEnd().unit(40)) == 40
    assert len(board.opened) == 1, "nor is it tried again"


def test_one_that_fails_elsewhere_costs_a_key_frame(decoder: VideoDecoder, board: Board) -> None:
    far_end = FarEnd()
    assert shows(decoder, far_end.unit(10)) == 10
    board.opened[0].error = "it hangs"
    assert decoder.decode(far_end.unit(20)) == (None, False)
    parts = [part for part in far_end.parts(30, True) if part[0] & 0x1F not in (SPS, PPS)]
    assert shows(decoder, unit(*parts)) == 30, "also without parameter sets, which came before"


def test_one_that_finds_fault_with_a_whole_key_frame_does_not_know_the_stream(
    decoder: VideoDecoder, board: Board
) -> None:
    far_end = FarEnd()
    assert shows(decoder, far_end.unit(10)) == 10
    board.opened[0].finds_fault = True
    frame, good = decoder.decode(far_end.unit(20))
    assert frame is not None
    assert not good
    assert not board.opened[0].closed, "something may have been lost on the way"
    parts = far_end.parts(30, True)
    decoder.decode(unit(*parts, damaged=True))
    assert not board.opened[0].closed
    assert shows(decoder, far_end.unit(40, True)) == 40
    assert board.opened[0].closed


def test_parameter_sets_go_before_each_key_frame(decoder: VideoDecoder, board: Board) -> None:
    far_end = FarEnd()
    parts = far_end.parts(10)
    sets = [part for part in parts if part[0] & 0x1F in (SPS, PPS)]
    rest = [part for part in parts if part[0] & 0x1F == IDR]
    told = b"".join(b"\0\0\0\1" + part for part in sets)
    assert shows(decoder, unit(*rest), told) == 10
    assert shows(decoder, far_end.unit(20)) == 20
    second = [part for part in far_end.parts(30, True) if part[0] & 0x1F == IDR]
    assert shows(decoder, unit(*second)) == 30
    assert decoder.decode(unit(*sets)) == (None, True)
    third = [part for part in far_end.parts(40, True) if part[0] & 0x1F == IDR]
    assert shows(decoder, unit(*third)) == 40
    (hardware,) = board.opened
    assert [sorted(set(kinds)) for kinds in hardware.kinds] == [
        [IDR, SPS, PPS],
        [SLICE],
        [IDR, SPS, PPS],
        [IDR, SPS, PPS],
    ]
    assert all(kinds.count(SPS) == kinds.count(IDR in kinds and SPS) for kinds in hardware.kinds)


def test_hardware_is_told_that_nothing_is_reordered(decoder: VideoDecoder, board: Board) -> None:
    parts = FarEnd().parts(10)
    before = next(part for part in parts if part[0] & 0x1F == SPS)
    place = before.index(before[4:])
    assert place == 4
    shows(decoder, unit(*parts))
    given = next(part for part in nal_units(board.opened[0].units[0]) if part[0] & 0x1F == SPS)
    assert h264_parameters.read(given).restricted


@pytest.mark.parametrize("size", [(2560, 1440), (1920, 1200)])
def test_a_picture_that_is_too_large_opens_nothing(decoder: VideoDecoder, board: Board, size: tuple[int, int]) -> None:
    assert decoder.decode(FarEnd(*size).unit(10)) == (None, False)
    assert board.asked == []


def test_rubbish_opens_nothing_and_harms_nothing(decoder: VideoDecoder, board: Board) -> None:
    for sequence in (b"\x67", b"\x67\x42\xc0\x1f", b"\x67\xff" + b"\xff" * 3_000):
        decoder.decode(unit(sequence, b"\x68\xce", b"\x65\x88\x80"))
    decoder.decode(AccessUnit(b"\0\0\1", 0, 1 << IDR, False))
    decoder.decode(AccessUnit(b"", 0, 1 << IDR, False))
    assert board.asked == []
    assert shows(decoder, FarEnd().unit(50)) == 50


def test_shape_and_colours_are_the_streams(board: Board) -> None:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 704, 576, "yuv420p"
    encoder.time_base = Fraction(1, 30)
    encoder.options = {"tune": "zerolatency", "x264-params": "sar=12/11:colormatrix=bt709"}
    frame = picture(90, 704, 576)
    frame.pts = 0
    data = b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    decoded = []
    for decoder in (
        VideoDecoder("h264", SQUARE, board.open_decoder),
        VideoDecoder("h264", SQUARE, lambda width, height: None),
    ):
        got, good = decoder.decode(AccessUnit(data, 0, 1 << IDR | 1 << SPS, False))
        assert good
        assert got is not None
        square = decoder.square(got)
        decoded.append((square.width, square.height, int(got.colorspace), int(got.color_range)))
    assert board.opened
    assert decoded[0] == decoded[1] == (768, 576, 1, 1)
