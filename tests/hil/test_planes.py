"""The display's own planes: what they show is what would be composed in memory, read back from the hardware."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import av
import pytest
from hil.refreshes import HEIGHT, REFRESH, WIDTH, Refreshes, small_display
from hil.writeback import Planes
from PIL import Image

from board import open_board
from board.pi.display import KmsDisplay
from board.pi.frame_buffer import FrameBuffer
from board.picture import to_frame
from board.sim.card import Card
from board.sim.counter import read_counter
from firmware.ports import Plane

FAR_END = Card(640, 360, 30)
BACKGROUND = Plane(Image.new("RGBA", (16, 16), (20, 40, 60, 255)), 0, 0, 1, 1, fill=True)
WORDS = Plane(Image.new("RGBA", (32, 16), (255, 255, 255, 128)), 0.05, 0.05, 0.25, 0.125, fill=True)


def self_view(size: float = 0.25) -> Plane:
    red = to_frame(Image.new("RGB", (320, 240), (200, 0, 0)))
    return Plane(red.reformat(format="yuv420p", dst_colorspace="itu601"), 1 - size, 1 - size, size, size, fill=True)


def far_end(number: int) -> Plane:
    picture = FAR_END.picture(number)
    assert isinstance(picture, av.VideoFrame)
    return Plane(picture, 0, 0, 1, 1)


@pytest.fixture(scope="module")
def planes(on_bench: bool) -> Iterator[Planes]:
    if not on_bench:
        pytest.skip("nobody reads back what is on the screen of this machine")
    planes = Planes()
    planes.plug()
    yield planes
    planes.remove()


@pytest.fixture
def display(planes: Planes) -> Iterator[KmsDisplay]:
    board = open_board("pi", {"display": planes.name})
    display = board.open_display()
    assert isinstance(display, KmsDisplay)
    yield display
    board.close()


def differences(seen: Image.Image, wanted: Image.Image) -> int:
    """Of 32 times 24 places, those that differ by more than edges and rounding do."""
    first, second = (picture.resize((32, 24), Image.Resampling.BOX).tobytes() for picture in (seen, wanted))
    return sum(
        max(abs(a - b) for a, b in zip(first[place : place + 3], second[place : place + 3], strict=True)) > 12
        for place in range(0, len(first), 3)
    )


def test_a_call_is_shown_by_the_hardware_as_it_would_be_composed(planes: Planes, display: KmsDisplay) -> None:
    display.show([BACKGROUND, far_end(1234), self_view(), WORDS])
    assert display._by_hardware
    seen = planes.picture(display)
    height = display.width * 360 // 640
    top = (display.height - height) // 2
    assert read_counter(seen.crop((0, top, display.width, top + height))) == 1234
    assert differences(seen, display.screenshot(display.width, display.height)) == 0


def test_each_picture_replaces_the_one_before(planes: Planes, display: KmsDisplay) -> None:
    for number in range(12):
        display.show([BACKGROUND, far_end(number), self_view()])
    assert differences(planes.picture(display), display.screenshot(display.width, display.height)) == 0
    display.show([BACKGROUND])
    assert planes.picture(display).getcolors() == [(display.width * display.height, (20, 40, 60))]


def test_what_the_hardware_refuses_is_composed_in_memory(planes: Planes, display: KmsDisplay) -> None:
    scenes = ([BACKGROUND, far_end(7), self_view(size)] for size in (0.25, 0.02, 0.25))
    for scene, by_hardware in zip(scenes, (True, False, True), strict=True):
        for _ in range(2):
            display.show(scene)
            assert display._by_hardware is by_hardware
        assert differences(planes.picture(display), display.screenshot(display.width, display.height)) == 0


def test_a_scene_of_more_pictures_than_planes_is_composed_in_memory(planes: Planes, display: KmsDisplay) -> None:
    crowd = [Plane(far_end(number).picture, number % 4 / 4, number // 4 / 4, 0.25, 0.25) for number in range(12)]
    display.show([BACKGROUND, *crowd])
    assert display._by_hardware is False
    assert differences(planes.picture(display), display.screenshot(display.width, display.height)) == 0


SHADES = range(40, 220, 20)
SCENES = {"by the hardware": 0.25, "in memory": 0.02}
"""Ways to compose, and the size of a self-view that is composed so."""


def shade(luma: int, size: float) -> list[Plane]:
    """A scene with a far end that has one shade."""
    picture = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane, value in zip(picture.planes, (luma, 128, 128), strict=True):
        memoryview(plane)[:] = bytes([value]) * plane.buffer_size
    return [BACKGROUND, Plane(picture, 0, 0, 1, 1), self_view(size), WORDS]


@pytest.fixture
def small(planes: Planes) -> Iterator[KmsDisplay]:
    display = small_display(planes.name)
    yield display
    display.close()


def sums(display: KmsDisplay, refreshes: Refreshes, size: float) -> dict[int, str]:
    """By shade, how the hardware sums up the whole picture."""
    found = {}
    for luma in SHADES:
        display.show(shade(luma, size))
        found[luma] = refreshes.last()
    assert len(set(found.values())) == len(SHADES)
    return found


@pytest.mark.parametrize("way", SCENES)
def test_no_refresh_shows_a_picture_that_is_not_whole(
    small: KmsDisplay, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    put = FrameBuffer._put

    def put_slowly(
        self: FrameBuffer, part: tuple[int, int], pixels: memoryview, row: int, length: int, rows: int
    ) -> None:
        put(self, part, pixels, row, length, rows // 2)
        time.sleep(2 * REFRESH)
        put(self, part, pixels, row, length, rows)

    with Refreshes(small) as refreshes:
        whole = sums(small, refreshes, SCENES[way])
        assert small._by_hardware is (way == "by the hardware")
        monkeypatch.setattr(FrameBuffer, "_put", put_slowly)
        begin = len(refreshes.seen)
        for luma in SHADES:
            small.show(shade(luma, SCENES[way]))
        refreshes.wait(2)
        seen = [total for _, total in refreshes.seen[begin:]]
    changes = [seen[0], *(after for before, after in pairwise(seen) if after != before)]
    # What is shown first is the last of those before.
    assert changes == [whole[SHADES[-1]], *whole.values()], "each picture is shown, whole and once"


@pytest.mark.parametrize("way", SCENES)
@pytest.mark.parametrize("pause", [0.0, 1.7 * REFRESH], ids=["as fast as it goes", "at a camera's rate"])
def test_a_picture_is_on_the_screen_with_the_next_refresh(small: KmsDisplay, way: str, pause: float) -> None:
    size = SCENES[way]
    with Refreshes(small) as refreshes:
        whole = sums(small, refreshes, size)
        shown = []
        for luma in [*SHADES] * 2:
            scene = shade(luma, size)
            small.show(scene)
            shown.append((refreshes.count(), whole[luma]))
            time.sleep(pause)
        refreshes.wait(2)
    numbers = [number for number, _ in refreshes.seen]
    assert numbers == list(range(numbers[0], numbers[-1] + 1)), "every refresh was seen"
    seen = dict(refreshes.seen)
    # Between the commit and this count a refresh may have come.
    assert all(total in (seen[count], seen[count + 1]) for count, total in shown)
