"""The camera is open while it is needed, and comes back after a failure."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable

import av
import pytest
from media_parts import Collector, Head, picture

from firmware.errors import DeviceError
from firmware.media import camera as module
from firmware.media.camera import CameraFeed
from firmware.media.fault import Fault
from firmware.media.message import CameraView, DeviceFailed, DeviceRestored, Report
from firmware.ports import PanTiltZoom, View


class Camera:
    """A camera of 200 pictures a second, until it is closed or breaks."""

    width, height, frame_rate = 320, 180, 200
    pan_tilt_zoom: PanTiltZoom | None = None

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.broken: Exception | None = None
        self.captured = 0
        self.small = False

    def capture(self, *, small: bool = False) -> av.VideoFrame | None:
        self.small = small
        if self.closed.wait(0.005):
            return None
        if self.broken is not None:
            raise self.broken
        self.captured += 1
        return picture(self.captured)

    def open_encoder(self, settings: object, on_access_unit: object) -> None:
        pass

    def close(self) -> None:
        self.closed.set()


class Cameras:
    """All cameras that were opened."""

    def __init__(self) -> None:
        self.all: list[Camera] = []
        self.missing = ""

    def feed(self, report: Callable[[Report], None], *, absent: bool = False) -> CameraFeed:
        return CameraFeed(self.open, Fault("camera", self.look_for, report), report, absent=absent)

    def look_for(self, device: str) -> None:
        if self.missing:
            raise DeviceError(self.missing)

    def open(self) -> Camera:
        self.look_for("camera")
        self.all.append(Camera())
        return self.all[-1]

    @property
    def open_now(self) -> int:
        return sum(not camera.closed.is_set() for camera in self.all)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY", 0.01)


def test_it_is_open_only_while_somebody_needs_it(eventually, viewer) -> None:
    cameras, watcher = Cameras(), Collector()
    feed = cameras.feed(lambda report: None)
    feed.watch(watcher)
    time.sleep(0.05)
    assert cameras.all == []  # whoever merely watches does not light the lamp
    feed.add(viewer)
    eventually(lambda: len(viewer.pictures) > 3 and len(watcher.pictures) > 3)
    assert (viewer.opened, watcher.opened, cameras.open_now) == (1, 1, 1)
    feed.remove(viewer)
    eventually(lambda: cameras.open_now == 0 and watcher.closed)
    assert viewer.closed
    feed.add(viewer)
    eventually(lambda: viewer.opened == 2 and cameras.open_now == 1)
    feed.remove(viewer)
    eventually(lambda: cameras.open_now == 0)


def test_a_small_picture_will_do_for_who_watches_beside_the_cameras_own_encoder(eventually, viewer) -> None:
    cameras, watcher, software = Cameras(), Collector(), Collector()
    viewer.takes_encoded = True
    feed = cameras.feed(lambda report: None)
    feed.watch(watcher)
    feed.add(viewer)
    eventually(lambda: watcher.pictures and cameras.all[0].small)
    feed.add(software)
    eventually(lambda: software.pictures and not cameras.all[0].small)
    feed.remove(software)
    eventually(lambda: cameras.all[0].small)
    feed.remove(viewer)


def test_two_viewers_share_one_camera(eventually, viewer) -> None:
    cameras, second = Cameras(), Collector()
    feed = cameras.feed(lambda report: None)
    feed.add(viewer)
    feed.add(second)
    eventually(lambda: viewer.pictures and second.pictures)
    feed.remove(viewer)
    seen = len(second.pictures)
    eventually(lambda: len(second.pictures) > seen + 3)
    assert len(cameras.all) == 1
    feed.remove(second)
    eventually(lambda: cameras.open_now == 0)


def test_who_has_gone_is_forgotten_while_others_look(eventually, viewer) -> None:
    cameras, passing = Cameras(), [Collector()]
    feed = cameras.feed(lambda report: None)
    feed.add(viewer)
    feed.add(passing[0])
    eventually(lambda: passing[0].pictures)
    feed.remove(passing[0])
    gone = weakref.ref(passing.pop())
    eventually(lambda: gone() is None)  # an encoder hangs on each: tens of megabytes
    feed.remove(viewer)
    eventually(lambda: cameras.open_now == 0)


def test_whom_the_cameras_encoder_serves_needs_no_pictures(eventually, viewer) -> None:
    cameras = Cameras()
    viewer.takes_encoded = True
    feed = cameras.feed(lambda report: None)
    feed.add(viewer)
    eventually(lambda: viewer.opened)
    time.sleep(0.05)
    assert cameras.all[0].captured == 0
    watcher = Collector()
    feed.watch(watcher)
    eventually(lambda: watcher.pictures)
    assert viewer.pictures == []
    feed.remove(viewer)
    eventually(lambda: cameras.open_now == 0)


def test_a_camera_that_breaks_is_reported_once_and_opened_again(eventually, viewer) -> None:
    cameras = Cameras()
    reports: list[Report] = []
    feed = cameras.feed(reports.append)
    feed.add(viewer)
    eventually(lambda: viewer.pictures)
    cameras.missing = "unplugged"
    cameras.all[0].broken = DeviceError("unplugged")
    eventually(lambda: viewer.closed)
    time.sleep(0.1)
    assert reports == [DeviceFailed("camera", "unplugged")]
    cameras.missing = ""
    eventually(lambda: viewer.opened == 2)
    seen = len(viewer.pictures)
    eventually(lambda: len(viewer.pictures) > seen)
    cameras.all[-1].broken = RuntimeError("a bug")
    eventually(lambda: reports[1:] == [DeviceRestored("camera"), DeviceFailed("camera", "a bug")])
    feed.remove(viewer)
    eventually(lambda: cameras.open_now == 0)


def test_nobody_waits_for_a_camera_that_is_missing(eventually, viewer) -> None:
    cameras = Cameras()
    cameras.missing = "no camera"
    reports: list[Report] = []
    feed = cameras.feed(reports.append)
    feed.add(viewer)
    eventually(lambda: reports)
    feed.remove(viewer)
    feed.add(viewer)
    feed.remove(viewer)
    eventually(lambda: all(thread.name != "camera" for thread in threading.enumerate()))


def test_a_camera_that_can_be_moved_is_moved_while_it_is_open(eventually, viewer, monkeypatch) -> None:
    cameras, head = Cameras(), Head()
    monkeypatch.setattr(Camera, "pan_tilt_zoom", head)
    reports: list[Report] = []
    feed = cameras.feed(reports.append)
    feed.add(viewer)
    eventually(lambda: CameraView(("pan", "tilt", "zoom"), 0, 0, 0) in reports)
    feed.control.go_to(View(pan=0.5))
    eventually(lambda: head.view.pan == 0.5)
    feed.remove(viewer)
    eventually(lambda: reports[-1] == CameraView())
    feed.control.go_to(View(pan=-0.5))
    time.sleep(0.05)
    assert head.view.pan == 0.5


def test_a_camera_that_nobody_needs_is_looked_for(eventually, viewer) -> None:
    cameras = Cameras()
    reports: list[Report] = []
    feed = cameras.feed(reports.append)
    feed.add(viewer)
    eventually(lambda: viewer.pictures)
    cameras.missing = "no camera"
    feed.look()
    assert reports == [], "its user says how it is"
    cameras.all[0].broken = DeviceError("unplugged")
    eventually(lambda: DeviceFailed("camera", "no camera") in reports)
    feed.remove(viewer)
    eventually(lambda: all(thread.name != "camera" for thread in threading.enumerate()))
    cameras.missing = ""
    feed.look()
    assert reports[-1] == DeviceRestored("camera")
    assert cameras.open_now == 0, "looking does not light the lamp"


def test_one_that_the_room_has_none_of_is_neither_opened_nor_looked_for(viewer) -> None:
    cameras, reports = Cameras(), []
    cameras.missing = "it is not plugged in"
    feed = cameras.feed(reports.append, absent=True)
    feed.look()
    feed.add(viewer)
    time.sleep(0.05)
    feed.remove(viewer)
    assert reports == []
    assert cameras.all == viewer.pictures == []
