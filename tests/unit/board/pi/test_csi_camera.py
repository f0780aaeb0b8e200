"""`board.pi.csi_camera`: what is asked of a Pi's own ISP and sensors: planes of YUV, focus, modes, the crops of a Pi 5.

tests/hil has the rest, on unmodified picamera2 and libcamera.  The stand-in for picamera2 knows what is asked of it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import Any

import pytest

from board.digital_zoom import DigitalZoom
from board.pi.csi_camera import CsiCamera, choose_format, csi_cameras, small_size, widest
from firmware.errors import DeviceError
from firmware.ports import Camera, View

IMX708 = "/base/soc/i2c0mux/i2c@1/imx708@1a"
MODES = (
    {"size": (1536, 864), "bit_depth": 10, "fps": 120.13, "crop_limits": (768, 432, 3072, 1728)},
    {"size": (2304, 1296), "bit_depth": 10, "fps": 56.03, "crop_limits": (0, 0, 4608, 2592)},
    {"size": (4608, 2592), "bit_depth": 10, "fps": 14.35, "crop_limits": (0, 0, 4608, 2592)},
)
"""Of picamera2, for an imx708."""


class Request:
    def __init__(self, camera: Picamera2) -> None:
        self.camera = camera
        self.held = 1
        self.stream_map = {"main": "main", "lores": "lores"}

    def get_metadata(self) -> dict[str, Any]:
        return {"SensorTimestamp": time.monotonic_ns()}

    def release(self) -> None:
        self.held -= 1


class Picamera2:
    """A camera behind an ISP: 64 bytes of every row are padding; luma is 50 in the main stream, 150 in the small."""

    silent = False
    streams = 2
    crops: Mapping[str, Any] = MappingProxyType({})
    last: Picamera2

    def __init__(self, number: int) -> None:
        Picamera2.last = self
        assert number == 1
        self.camera = self
        self.camera_controls: dict[str, Any] = {"FrameDurationLimits": None, "AfMode": None, **self.crops}
        self.sensor_modes = list(MODES)
        self.request_lock = threading.Lock()
        self.told: list[object] = []

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return [{"Id": "/base/usb-1"}, {"Id": IMX708}]

    def generate_configuration(self, roles: list[str]) -> SimpleNamespace | None:
        stream = SimpleNamespace(formats=SimpleNamespace(pixel_formats=["BGR888", "NV12", "YUV420"]))
        return SimpleNamespace(at=lambda _: stream, size=len(roles)) if len(roles) <= self.streams else None

    def create_video_configuration(self, **wanted: Any) -> dict[str, Any]:
        return wanted

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration

    def stream_configuration(self, name: str) -> dict[str, Any]:
        width, height = self.configuration[name]["size"]
        stride = width + 64
        return {**self.configuration[name], "stride": stride, "framesize": stride * height * 3 // 2}

    def start(self) -> None:
        self.told.append("start")

    def capture_request(self, wait: float) -> Request:
        time.sleep(0.005)
        if self.silent:
            raise TimeoutError
        return Request(self)

    def set_controls(self, controls: dict[str, Any]) -> None:
        assert self.request_lock.locked(), "a request takes over what was set before, and forgets it"
        self.told.append(controls)

    def cancel_all_and_flush(self) -> None:
        self.told.append("flush")

    def close(self) -> None:
        self.told.append("close")


@contextmanager
def mapped_array(request: Request, stream: str, *, reshape: bool, write: bool) -> Iterator[SimpleNamespace]:
    size = request.camera.stream_configuration(stream)["framesize"]
    yield SimpleNamespace(array=bytes([50 if stream == "main" else 150]) * size)


@pytest.fixture(autouse=True)
def picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    libcamera, module = ModuleType("libcamera"), ModuleType("picamera2")
    libcamera.StreamRole = SimpleNamespace(Viewfinder="viewfinder")  # type: ignore[attr-defined]
    libcamera.ColorSpace = SimpleNamespace(Smpte170m=lambda: "BT.601")  # type: ignore[attr-defined]
    focus = SimpleNamespace(AfModeEnum=SimpleNamespace(Continuous="continuous"))
    libcamera.controls = focus  # type: ignore[attr-defined]
    module.Picamera2, module.MappedArray = Picamera2, mapped_array  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "libcamera", libcamera)
    monkeypatch.setitem(sys.modules, "picamera2", module)


@pytest.fixture
def camera() -> Iterator[Camera]:
    camera = CsiCamera(IMX708, 1280, 720, 30, DigitalZoom())
    yield camera
    camera.close()


def look(camera: Camera) -> None:
    while camera.capture() is not None:
        pass


def test_two_streams_are_asked_for_in_bt_601_with_the_whole_view_and_focus(camera: Camera) -> None:
    assert Picamera2.last.configuration == {
        "main": {"size": (1280, 720), "format": "YUV420"},
        "lores": {"size": (640, 360), "format": "YUV420"},
        "raw": None,
        "sensor": {"output_size": (2304, 1296), "bit_depth": 10},
        "colour_space": "BT.601",
        "buffer_count": 6,
        "controls": {"FrameDurationLimits": (33_333, 33_333), "AfMode": "continuous"},
    }


def test_who_needs_no_more_gets_the_small_picture(camera: Camera) -> None:
    for small, size, luma in ((True, (640, 360), 150), (False, (1280, 720), 50)):
        frame = camera.capture(small=small)
        assert frame is not None
        assert (frame.width, frame.height) == size
        assert bytes(frame.planes[0])[0] == luma
        assert frame.time == pytest.approx(time.monotonic(), abs=5)


def test_a_camera_with_one_stream_gives_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Picamera2, "streams", 1)
    camera = CsiCamera(IMX708, 1280, 720, 30, DigitalZoom())
    frame = camera.capture(small=True)
    camera.close()
    assert Picamera2.last.configuration["lores"] is None
    assert frame is not None
    assert (frame.width, frame.height) == (1280, 720)


def test_a_pi_5_is_told_for_each_stream_since_that_counts_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    # A sensor of 4608x2592 pixels, of which a picture of 4:3 uses the middle.
    crops = {"ScalerCrop": ((0, 0, 64, 64), (0, 0, 4608, 2592), (576, 0, 3456, 2592)), "ScalerCrops": None}
    monkeypatch.setattr(Picamera2, "crops", crops)
    zoom = DigitalZoom()
    for width, streams in ((640, 1), (1280, 2)):
        camera = CsiCamera(IMX708, width, width * 3 // 4, 30, zoom)
        assert camera.pan_tilt_zoom is zoom
        zoom.go_to(View(-1, 1, 1))
        zoom.go_to(View(0, 0, 0))
        camera.close()
        zoom.go_to(View(zoom=0.5))
        zoom.go_to(View(zoom=0))
        whole, part = (576, 0, 3456, 2592), (576, 0, 864, 648)
        wanted = [{"ScalerCrop": crop, "ScalerCrops": [crop] * streams} for crop in (whole, part, whole)]
        assert Picamera2.last.told == [wanted[0], "start", *wanted[1:], "flush", "close"]


def test_an_isp_that_does_not_crop_can_not_be_moved(camera: Camera) -> None:
    assert camera.pan_tilt_zoom is None


def test_what_libcamera_refuses_to_show_is_a_device_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("Control ScalerCrop is not advertised by libcamera")

    monkeypatch.setattr(Picamera2, "crops", {"ScalerCrop": ((0, 0, 64, 64), (0, 0, 640, 480), None)})
    camera = CsiCamera(IMX708, 640, 480, 30, DigitalZoom())
    monkeypatch.setattr(Picamera2, "set_controls", refuse)
    assert camera.pan_tilt_zoom is not None
    with pytest.raises(DeviceError, match="not advertised"):
        camera.pan_tilt_zoom.go_to(View(zoom=1))
    camera.close()


def test_closing_closes_once(camera: Camera) -> None:
    camera.close()
    camera.close()
    assert Picamera2.last.told == ["start", "flush", "close"]
    assert camera.capture() is None


def test_a_camera_that_falls_silent_has_failed(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    assert camera.capture() is not None
    monkeypatch.setattr(Picamera2, "silent", True)
    with pytest.raises(DeviceError, match="imx708@1a gives no picture"):
        look(camera)


def test_a_camera_that_is_gone_says_so() -> None:
    with pytest.raises(DeviceError, match="imx219@10 is gone"):
        CsiCamera("/base/soc/i2c0mux/i2c@1/imx219@10", 1280, 720, 30, DigitalZoom())


def test_what_picamera2_refuses_is_a_device_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("Camera is in use")

    monkeypatch.setattr(Picamera2, "configure", refuse)
    with pytest.raises(DeviceError, match="imx708@1a: Camera is in use"):
        CsiCamera(IMX708, 1280, 720, 30, DigitalZoom())
    assert Picamera2.last.told == ["close"]


def test_a_machine_without_picamera2_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(DeviceError, match="needs python3-picamera2"):
        CsiCamera(IMX708, 1280, 720, 30, DigitalZoom())
    monkeypatch.setitem(sys.modules, "libcamera", None)
    assert csi_cameras() == []


@pytest.mark.parametrize(
    ("wanted", "mode"),
    [((1280, 720, 30), (2304, 1296)), ((1280, 720, 60), (1536, 864)), ((3840, 2160, 10), (4608, 2592))],
)
def test_the_sensor_sees_as_much_of_the_room_as_it_can(wanted: tuple[int, int, int], mode: tuple[int, int]) -> None:
    assert widest(MODES, *wanted) == {"output_size": mode, "bit_depth": 10}


def test_a_sensor_that_tells_no_modes_is_left_to_choose() -> None:
    assert widest([{"format": "MJPEG"}], 1280, 720, 30) is None


def test_the_best_format_that_is_offered_is_taken() -> None:
    assert choose_format(["BGR888", "NV12", "YUV420"]) == "YUV420"
    assert choose_format(["RGB888", "BGR888"]) == "BGR888"
    with pytest.raises(DeviceError, match="none of the formats YUV420"):
        choose_format(["SRGGB10"])


def test_the_small_picture_has_the_shape_of_the_large_one() -> None:
    assert small_size(1920, 1080) == (640, 360)
    assert small_size(1640, 1232) == (640, 480)
    assert small_size(640, 480) is None
