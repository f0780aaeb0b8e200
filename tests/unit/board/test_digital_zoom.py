"""`board.digital_zoom`."""

import pytest

from board.digital_zoom import DigitalZoom
from firmware.ports import PanTiltZoom, View

WHOLE = (0, 0, 1280, 720)


@pytest.fixture
def zoom() -> DigitalZoom:
    return DigitalZoom()


def test_it_is_moved_along_all_axes_bit_by_bit(zoom: PanTiltZoom) -> None:
    assert zoom.axes == {"pan", "tilt", "zoom"}
    assert zoom.driven == frozenset()


@pytest.mark.parametrize(
    ("view", "part"),
    [
        (View(), WHOLE),
        (View(pan=1, tilt=1), WHOLE),
        (View(zoom=0.5), (320, 180, 640, 360)),
        (View(zoom=1), (480, 270, 320, 180)),
        (View(-1, 1, 1), (0, 0, 320, 180)),
        (View(1, -1, 1), (960, 540, 320, 180)),
        (View(-0.5, 0, 1), (240, 270, 320, 180)),
        (View(9, -9, 9), (960, 540, 320, 180)),
        (View(zoom=-3), WHOLE),
    ],
)
def test_the_part_that_is_seen(zoom: DigitalZoom, view: View, part: tuple[int, int, int, int]) -> None:
    zoom.go_to(view)
    assert zoom.part(1280, 720) == part


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (854, 480), (320, 180), (4056, 3040), (2, 2)])
def test_the_part_is_even_and_within_the_picture(zoom: DigitalZoom, width: int, height: int) -> None:
    for n in range(101):
        zoom.go_to(View(pan=n / 50 - 1, tilt=1 - n / 50, zoom=n / 100))
        left, top, part_width, part_height = part = zoom.part(width, height)
        assert all(number % 2 == 0 for number in part)
        assert min(left, top) >= 0
        assert min(part_width, part_height) > 0
        assert left + part_width <= width
        assert top + part_height <= height


def test_what_is_not_said_stays(zoom: DigitalZoom) -> None:
    zoom.go_to(View(0.5, -0.5, 1))
    zoom.go_to(View(tilt=0.25))
    assert zoom.view == View(0.5, 0.25, 1)


def test_changes_are_told_of(zoom: DigitalZoom) -> None:
    told: list[View] = []
    zoom.when_changed = lambda: told.append(zoom.view)
    zoom.go_to(View(zoom=0))
    zoom.go_to(View(zoom=2))
    zoom.go_to(View(zoom=1))
    assert told == [View(0, 0, 1)]
