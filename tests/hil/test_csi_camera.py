"""The Pi's own camera: unmodified picamera2 and libcamera on a driver of the kernel's, and the encoder behind them.

The driver (vimc) makes one stream of RGB, in sizes that are multiples of 6; those of 48 the encoder can read in place.
It can't be pulled out here: libcamera 0.4 ends the process that stops a camera whose driver has gone.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from hil.pictures import PLAIN, Access, is_color, stall
from hil.sensor import Sensor
from hil.waiting import wait_for
from hil.webcam import Webcam

from board import open_board
from board.pi.camera_encoder import CameraEncoder
from board.pi.camera_list import find_cameras
from board.pi.csi_camera import CsiCamera, CsiPicture
from board.pi.usb_camera import UsbCamera
from board.pi.x264 import X264Encoder
from firmware.errors import DeviceError
from firmware.ports import Board, Camera, EncoderSettings

# picamera2 starts its threads in an old way, and leaves a pipe open where a camera is busy.
pytestmark = [
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]
WIDTH, HEIGHT = 480, 288
SETTINGS = EncoderSettings(width=WIDTH, height=HEIGHT, frame_rate=30, bitrate=20_000_000, level=31)


def encoded(camera: Camera, settings: EncoderSettings = SETTINGS) -> tuple[CameraEncoder, Access]:
    access = Access()
    encoder = camera.open_encoder(settings, access.add)
    assert isinstance(encoder, CameraEncoder)
    return encoder, access


def test_it_is_found_and_comes_before_a_usb_camera(
    sensor: Sensor, webcam: Webcam, encoder_node: Path, board: Board
) -> None:
    assert [(camera.name, camera.csi) for camera in find_cameras()] == [(sensor.name, True), ("vivid", False)]
    assert board.describe()["camera"].startswith(f"{sensor.name}, ")
    assert isinstance(board.open_camera(WIDTH, HEIGHT, 30), CsiCamera)


def test_a_usb_camera_is_taken_where_it_is_asked_for(sensor: Sensor, webcam: Webcam) -> None:
    board = open_board("pi", {"camera": "vivid"})
    assert isinstance(board.open_camera(640, 360, 30), UsbCamera)
    board.close()


def test_pictures_have_the_size_the_form_and_the_time_that_they_should(sensor: Sensor, board: Board) -> None:
    camera = board.open_camera(WIDTH, HEIGHT, 30)
    assert (camera.width, camera.height, camera.frame_rate) == (WIDTH, HEIGHT, 30)
    start = time.monotonic()
    frames = [camera.capture() for _ in range(5)]
    assert {(f.width, f.height, f.format.name) for f in frames if f is not None} == {(WIDTH, HEIGHT, "yuv420p")}
    times = [frame.time for frame in frames if frame is not None and frame.time is not None]
    assert len(times) == 5
    assert times == sorted(set(times))
    assert start - 1 < times[0] < times[-1] < time.monotonic()


@pytest.mark.parametrize("color", PLAIN)
def test_colors_are_right(sensor: Sensor, board: Board, color: str) -> None:
    sensor.show(color)
    camera = board.open_camera(WIDTH, HEIGHT, 30)
    assert wait_for(lambda: is_color(camera.capture(), color))


def test_closing_lets_a_reader_go_and_it_can_be_opened_again(sensor: Sensor, board: Board) -> None:
    for _ in range(2):
        camera = board.open_camera(WIDTH, HEIGHT, 30)
        ended = threading.Event()

        def read(camera: Camera = camera, ended: threading.Event = ended) -> None:
            while camera.capture() is not None:
                pass
            ended.set()

        threading.Thread(target=read, daemon=True).start()
        time.sleep(0.5)
        camera.close()
        camera.close()
        assert ended.wait(5)


def test_a_camera_that_is_in_use_says_so(sensor: Sensor, board: Board) -> None:
    camera = board.open_camera(WIDTH, HEIGHT, 30)
    with pytest.raises(DeviceError, match=sensor.name):
        open_board("pi", {"camera": sensor.name}).open_camera(WIDTH, HEIGHT, 30)
    assert camera.capture() is not None


def test_the_encoder_reads_the_cameras_memory(sensor: Sensor, encoder_node: Path, board: Board) -> None:
    sensor.show("blue")
    camera = board.open_camera(WIDTH, HEIGHT, 30)
    encoder, access = encoded(camera)
    assert wait_for(lambda: len(access.units) >= 10, 30)
    assert encoder.shares
    assert is_color(access.last_picture(), "blue")
    times = [taken for _, taken in access.units]
    assert times == sorted(set(times))
    assert is_color(camera.capture(small=True), "blue"), "the self-view goes on beside it"
    sensor.show("green")
    encoder.force_key_frame()
    assert wait_for(lambda: is_color(access.last_picture(), "green"), 30)
    encoder.close()
    assert camera.capture() is not None


@pytest.mark.parametrize(
    ("width", "height", "settings"),
    [
        (480, 270, EncoderSettings(480, 270, 30, 20_000_000, 31)),
        (WIDTH, HEIGHT, EncoderSettings(320, 192, 30, 20_000_000, 13)),
    ],
    ids=["a layout that the encoder does not read", "a smaller picture"],
)
def test_pictures_are_copied_where_they_must_be(
    sensor: Sensor, encoder_node: Path, board: Board, width: int, height: int, settings: EncoderSettings
) -> None:
    sensor.show("red")
    camera = board.open_camera(width, height, 30)
    encoder, access = encoded(camera, settings)
    assert wait_for(lambda: len(access.units) >= 5, 30)
    assert not encoder.shares
    picture = access.last_picture()
    assert picture is not None
    assert (picture.width, picture.height) == (settings.width, settings.height)
    assert is_color(picture, "red")


def test_memory_that_the_encoder_refuses_in_the_middle_is_copied(
    sensor: Sensor, encoder_node: Path, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor.show("white")
    camera = board.open_camera(WIDTH, HEIGHT, 30)
    encoder, access = encoded(camera)
    assert wait_for(lambda: len(access.units) >= 3, 30)
    assert encoder.shares
    with Path("/dev/null").open() as no_memory:
        monkeypatch.setattr(CsiPicture, "fd", property(lambda _: no_memory.fileno()))
        count = len(access.units)
        assert wait_for(lambda: len(access.units) >= count + 5, 30)
    assert not encoder.shares
    assert is_color(access.last_picture(), "white")


def test_a_stalled_encoder_is_replaced(sensor: Sensor, encoder_node: Path, board: Board) -> None:
    sensor.show("green")
    camera = board.open_camera(WIDTH, HEIGHT, 30)
    encoder, access = encoded(camera)
    assert wait_for(lambda: len(access.units) >= 3, 30)
    stall(encoder._encoder)
    assert wait_for(lambda: isinstance(encoder._encoder, X264Encoder), 30)
    count = len(access.units)
    assert wait_for(lambda: len(access.units) >= count + 10, 30)
    encoder.force_key_frame()

    def begins_anew() -> bool:
        units = access.units[count + 5 :]
        start = next((n for n, (data, _) in enumerate(units) if b"\0\0\1\x67" in data), None)
        if start is None:
            return False
        again = Access()
        again.units = units[start:]
        return is_color(again.last_picture(), "green")

    assert wait_for(begins_anew, 30)
