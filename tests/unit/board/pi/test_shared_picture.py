"""`board.pi.shared_picture`: which layouts a device can read."""

import pytest

from board.pi.shared_picture import Layout

LAYOUT = Layout("YU12", 1280, 720, 1280, 1_382_400)


@pytest.mark.parametrize(
    ("stride", "size", "readable"),
    [(1280, 1_382_400, True), (1280, 1_380_000, True), (1344, 1_382_400, False), (1280, 1_413_120, False)],
    ids=["as it is", "less of it", "other rows", "more than there is"],
)
def test_which_layouts_can_be_read(stride: int, size: int, readable: bool) -> None:
    assert LAYOUT.readable(stride, size) is readable
