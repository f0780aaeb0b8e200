"""`board.pi.raw_picture`: what cameras give, made what the firmware takes."""

from fractions import Fraction

import av
import pytest
from av.video.frame import PictureType

from board.pi.raw_picture import Converter

WIDTH, HEIGHT = 64, 48
RED = (81, 90, 240)
"""Y, Cb, Cr."""


def middle(frame: av.VideoFrame) -> tuple[int, ...]:
    return tuple(bytes(p)[p.height // 2 * p.line_size + p.width // 2] for p in frame.planes)


def raw(pixel_format: str, stride: int) -> bytes:
    """A red picture; what is beyond a row's end is 0xff."""

    def rows(row: bytes, length: int, count: int) -> bytes:
        return row.ljust(length, b"\xff") * count

    if pixel_format == "RGB3":
        return rows(b"\xff\0\0" * WIDTH, stride, HEIGHT)
    y, cb, cr = (bytes([value]) for value in RED)
    if pixel_format == "YUYV":
        return rows((y + cb + y + cr) * (WIDTH // 2), stride, HEIGHT)
    if pixel_format == "UYVY":
        return rows((cb + y + cr + y) * (WIDTH // 2), stride, HEIGHT)
    luma = rows(y * WIDTH, stride, HEIGHT)
    if pixel_format == "NV12":
        return luma + rows((cb + cr) * (WIDTH // 2), stride, HEIGHT // 2)
    return luma + b"".join(rows(c * (WIDTH // 2), stride // 2, HEIGHT // 2) for c in (cb, cr))


@pytest.mark.parametrize("padding", [0, 2, 64])
@pytest.mark.parametrize("pixel_format", ["YU12", "NV12", "YUYV", "UYVY", "RGB3"])
def test_raw_pictures(pixel_format: str, padding: int) -> None:
    stride = WIDTH * {"YUYV": 2, "UYVY": 2, "RGB3": 3}.get(pixel_format, 1) + padding
    frame = Converter(pixel_format, WIDTH, HEIGHT, stride).convert(memoryview(raw(pixel_format, stride)))
    assert frame is not None
    assert (frame.width, frame.height, frame.format.name) == (WIDTH, HEIGHT, "yuv420p")
    for plane, value in zip(frame.planes, RED, strict=True):
        pixels = bytes(plane)
        assert all(
            set(pixels[row * plane.line_size :][: plane.width]) == {value}
            for row in (0, plane.height // 2, -1 % plane.height)
        )


def jpeg(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj422p"
    encoder.time_base = Fraction(1, 30)
    frame = av.VideoFrame(width, height, "rgb24")
    plane = frame.planes[0]
    memoryview(plane)[:] = b"\xff\0\0" * (plane.buffer_size // 3) + b"\0" * (plane.buffer_size % 3)
    return b"".join(bytes(packet) for packet in encoder.encode(frame.reformat(format="yuvj422p")))


def test_jpeg_pictures() -> None:
    converter = Converter("MJPG", WIDTH, HEIGHT, 0)
    for _ in range(2):
        frame = converter.convert(memoryview(jpeg()))
        assert frame is not None
        assert (frame.format.name, frame.pict_type) == ("yuv420p", PictureType.NONE)
        assert all(abs(a - b) <= 3 for a, b in zip(middle(frame), RED, strict=True))


def test_pictures_that_the_camera_encoded() -> None:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, 30)
    encoder.options = {"tune": "zerolatency", "profile": "baseline"}
    converter = Converter("H264", WIDTH, HEIGHT, 0)
    assert converter.convert(memoryview(bytes.fromhex("00000001 419a28"))) is None, "no key frame was there before"
    for number in range(3):
        picture = Converter("YU12", WIDTH, HEIGHT, WIDTH).convert(memoryview(raw("YU12", WIDTH)))
        assert picture is not None
        picture.pts = number
        frame = converter.convert(memoryview(b"".join(map(bytes, encoder.encode(picture)))))
        assert frame is not None, "at once"
        assert all(abs(a - b) <= 3 for a, b in zip(middle(frame), RED, strict=True))
        assert frame.pict_type == PictureType.NONE


def test_a_picture_is_its_own() -> None:
    converter = Converter("YU12", WIDTH, HEIGHT, WIDTH)
    data = bytearray(raw("YU12", WIDTH))
    first = converter.convert(memoryview(data))
    data[:] = bytes(len(data))
    assert first is not None
    assert middle(first) == RED


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"nonsense", jpeg()[:200], jpeg(32, 32)])
def test_what_is_no_picture_is_passed_over(data: bytes) -> None:
    assert Converter("MJPG", WIDTH, HEIGHT, 0).convert(memoryview(data)) is None


def test_half_a_raw_picture_is_passed_over() -> None:
    data = raw("YUYV", WIDTH * 2)
    assert Converter("YUYV", WIDTH, HEIGHT, WIDTH * 2).convert(memoryview(data)[:-1]) is None
