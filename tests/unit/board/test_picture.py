"""`board.picture`."""

import pytest
from PIL import Image

from board.picture import to_frame, to_image


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
