"""`board.pi.scanout`: what is drawn and tried when; tests/hil has the card."""

from __future__ import annotations

from collections.abc import Iterator

import av
import pytest
from av.video.reformatter import ColorRange, Colorspace
from card_memory import PLACE, PROPERTIES, CardMemory
from PIL import Image

from board.pi import drm
from board.pi.layers import layers, whole
from board.pi.scanout import Scanout
from firmware.ports import Plane

WIDTH, HEIGHT = 48, 32
BACKGROUND = Plane(Image.new("RGBA", (4, 4), (10, 20, 30, 255)), 0, 0, 1, 1, fill=True)
WORDS = Plane(Image.new("RGBA", (4, 4), (255, 0, 0, 128)), 0, 0, 0.5, 0.5, fill=True)


class Bench:
    def __init__(self, properties: tuple[str, ...] = PROPERTIES) -> None:
        self.card = CardMemory(properties)
        self.scanout = Scanout(self.card, 40, 1, WIDTH, HEIGHT)  # type: ignore[arg-type]

    def show(self, *scene: Plane) -> dict[int, dict[str, int]] | None:
        """By plane, what a commit says; None: the card refuses."""
        arranged = layers(scene, self.scanout.hardware, WIDTH, HEIGHT)
        assert arranged is not None
        changes = self.scanout.arrange(arranged)
        if changes is None:
            return None
        self.scanout.committed()
        return self.card.named(changes)


def raw(luma: int = 100, *, width: int = 32, color: tuple[Colorspace, ColorRange] | None = None) -> Plane:
    frame = av.VideoFrame(width, 18, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([luma]) * plane.buffer_size)
    if color is not None:
        frame.colorspace, frame.color_range = color
    return Plane(frame, 0, 0, 1, 1, fill=True)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.scanout.close()
    bench.card.close()


def test_each_layer_is_put_where_it_should_be(bench: Bench) -> None:
    shown = bench.show(BACKGROUND, raw(), WORDS)
    assert shown is not None
    assert [plane["CRTC_ID"] for plane in shown.values()] == [40, 40, 40]
    assert len({plane["FB_ID"] for plane in shown.values()}) == 3
    assert [shown[3][name] for name in PLACE] == [0, 0, 24, 16, 0, 0, 24 << 16, 16 << 16]
    assert [shown[2][name] for name in PLACE[:4]] == [0, 0, 48, 32]


def test_only_what_changed_is_drawn_and_in_two_buffers_by_turns(bench: Bench) -> None:
    pictures = [raw(luma) for luma in (50, 60, 70)]
    found = [bench.show(BACKGROUND, picture, WORDS) for picture in pictures]
    buffers = [[plane["FB_ID"] for plane in shown.values()] for shown in found if shown is not None]
    assert len(buffers) == 3
    assert {background for background, _, _ in buffers} == {buffers[0][0]}
    assert {words for _, _, words in buffers} == {buffers[0][2]}
    assert buffers[0][1] == buffers[2][1] != buffers[1][1]
    again = bench.show(BACKGROUND, pictures[2], WORDS)
    assert again is not None
    assert again[2]["FB_ID"] == buffers[2][1]


def test_a_new_arrangement_is_tried_once(bench: Bench) -> None:
    bench.show(BACKGROUND, raw(50))
    bench.show(BACKGROUND, raw(60))
    assert bench.card.commits == [drm.ATOMIC_TEST_ONLY]
    bench.show(BACKGROUND, raw(60, width=30))
    assert bench.card.commits == [drm.ATOMIC_TEST_ONLY] * 2


def test_what_the_card_refuses_is_not_tried_again_and_leaves_what_is_shown(bench: Bench) -> None:
    assert bench.show(BACKGROUND, raw(50)) is not None
    bench.card.refuses = True
    assert bench.show(BACKGROUND, raw(width=30)) is None
    assert bench.show(BACKGROUND, raw(width=30)) is None
    assert len(bench.card.commits) == 2
    bench.card.refuses = False
    changes = bench.scanout.arrange([whole([BACKGROUND, WORDS], bench.scanout.hardware[0], WIDTH, HEIGHT)])
    assert changes is not None
    assert bench.card.named(changes)[2] == {"FB_ID": 0, "CRTC_ID": 0}, "the raw picture was still there"


def test_a_layer_that_is_gone_is_hidden_once(bench: Bench) -> None:
    bench.show(BACKGROUND, raw())
    assert (bench.show(BACKGROUND) or {})[2] == {"FB_ID": 0, "CRTC_ID": 0}
    assert 2 not in (bench.show(BACKGROUND) or {})


def test_buffers_of_another_size_go_when_they_are_not_on_the_screen_any_more(bench: Bench) -> None:
    bench.show(BACKGROUND, raw())
    bench.show(BACKGROUND, raw(width=30))
    assert bench.card.removed == []
    bench.show(BACKGROUND, raw(width=30))
    assert len(bench.card.removed) == 4


@pytest.mark.parametrize(
    ("color", "values"),
    [
        (None, {"COLOR_ENCODING": 0, "COLOR_RANGE": 0}),
        ((Colorspace.ITU709, ColorRange.MPEG), {"COLOR_ENCODING": 1, "COLOR_RANGE": 0}),
        ((Colorspace.ITU601, ColorRange.JPEG), {"COLOR_ENCODING": 0, "COLOR_RANGE": 1}),
    ],
)
def test_the_plane_is_told_the_colors(
    bench: Bench, color: tuple[Colorspace, ColorRange] | None, values: dict[str, int]
) -> None:
    shown = bench.show(BACKGROUND, raw(color=color))
    assert shown is not None
    assert {name: shown[2][name] for name in values} == values


def test_colors_that_the_plane_can_not_be_told_are_converted() -> None:
    bench = Bench(PROPERTIES[:-2])
    shown = bench.show(BACKGROUND, raw(255, color=(Colorspace.ITU601, ColorRange.JPEG)))
    assert shown is not None
    assert not {"COLOR_ENCODING", "COLOR_RANGE"} & shown[2].keys()
    assert bench.card.at(0, 4) in (bytes([235]) * 4, bytes(4))


def test_opacity_is_multiplied_into_colors(bench: Bench) -> None:
    bench.show(BACKGROUND, raw(), WORDS)
    assert bench.card.at(0, 4) == bytes([0, 0, 128, 128])
