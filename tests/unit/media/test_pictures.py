"""A source and its viewers."""

from __future__ import annotations

from media_parts import Collector, picture

from firmware.media.pictures import Fan


def test_every_viewer_sees_every_picture_while_it_looks() -> None:
    fan, first, second = Fan(), Collector(), Collector()
    fan.add(first)
    fan.show(picture(1))
    fan.add(second)
    fan.show(picture(2))
    fan.remove(first)
    fan.remove(first)
    fan.show(picture(3))
    assert [len(viewer.pictures) for viewer in (first, second)] == [2, 2]
    assert second.pictures[-1] is not first.pictures[-1]


def test_a_viewer_may_go_while_it_looks() -> None:
    fan, other = Fan(), Collector()

    class Once(Collector):
        def picture(self, frame: object) -> None:
            fan.remove(self)

    fan.add(Once())
    fan.add(other)
    fan.show(picture())
    assert len(other.pictures) == 1
