"""A scene is a value."""

from __future__ import annotations

import pytest

from firmware.media.scene import FULL_SCREEN, FarEnd, Rectangle, Scene, Words


def test_equal_scenes_are_equal_and_can_be_keys() -> None:
    first, second = (Scene((FarEnd("1", FULL_SCREEN), Words("a", Rectangle(0, 0, 0.5, 0.1)))) for _ in range(2))
    assert first == second
    assert len({first, second}) == 1
    assert first != Scene()


def test_a_scene_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        Scene().background = "#ffffff"  # type: ignore[misc]
