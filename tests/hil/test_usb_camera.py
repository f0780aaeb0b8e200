"""USB cameras: capture by the kernel's video interface, and the hardware encoder behind them."""

from __future__ import annotations

import threading
import time
from ctypes import c_int
from itertools import pairwise
from pathlib import Path

import pytest
from hil.pictures import COLORS, Access, is_color
from hil.waiting import wait_for
from hil.webcam import Webcam

from board import open_board
from board.pi import v4l2
from board.pi.camera_encoder import CameraEncoder
from board.pi.camera_list import find_cameras
from firmware.errors import DeviceError
from firmware.ports import Board, Camera, EncoderSettings

ENCODER = EncoderSettings(width=640, height=360, frame_rate=30, bitrate=8_000_000, level=31)


def test_the_camera_is_found_and_nothing_else(webcam: Webcam, encoder_node: Path) -> None:
    assert [(camera.place, camera.csi) for camera in find_cameras()] == [(str(webcam.node), False)]


def test_pictures_have_the_size_and_the_form_that_was_asked_for(webcam: Webcam, board: Board) -> None:
    camera = board.open_camera(640, 360, 30)
    frame = camera.capture()
    assert frame is not None
    assert (camera.width, camera.height, camera.frame_rate) == (640, 360, 30)
    assert (frame.width, frame.height, frame.format.name) == (640, 360, "yuv420p")


def test_times_are_those_of_the_kernels_clock(webcam: Webcam, board: Board) -> None:
    camera = board.open_camera(320, 180, 30)
    start = time.monotonic()
    frames = [camera.capture() for _ in range(10)]
    end = time.monotonic()
    times = [frame.time for frame in frames if frame is not None and frame.time is not None]
    assert len(times) == 10
    assert times == sorted(set(times))
    assert start - 0.5 < times[0] < times[-1] < end + 0.1


@pytest.mark.parametrize("color", COLORS)
def test_colors_are_right(webcam: Webcam, board: Board, color: str) -> None:
    webcam.show(color)
    camera = board.open_camera(320, 180, 30)
    assert wait_for(lambda: is_color(camera.capture(), color))


def test_a_late_reader_sees_what_is_now(webcam: Webcam, board: Board) -> None:
    webcam.show("red")
    camera = board.open_camera(320, 180, 30)
    assert wait_for(lambda: is_color(camera.capture(), "red"))
    webcam.show("green")
    time.sleep(1)
    camera.capture()
    assert is_color(camera.capture(), "green")


def test_closing_lets_a_reader_go(webcam: Webcam, board: Board) -> None:
    camera = board.open_camera(320, 180, 30)
    ended = threading.Event()

    def read() -> None:
        while camera.capture() is not None:
            pass
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    time.sleep(0.3)
    camera.close()
    assert ended.wait(5)
    assert board.open_camera(320, 180, 30).capture() is not None


def test_a_camera_that_is_not_there_says_so(webcam: Webcam) -> None:
    with pytest.raises(DeviceError, match=r"no camera 'Logitech' here; there are: vivid"):
        open_board("pi", {"camera": "Logitech"}).open_camera(640, 360, 30)


def encoded(camera: Camera, settings: EncoderSettings = ENCODER) -> Access:
    access = Access()
    assert camera.open_encoder(settings, access.add) is not None
    return access


def test_what_the_camera_sees_comes_out_of_the_encoder(webcam: Webcam, encoder_node: Path, board: Board) -> None:
    webcam.show("blue")
    camera = board.open_camera(640, 360, 30)
    assert wait_for(lambda: is_color(camera.capture(), "blue"))
    access = encoded(camera)
    assert wait_for(lambda: len(access.units) >= 5, 30)
    assert is_color(access.last_picture(), "blue")
    times = [taken for _, taken in access.units]
    assert times == sorted(set(times))
    assert camera.capture() is not None, "the self-view goes on beside it"


def test_a_smaller_picture_is_encoded_where_that_was_agreed(webcam: Webcam, encoder_node: Path, board: Board) -> None:
    camera = board.open_camera(640, 360, 30)
    access = encoded(camera, EncoderSettings(width=320, height=180, frame_rate=15, bitrate=2_000_000, level=13))
    assert wait_for(lambda: len(access.units) >= 5, 30)
    picture = access.last_picture()
    assert picture is not None
    assert (picture.width, picture.height) == (320, 180)
    times = [taken for _, taken in access.units]
    assert min(b - a for a, b in pairwise(times)) > 0.03


def test_a_stalled_encoder_is_replaced(webcam: Webcam, encoder_node: Path, board: Board) -> None:
    webcam.show("green")
    camera = board.open_camera(640, 360, 30)
    access = Access()
    encoder = camera.open_encoder(ENCODER, access.add)
    assert isinstance(encoder, CameraEncoder)
    assert wait_for(lambda: len(access.units) >= 3, 30)
    encoder._encoder._device.ioctl(v4l2.STREAMOFF, c_int(v4l2.VIDEO_CAPTURE_MPLANE))
    count = len(access.units)
    assert wait_for(lambda: len(access.units) >= count + 5, 30)
    encoder.set_bitrate(1_000_000)
    encoder.force_key_frame()
    assert wait_for(lambda: len(access.units) >= count + 10, 30)
    access.units = access.units[count + 5 :]
    access.units = access.units[next(n for n, (data, _) in enumerate(access.units) if b"\0\0\1\x67" in data) :]
    assert is_color(access.last_picture(), "green")


def test_a_camera_that_is_pulled_out_says_so_and_is_taken_when_it_is_back(webcam: Webcam, board: Board) -> None:
    def look() -> None:
        while camera.capture() is not None:
            pass

    camera = board.open_camera(320, 180, 30)
    assert camera.capture() is not None
    webcam.unplug()
    with pytest.raises(DeviceError, match="/dev/video20"):
        look()
    camera.close()
    webcam.remove()
    with pytest.raises(DeviceError, match="there is no camera here"):
        board.open_camera(320, 180, 30)
    webcam.plug()
    assert board.open_camera(320, 180, 30).capture() is not None
