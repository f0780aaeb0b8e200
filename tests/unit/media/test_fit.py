"""Pictures of one shape in pictures of another."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest
from media_parts import brightness, picture

from firmware.media.fit import Fitter

WIDE = Fraction(12, 11)


@pytest.mark.parametrize(
    ("source", "target", "aspect", "inner"),
    [
        ((1280, 720), (640, 360), Fraction(1), (640, 360)),
        ((1280, 720), (848, 480), Fraction(1), (848, 480)),  # H.264's widths are rounded
        ((1280, 720), (352, 288), WIDE, (352, 216)),
        ((640, 480), (352, 288), WIDE, (352, 288)),
        ((720, 1280), (352, 288), WIDE, (148, 288)),
        ((10_000, 2), (352, 288), WIDE, (352, 2)),
    ],
)
def test_shapes(source: tuple[int, int], target: tuple[int, int], aspect: Fraction, inner: tuple[int, int]) -> None:
    assert Fitter(*target, aspect).inner_size(*source) == inner


def samples(frame: av.VideoFrame, x: int, y: int) -> int:
    return bytes(frame.planes[0])[y * frame.planes[0].line_size + x]


@pytest.mark.parametrize(
    ("source", "inside", "outside"),
    [((1280, 720), [(0, 40), (351, 250)], [(0, 34), (351, 253)]), ((360, 640), [(103, 0)], [(101, 0), (251, 287)])],
)
def test_what_is_left_over_is_black(
    source: tuple[int, int], inside: list[tuple[int, int]], outside: list[tuple[int, int]]
) -> None:
    fitter = Fitter(352, 288, WIDE)
    original = picture(100, *source)
    fitted = fitter.fit(original)
    assert (fitted.width, fitted.height, fitted.pts, fitted.time_base) == (352, 288, original.pts, original.time_base)
    assert {samples(fitted, *place) for place in inside} == {116}
    assert {samples(fitted, *place) for place in outside} == {16}
    assert set(bytes(fitted.planes[1])) == {128}
    assert brightness(fitted) == 100


def test_pictures_dont_share_memory() -> None:
    fitter = Fitter(352, 288, WIDE)
    first = fitter.fit(picture(100, 1280, 720))
    fitter.fit(picture(10, 1280, 720))
    assert brightness(first) == 100


def test_a_picture_without_a_time() -> None:
    assert Fitter(352, 288, WIDE).fit(av.VideoFrame(1280, 720, "yuv420p")).pts is None
