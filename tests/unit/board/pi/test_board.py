"""`board.pi.board`: what works, and that the rest says it does not."""

import pytest

from board.pi.board import PiBoard
from firmware.errors import DeviceError
from firmware.ports import Board


@pytest.mark.parametrize("device", ["microphone", "speaker", "display"])
def test_what_is_not_supported_says_so(device: str) -> None:
    board: Board = PiBoard({})
    with pytest.raises(DeviceError, match=f"a {device} is not supported on this board yet"):
        getattr(board, f"open_{device}")()


def test_nor_is_a_camera() -> None:
    with pytest.raises(DeviceError, match="a camera is not supported"):
        PiBoard({}).open_camera(1280, 720, 30)


def test_a_real_button_needs_a_finger() -> None:
    with pytest.raises(DeviceError, match="needs a finger"):
        PiBoard({}).press("call")


def test_closing_what_was_never_opened() -> None:
    PiBoard({}).close()
