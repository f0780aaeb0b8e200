"""Which of the standard sizes is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.call.media import CIF, CIF4, CIF16, H261, H263, QCIF, SUB_QCIF, PictureSize
from firmware.media.picture_size import PIXEL_ASPECT, best_size

ROOM = (1280, 720, 30)


@pytest.mark.parametrize(
    ("sizes", "bitrate", "expected"),
    [
        (H261.picture_sizes, 768_000, (352, 288, 30)),
        (H261.picture_sizes, 128_000, (352, 288, 16)),  # fewer pictures before smaller ones
        (H261.picture_sizes, 64_000, (176, 144, 30)),
        (H261.picture_sizes, 48_000, (176, 144, 24)),
        (H263.picture_sizes, 1_936_000, (704, 576, 30)),
        (H263.picture_sizes, 512_000, (704, 576, 16)),
        (H263.picture_sizes, 384_000, (352, 288, 30)),
        (H263.picture_sizes, 256_000, (352, 288, 30)),
        ((QCIF,), 1_000_000, (176, 144, 30)),
        ((), 1_000_000, (176, 144, 30)),
        ((PictureSize(352, 288, 2), QCIF), 384_000, (352, 288, 15)),
        ((PictureSize(352, 288, 4), QCIF), 384_000, (176, 144, 30)),
        ((PictureSize(352, 288, 4), PictureSize(176, 144, 3)), 384_000, (176, 144, 10)),
        ((CIF16,), 1_000_000, (1408, 1152, 15)),  # nothing else is taken there
        ((PictureSize(352, 288, 32),), 384_000, (352, 288, 1)),
    ],
)
def test_a_room_camera(sizes: tuple[PictureSize, ...], bitrate: int, expected: tuple[int, int, int]) -> None:
    chosen = best_size(sizes, *ROOM, bitrate)
    assert (chosen.width, chosen.height, chosen.frame_rate) == expected
    assert (chosen.level, chosen.pixel_aspect) == (0, PIXEL_ASPECT)


def test_pictures_are_not_enlarged() -> None:
    assert best_size((CIF16, CIF4, CIF), 640, 480, 30, 4_000_000).width == 352
    assert best_size((CIF4, CIF), 640, 576, 30, 4_000_000).width == 704  # CIF's pixels are wide
    assert best_size((CIF, SUB_QCIF), 320, 180, 30, 4_000_000).width == 128


def test_a_slow_camera() -> None:
    assert best_size((CIF, QCIF), 1280, 720, 10, 1_000_000).frame_rate == 10


@given(
    st.lists(st.builds(PictureSize, st.sampled_from((128, 704)), st.sampled_from((96, 576)), st.integers(1, 32))),
    st.integers(1, 60),
    st.integers(1_000, 4_000_000),
)
def test_the_receivers_interval_is_kept(sizes: list[PictureSize], frame_rate: int, bitrate: int) -> None:
    chosen = best_size(sizes, 1280, 720, frame_rate, bitrate)
    allowed = [size for size in sizes or [QCIF] if (size.width, size.height) == (chosen.width, chosen.height)]
    assert 1 <= chosen.frame_rate <= frame_rate
    assert any(chosen.frame_rate <= max(1, 30 // size.interval) for size in allowed)
