"""`board.pi.frame_buffer`: where pixels are put; tests/hil has the card."""

from __future__ import annotations

from collections.abc import Iterator

import av
import pytest
from card_memory import CardMemory

from board.pi.frame_buffer import FrameBuffer

WIDTH, HEIGHT = 48, 18


@pytest.fixture
def card() -> Iterator[CardMemory]:
    memory = CardMemory()
    yield memory
    memory.close()


def test_pixels_of_four_bytes_lie_in_rows(card: CardMemory) -> None:
    buffer = FrameBuffer(card, "XR24", WIDTH, HEIGHT)  # type: ignore[arg-type]
    buffer.fill(b"".join(bytes([y]) * WIDTH * 4 for y in range(1, HEIGHT + 1)))
    for y in range(HEIGHT):
        assert card.at(y * 256, 256) == bytes([y + 1]) * WIDTH * 4 + bytes(256 - WIDTH * 4)


def test_a_raw_picture_lies_in_three_planes(card: CardMemory) -> None:
    buffer = FrameBuffer(card, "YU12", WIDTH, HEIGHT)  # type: ignore[arg-type]
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane, value in zip(frame.planes, (81, 90, 240), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    buffer.fill_raw(frame)
    assert list(card.last.offsets)[:3] == [0, 64 * 18, 64 * 18 + 32 * 9]
    assert list(card.last.pitches)[:3] == [64, 32, 32]
    assert bytes(card.last.pixel_format.to_bytes(4, "little")) == b"YU12"
    for offset, pitch, rows, length, value in ((0, 64, 18, 48, 81), (1152, 32, 9, 24, 90), (1440, 32, 9, 24, 240)):
        for y in (0, rows - 1):
            assert card.at(offset + y * pitch, length) == bytes([value]) * length


def test_closing_gives_all_back(card: CardMemory) -> None:
    FrameBuffer(card, "AR24", WIDTH, HEIGHT).close()  # type: ignore[arg-type]
    assert card.removed == [2, 1]
