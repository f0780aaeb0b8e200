"""USB cameras: capture by the kernel's video interface, and the hardware encoder behind them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hil.conference_camera import HEIGHT, NAME, RATE, WIDTH, ConferenceCamera
from hil.pictures import PLAIN, Access, is_color, middle, stall
from hil.waiting import wait_for
from hil.webcam import Webcam

from board import open_board
from board.pi.camera_encoder import CameraEncoder
from board.pi.camera_list import find_cameras
from board.pi.m2m_encoder import M2mEncoder
from board.pi.usb_camera import UsbCamera
from board.pi.x264 import X264Encoder
from firmware.errors import DeviceError
from firmware.ports import Board, Camera, EncoderSettings, View

REPLACED = 1.0
"""Seconds after which another encoder has taken over from one that stalls."""
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


@pytest.mark.parametrize("color", PLAIN)
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


def test_a_stalled_encoder_is_replaced_within_a_second(
    webcam: Webcam,
    encoder_node: Path,
    board: Board,
    caplog: pytest.LogCaptureFixture,
    record_property: Callable[[str, object], None],
) -> None:
    webcam.show("green")
    camera = board.open_camera(640, 360, 30)
    access = Access()
    came: list[float] = []

    def add(data: bytes, taken: float) -> None:
        came.append(time.monotonic())
        access.add(data, taken)

    encoder = camera.open_encoder(ENCODER, add)
    assert isinstance(encoder, CameraEncoder)
    assert wait_for(lambda: len(access.units) >= 3, 30)
    hardware = encoder._encoder
    assert isinstance(hardware, M2mEncoder)
    stall(hardware)
    assert wait_for(lambda: isinstance(encoder._encoder, X264Encoder), 30)
    assert wait_for(lambda: longest(came)[0] > 0.3, 30), "until the first of another encoder"
    without, count = longest(came)
    record_property("replaced_after_ms", round(without * 1000))
    assert without < REPLACED
    assert f"{encoder_node} stalls" in caplog.text
    assert is_color(units_from(access, count).last_picture(), "green"), "the new one begins with a key frame"
    encoder.set_bitrate(1_000_000)
    encoder.force_key_frame()
    count = len(access.units) + 1
    assert wait_for(lambda: any(b"\0\0\1\x67" in data for data, _ in access.units[count:]), 30)


def longest(times: list[float]) -> tuple[float, int]:
    """The longest time between two, and the place of what came then."""
    return max((after - before, place) for place, (before, after) in enumerate(pairwise(times), 1))


def units_from(access: Access, first: int) -> Access:
    """Those from the first on."""
    rest = Access()
    rest.units = access.units[first:]
    return rest


def test_a_camera_that_gives_jpeg(on_bench: bool, encoder_node: Path) -> None:
    if not on_bench:
        pytest.skip("this machine has no camera that is not real")
    plugged, board = ConferenceCamera("jpeg"), open_board("pi", {"camera": NAME})
    try:
        camera = board.open_camera(WIDTH, HEIGHT, RATE)
        assert isinstance(camera, UsbCamera)
        assert camera._mode.pixel_format == "MJPG"
        assert camera.pan_tilt_zoom is not None
        camera.pan_tilt_zoom.go_to(View(pan=1, tilt=1))
        wanted = (226, 228, 128)  # BT.601, limited range; in a JPEG it was not
        assert wait_for(lambda: is_near(camera.capture(), wanted), 30)
        access = encoded(camera, EncoderSettings(WIDTH, HEIGHT, RATE, 2_000_000, 13))
        assert wait_for(lambda: len(access.units) >= 3 and is_near(access.last_picture(), wanted), 30)
    finally:
        board.close()
        plugged.unplug()


def is_near(frame: av.VideoFrame | None, color: tuple[int, ...]) -> bool:
    return frame is not None and all(abs(a - b) <= 4 for a, b in zip(middle(frame), color, strict=True))


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
