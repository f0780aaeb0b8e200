"""Pan, tilt and zoom: the kernel's own driver of USB cameras, before it a camera that says where it looks by colour."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hil.conference_camera import DEGREE, NAME, PAN_TILT, PAN_TILT_SPEED, REFUSED, UNHEARD, ZOOM, ConferenceCamera
from hil.pictures import middle
from hil.waiting import wait_for
from hil.webcam import Webcam

from board import open_board
from board.pi.v4l2_device import Device
from firmware.errors import DeviceError
from firmware.media.camera_control import CameraControl
from firmware.media.message import CameraView, Report
from firmware.ports import Board, Camera, PanTiltZoom, View


@pytest.fixture
def conference_board(on_bench: bool) -> Iterator[Board]:
    board = open_board("pi", {"camera": NAME})
    yield board
    board.close()


def plugged(on_bench: bool, kind: str) -> Iterator[ConferenceCamera]:
    if not on_bench:
        pytest.skip("this machine has no camera that is not real")
    camera = ConferenceCamera(kind)
    yield camera
    camera.unplug()


@pytest.fixture
def motors(on_bench: bool) -> Iterator[ConferenceCamera]:
    yield from plugged(on_bench, "motors")


@pytest.fixture
def deaf(on_bench: bool) -> Iterator[ConferenceCamera]:
    yield from plugged(on_bench, "deaf")


@pytest.fixture
def digital(on_bench: bool) -> Iterator[ConferenceCamera]:
    yield from plugged(on_bench, "digital")


def opened(board: Board) -> tuple[Camera, PanTiltZoom]:
    camera = board.open_camera(320, 180, 15)
    head = camera.pan_tilt_zoom
    assert head is not None
    return camera, head


def look(camera: Camera) -> None:
    while camera.capture() is not None:
        pass


def sees(camera: Camera, pan: float, tilt: float, zoom: float) -> bool:
    """Whether the picture has the colour of this view; the camera's tilt reaches three times as far up as down."""
    frame = camera.capture()
    tilts = tilt * (1 if tilt > 0 else 1 / 3)
    wanted = (126 + pan * 100, 128 + tilts * 100, 128 + zoom * 100)
    return frame is not None and all(abs(a - b) <= 4 for a, b in zip(middle(frame), wanted, strict=True))


def test_a_camera_that_is_told_to_look_somewhere_looks_there(
    digital: ConferenceCamera, conference_board: Board
) -> None:
    camera, head = opened(conference_board)
    assert (head.axes, head.driven) == ({"pan", "tilt", "zoom"}, frozenset())
    assert head.view == View(0, 0, 0)
    assert wait_for(lambda: sees(camera, 0, 0, 0))
    head.go_to(View(1, -1, 0.5))
    assert wait_for(lambda: sees(camera, 1, -1, 0.5))
    assert head.view == View(1, -1, 0.5)
    head.go_to(View(pan=-0.5))
    assert wait_for(lambda: sees(camera, -0.5, -1, 0.5))
    assert digital.told[-1] == (PAN_TILT, -75 * DEGREE, -30 * DEGREE)
    assert (ZOOM, 300) in digital.told


def test_motors_run_until_they_are_stopped(motors: ConferenceCamera, conference_board: Board) -> None:
    camera, head = opened(conference_board)
    assert (head.axes, head.driven) == ({"pan", "tilt", "zoom"}, {"pan", "tilt"})
    head.drive({"pan": -1, "tilt": 0.5})
    # To the left at full speed and, by a request of its own, up at half.
    assert wait_for(lambda: motors.told and motors.told[-1] == (PAN_TILT_SPEED, -1, 24, 1, 10))
    head.drive({"pan": 0, "tilt": 0})
    assert wait_for(lambda: (motors.told[-1][1], motors.told[-1][3]) == (0, 0))
    head.drive({"tilt": -0.01})
    assert wait_for(lambda: motors.told[-1][3:] == (-1, 1))
    camera.close()
    assert wait_for(lambda: motors.told[-1][3] == 0), "who has no camera in use lets no motor run"


def stands(camera: ConferenceCamera) -> bool:
    """Whether the last that its motors took is that they are to stop."""
    selector, pan, _, tilt, _ = next(values for values in reversed(camera.told) if values != REFUSED)
    return (selector, pan, tilt) == (PAN_TILT_SPEED, 0, 0)


def test_motors_that_do_not_hear_are_told_again_to_stop(deaf: ConferenceCamera, conference_board: Board) -> None:
    camera, head = opened(conference_board)
    control = CameraControl(lambda report: None)
    control.opened(head)
    control.move({"pan": 1, "tilt": -1}, 0.5)
    assert wait_for(lambda: deaf.told and deaf.told[0][:3] == (PAN_TILT_SPEED, 1, 24))
    assert wait_for(lambda: deaf.told.count(REFUSED) == len(UNHEARD) and stands(deaf))
    told = len(deaf.told)
    time.sleep(1)
    assert len(deaf.told) == told
    control.closed()
    camera.close()


def test_motors_that_do_not_hear_are_told_again_by_who_leaves(deaf: ConferenceCamera, conference_board: Board) -> None:
    camera, head = opened(conference_board)
    head.drive({"pan": 1, "tilt": -1})
    camera.close()
    assert wait_for(lambda: stands(deaf))
    assert deaf.told.count(REFUSED) == len(UNHEARD)


def test_a_movement_goes_bit_by_bit_where_there_are_no_motors(
    digital: ConferenceCamera, conference_board: Board
) -> None:
    camera, head = opened(conference_board)
    reports: list[Report] = []
    control = CameraControl(reports.append)
    control.opened(head)
    control.move({"pan": 1, "zoom": 1}, 10)
    assert wait_for(lambda: sees(camera, 1, 0, 1), 30)
    places = [values[1] for values in digital.told if values[0] == PAN_TILT]
    assert len(set(places)) > 5
    assert places == sorted(places)
    control.move({"pan": -1}, 0.5)
    time.sleep(2)
    told = len(digital.told)
    time.sleep(0.5)
    assert len(digital.told) == told, "it stands still when its time is over"
    stand = head.view
    assert stand.pan is not None
    assert -1 < stand.pan < 1
    assert wait_for(lambda: reports[-1] == CameraView(("pan", "tilt", "zoom"), stand.pan, stand.tilt, stand.zoom))
    control.closed()


def test_a_camera_that_is_pulled_out_says_so_to_who_moves_it(on_bench: bool, conference_board: Board) -> None:
    if not on_bench:
        pytest.skip("this machine has no camera that is not real")
    inside = ConferenceCamera("motors")
    camera, head = opened(conference_board)
    assert camera.capture() is not None
    inside.unplug()
    with pytest.raises(DeviceError):
        look(camera)
    with pytest.raises(DeviceError, match="No such device"):
        head.go_to(View(pan=1))
    camera.close()
    with pytest.raises(DeviceError, match="closed"):
        head.drive({"pan": 1})


def test_a_camera_without_such_controls_is_not_moved(webcam: Webcam) -> None:
    board = open_board("pi", {"camera": "vivid"})
    assert board.open_camera(640, 360, 30).pan_tilt_zoom is None
    board.close()


def test_limits_are_the_kernels(digital: ConferenceCamera) -> None:
    node = digital.node()
    assert isinstance(node, Path)
    device = Device(node)
    limits = device.limits(0x9A0900 + 8)
    device.close()
    assert limits is not None
    assert limits.name.startswith(b"Pan")
    assert (limits.minimum, limits.maximum, limits.step) == (-150 * DEGREE, 150 * DEGREE, DEGREE)
