"""`board.picture`."""

from fractions import Fraction

import av
import pytest
from av.video.reformatter import Colorspace
from PIL import Image

from board.picture import copied, cropped, to_frame, to_image


@pytest.mark.parametrize("size", [(64, 4), (7, 3), (853, 5)])
def test_an_image_goes_through_a_frame_unchanged(size: tuple[int, int]) -> None:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.putpixel((size[0] - 1, size[1] - 1), (1, 2, 3))
    assert to_image(to_frame(image)).tobytes() == image.tobytes()


def test_of_a_raw_picture_the_luma_is_taken() -> None:
    frame = to_frame(Image.new("RGB", (50, 30), "white")).reformat(format="yuv420p")
    image = to_image(frame)
    assert (image.mode, image.size) == ("L", (50, 30))
    assert image.getextrema() == (235, 235)


def gradient(width: int, height: int) -> av.VideoFrame:
    image = Image.merge(
        "RGB", [Image.linear_gradient("L").rotate(turn).resize((width, height)) for turn in (0, 90, 45)]
    )
    frame = to_frame(image).reformat(format="yuv420p")
    frame.time_base, frame.pts = Fraction(1, 1000), 17
    return frame


def pixels(frame: av.VideoFrame, plane: int) -> list[bytes]:
    source = frame.planes[plane]
    return [bytes(source)[row * source.line_size :][: source.width] for row in range(source.height)]


@pytest.mark.parametrize("size", [(640, 360), (322, 182)])
def test_a_copy_is_the_same_in_memory_of_its_own(size: tuple[int, int]) -> None:
    frame = gradient(*size)
    frame.colorspace = Colorspace.ITU601
    copy = copied(frame)
    before = [pixels(frame, plane) for plane in range(3)]
    assert [pixels(copy, plane) for plane in range(3)] == before
    assert (copy.time, copy.colorspace) == (0.017, Colorspace.ITU601)
    memoryview(copy.planes[0])[:] = bytes(copy.planes[0].buffer_size)
    assert pixels(frame, 0) == before[0]


def test_a_part_is_cut_out_of_all_planes() -> None:
    frame = gradient(640, 360)
    part = cropped(frame, 100, 50, 322, 182)
    assert (part.width, part.height, part.time) == (322, 182, 0.017)
    for plane, scale in enumerate((1, 2, 2)):
        rows = pixels(frame, plane)[50 // scale :][: 182 // scale]
        assert pixels(part, plane) == [row[100 // scale :][: 322 // scale] for row in rows]
