"""What `visavis board` says of a machine that has everything, while nothing and while all of it is in use."""

from __future__ import annotations

from pathlib import Path

from hil.lines import Lines
from hil.monitor import Television
from hil.sound import Room
from hil.webcam import Webcam

from board import open_board
from firmware.ports import Board


def test_every_device_is_found(
    lines: Lines, room: Room, webcam: Webcam, television: Television, encoder_node: Path, board: Board
) -> None:
    found = dict(board.describe())
    assert found.pop("machine")
    assert found.pop("camera").endswith(", /dev/video20")
    assert found.pop("pins") == "gpiochip0"
    assert found.pop("television").startswith("none: ")
    assert found == {
        "encoder": "H.264 in hardware, /dev/video11",
        "decoder": "H.264 in hardware, /dev/video10",
        "display": "Virtual-1, 1280x720 at 75/s, /dev/dri/card0",
        "microphone": "Loopback, plughw:CARD=Room,DEV=0",
        "speaker": "Loopback, plughw:CARD=Room,DEV=0",
    }


def test_looking_disturbs_nothing(
    lines: Lines, room: Room, webcam: Webcam, television: Television, encoder_node: Path, board: Board
) -> None:
    before = board.describe()
    microphone, camera, display = board.open_microphone(), board.open_camera(320, 180, 30), board.open_display()
    board.open_buttons()
    other = open_board("pi", {})
    assert other.describe() == before
    other.close()
    assert microphone.read()
    assert camera.capture() is not None
    display.show([])
