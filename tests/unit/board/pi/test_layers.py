"""`board.pi.layers`: what the display's planes show of a scene."""

import av
import pytest
from PIL import Image

from board.pi.drm import HardwarePlane
from board.pi.layers import BLENDED, OPAQUE, RAW, layers, whole
from firmware.ports import Plane

PRIMARY = HardwarePlane(1, frozenset({OPAQUE, BLENDED, RAW}))
OVERLAYS = [HardwarePlane(number, frozenset({OPAQUE, BLENDED, RAW})) for number in range(2, 6)]
SCREEN = 1920, 1080
BACKGROUND = Plane(Image.new("RGBA", (16, 16)), 0, 0, 1, 1, fill=True)
FAR_END = Plane(av.VideoFrame(1280, 720, "yuv420p"), 0, 0, 1, 1)
SELF_VIEW = Plane(av.VideoFrame(640, 480, "yuv420p"), 0.75, 0.75, 0.25, 0.25, fill=True)
NAME, CLOCK = Plane(Image.new("RGBA", (99, 9)), 0, 0, 0.25, 0.1), Plane(Image.new("RGBA", (9, 9)), 0.5, 0.1, 0.1, 0.1)


def test_a_call_is_four_layers() -> None:
    scene = [BACKGROUND, FAR_END, SELF_VIEW, NAME, CLOCK]
    found = layers(scene, [PRIMARY, *OVERLAYS], *SCREEN)
    assert found is not None
    assert [(layer.hardware.number, layer.pixel_format, layer.planes) for layer in found] == [
        (1, OPAQUE, (BACKGROUND,)),
        (2, RAW, (FAR_END,)),
        (3, RAW, (SELF_VIEW,)),
        (4, BLENDED, (NAME, CLOCK)),
    ]
    background, far_end, self_view, words = found
    assert background.source == background.target == (0, 0, 1920, 1080)
    assert (far_end.size, far_end.source, far_end.target) == ((1280, 720), (0, 0, 1280, 720), (0, 0, 1920, 1080))
    # The room is 480x270: of 640x480 all columns are seen, and 360 rows, from an even one on.
    assert (self_view.source, self_view.target) == ((0, 60, 640, 360), (1440, 810, 480, 270))
    assert (words.size, words.source, words.target) == ((1152, 216), (0, 0, 1152, 216), (0, 0, 1152, 216))


def test_a_picture_of_another_shape_is_centred() -> None:
    found = layers([BACKGROUND, Plane(av.VideoFrame(640, 480, "yuv420p"), 0, 0, 1, 1)], [PRIMARY, *OVERLAYS], *SCREEN)
    assert found is not None
    assert found[1].target == (240, 0, 1440, 1080)


def test_words_below_a_picture_stay_below() -> None:
    found = layers([BACKGROUND, NAME, FAR_END, CLOCK], [PRIMARY, *OVERLAYS], *SCREEN)
    assert found is not None
    assert [layer.planes for layer in found] == [(BACKGROUND, NAME), (FAR_END,), (CLOCK,)]


def test_black_lies_below_a_scene_that_begins_with_a_picture() -> None:
    found = layers([FAR_END], [PRIMARY, *OVERLAYS], *SCREEN)
    assert found is not None
    assert [layer.planes for layer in found] == [(), (FAR_END,)]


def test_what_has_no_room_is_left_out() -> None:
    nothing, outside = Plane(FAR_END.picture, 0.5, 0.5, 0, 0.5), Plane(NAME.picture, 1, 1, 0.5, 0.5)
    found = layers([BACKGROUND, nothing, outside], [PRIMARY, *OVERLAYS], *SCREEN)
    assert found is not None
    assert [layer.planes for layer in found] == [(BACKGROUND,)]


@pytest.mark.parametrize(
    "hardware",
    [
        [PRIMARY],
        [PRIMARY, *OVERLAYS[:2]],
        [PRIMARY, *(HardwarePlane(number, frozenset({OPAQUE, BLENDED})) for number in range(2, 6))],
    ],
    ids=["a primary plane alone", "two overlays", "overlays without YUV"],
)
def test_too_few_planes(hardware: list[HardwarePlane]) -> None:
    assert layers([BACKGROUND, FAR_END, SELF_VIEW, NAME], hardware, *SCREEN) is None


def test_planes_that_do_not_fit_are_passed_over() -> None:
    hardware = [PRIMARY, HardwarePlane(2, frozenset({BLENDED})), *OVERLAYS[1:]]
    found = layers([BACKGROUND, FAR_END, NAME], hardware, *SCREEN)
    assert found is not None
    assert [layer.hardware.number for layer in found] == [1, 3, 4]


def test_the_same_arrangement_has_the_same_geometry() -> None:
    first = layers([BACKGROUND, FAR_END], [PRIMARY, *OVERLAYS], *SCREEN)
    other = Plane(av.VideoFrame(1280, 720, "yuv420p"), 0, 0, 1, 1)
    second = layers([BACKGROUND, other], [PRIMARY, *OVERLAYS], *SCREEN)
    assert first is not None
    assert second is not None
    assert [layer.geometry for layer in first] == [layer.geometry for layer in second]
    assert [layer.planes for layer in first] != [layer.planes for layer in second]


def test_a_whole_scene_is_one_layer() -> None:
    layer = whole([BACKGROUND, FAR_END], PRIMARY, *SCREEN)
    assert (layer.hardware, layer.pixel_format, layer.planes) == (PRIMARY, OPAQUE, (BACKGROUND, FAR_END))
    assert layer.size == SCREEN
