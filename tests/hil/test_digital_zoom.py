"""The Pi's own camera behind an ISP: digital pan, tilt and zoom (ScalerCrop), and a second, small stream.

libcamera, with what machine/isp.cc adds to its handler of the driver, and unmodified picamera2; the driver's scaler
cuts out what is to be seen.  Before the camera are eight stripes: at zoom 1, the picture is two of them wide.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from hil.pictures import STRIPES, Access, color_at, is_color
from hil.sensor import Sensor
from hil.waiting import wait_for

from board.pi.csi_camera import CsiCamera
from firmware.media.camera_control import CameraControl
from firmware.media.message import CameraView, Report
from firmware.ports import Board, Camera, EncoderSettings, PanTiltZoom, View

# picamera2 starts its threads in an old way.
pytestmark = pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")
WIDTH, HEIGHT = 480, 288
LARGE = 768, 432
"""With a small picture beside it."""


def opened(board: Board, width: int = WIDTH, height: int = HEIGHT) -> tuple[Camera, PanTiltZoom]:
    camera = board.open_camera(width, height, 30)
    head = camera.pan_tilt_zoom
    assert head is not None
    return camera, head


def stripe(number: float) -> float:
    """Where to look, along the axis, to have this stripe in the middle at zoom 1; a half: the edge after it."""
    return (number - 3.5) / 3


def stripes(frame: av.VideoFrame | None) -> list[str]:
    """What eight places see, from left to right."""
    return [] if frame is None else [color_at(frame, (n + 0.5) / 8, 0.5) for n in range(8)]


def shows(camera: Camera, wanted: list[str], *, small: bool = False) -> bool:
    return wait_for(lambda: stripes(camera.capture(small=small)) == wanted)


def middle_is(camera: Camera, name: str) -> bool:
    return wait_for(lambda: is_color(camera.capture(), name))


def wide(*names: str) -> list[str]:
    """Of what these stripes fill, those eight places."""
    return [name for name in names for _ in range(8 // len(names))]


@pytest.fixture
def columns(sensor: Sensor) -> Iterator[Sensor]:
    sensor.show("columns")
    yield sensor
    sensor.show("black")


def test_it_zooms_in_and_out_while_it_streams(columns: Sensor, board: Board) -> None:
    camera, head = opened(board)
    assert (head.axes, head.driven) == ({"pan", "tilt", "zoom"}, frozenset())
    assert shows(camera, STRIPES)
    head.go_to(View(zoom=0.5))
    assert shows(camera, wide(*STRIPES[2:6]))
    head.go_to(View(zoom=1))
    assert shows(camera, wide(*STRIPES[3:5]))
    head.go_to(View(zoom=0))
    assert shows(camera, STRIPES)


@pytest.mark.parametrize(("pattern", "axis", "sign"), [("columns", "pan", 1), ("rows", "tilt", -1)])
def test_it_looks_where_it_is_told(sensor: Sensor, board: Board, pattern: str, axis: str, sign: int) -> None:
    sensor.show(pattern)
    camera, head = opened(board)
    head.go_to(View(0, 0, 1))
    for number in (1, 6, 3, 5, 4, 2):
        head.go_to(View(**{axis: sign * stripe(number)}))
        assert middle_is(camera, STRIPES[number])


def test_the_next_call_begins_with_what_the_last_one_saw(columns: Sensor, board: Board) -> None:
    camera, head = opened(board)
    head.go_to(View(stripe(6), 0, 1))
    assert middle_is(camera, "blue")
    camera.close()
    camera, _ = opened(board)
    assert is_color(camera.capture(), "blue"), "in its first picture"


def test_the_encoder_reads_what_the_isp_has_cut_out(columns: Sensor, encoder_node: Path, board: Board) -> None:
    camera, head = opened(board)
    access = Access()
    encoder = camera.open_encoder(EncoderSettings(WIDTH, HEIGHT, 30, 20_000_000, 31), access.add)
    assert encoder is not None
    for number in (1, 5):
        head.go_to(View(stripe(number), 0, 1))
        assert middle_is(camera, STRIPES[number])
        count = len(access.units)
        encoder.force_key_frame()
        assert wait_for(lambda count=count: len(access.units) > count + 3, 30)
        assert is_color(access.last_picture(), STRIPES[number])


def test_it_is_moved_bit_by_bit(columns: Sensor, board: Board) -> None:
    camera, head = opened(board)
    reports: list[Report] = []
    control = CameraControl(reports.append)
    control.opened(head)
    control.move({"pan": -1, "zoom": 1}, 10)
    assert wait_for(lambda: stripes(camera.capture()) == wide(*STRIPES[:2]), 30)
    assert wait_for(lambda: reports[-1] == CameraView(("pan", "tilt", "zoom"), -1, 0, 1))
    control.closed()


def test_a_small_picture_comes_with_the_large_one(
    columns: Sensor, encoder_node: Path, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    from picamera2 import Picamera2

    monkeypatch.setattr(Picamera2, "platform", None)  # where picamera2 finds no Pi 5, it wants YUV of a small stream
    camera, head = opened(board, *LARGE)
    access = Access()
    encoder = camera.open_encoder(EncoderSettings(*LARGE, 30, 20_000_000, 31), access.add)
    assert encoder is not None
    for number in (1, 5):
        head.go_to(View(stripe(number + 0.5), 0, 1))
        wanted = wide(*STRIPES[number : number + 2])
        assert shows(camera, wanted, small=True)
        assert shows(camera, wanted)
    sizes = {small: camera.capture(small=small) for small in (True, False)}
    assert {small: (f.width, f.height) for small, f in sizes.items() if f is not None} == {
        True: (640, 360),
        False: LARGE,
    }
    assert wait_for(lambda: stripes(access.last_picture()) == wanted, 30)


def test_focus_and_rate_are_told_in_libcameras_own_types(columns: Sensor, board: Board) -> None:
    camera, _ = opened(board)
    assert isinstance(camera, CsiCamera)
    told = camera._camera.capture_metadata()
    assert (told["AfMode"], told["FrameDurationLimits"]) == (2, (33_333, 33_333))
    left, top, width, height = told["ScalerCrop"]
    assert (left, top, width, height) == (144, 0, 4320, 2592), "the sensor's middle, in the picture's shape"
