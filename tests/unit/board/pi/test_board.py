"""`board.pi.board`: what is not there says so; tests/hil has what is there."""

from pathlib import Path

import pytest

from board.pi.board import PiBoard
from firmware.errors import DeviceError
from firmware.ports import Board, TelevisionStatus


@pytest.mark.parametrize("device", ["microphone", "speaker"])
def test_a_sound_card_that_is_not_there_says_so(device: str) -> None:
    board: Board = PiBoard({device: "No such card"})
    with pytest.raises(DeviceError, match="there is no sound card 'No such card' here"):
        getattr(board, f"open_{device}")()


def test_a_screen_that_is_not_there_says_so() -> None:
    with pytest.raises(DeviceError, match="no screen is plugged in at No such place"):
        PiBoard({"display": "No such place"}).open_display()


def test_a_camera_that_is_not_there_says_so() -> None:
    with pytest.raises(DeviceError, match="there is no camera 'No such camera' here"):
        PiBoard({"camera": "No such camera"}).open_camera(1280, 720, 30)


def test_what_the_room_has_none_of() -> None:
    assert PiBoard({"camera": "none", "speaker": "none"}).absent == {"camera", "speaker"}
    assert PiBoard({}).absent == frozenset()


def test_a_real_button_needs_a_finger() -> None:
    with pytest.raises(DeviceError, match="needs a finger"):
        PiBoard({}).press("call")


def test_a_real_machine_is_as_it_is() -> None:
    board = PiBoard({})
    found = board.read_health(Path("/"))
    assert (found.memory_size or 0) > 0
    with pytest.raises(DeviceError, match="can't be pretended"):
        board.pretend(found)


def test_a_real_remote_control_needs_one_too() -> None:
    with pytest.raises(DeviceError, match="needs a finger"):
        PiBoard({}).press_key("select")


def test_a_television_that_is_not_there_yet_is_waited_for() -> None:
    board = PiBoard({"television": "No such adapter"})
    television = board.open_television("Aalto")
    television.wake()
    assert television.status == TelevisionStatus()
    board.close()


def test_closing_what_was_never_opened() -> None:
    PiBoard({}).close()
