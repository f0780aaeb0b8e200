"""`board.sim.camera`."""

import threading
import time

import pytest

from board.sim.camera import SimCamera
from board.sim.card import Card
from board.sim.counter import read_counter
from firmware.ports import Camera, EncoderSettings


@pytest.fixture
def camera() -> SimCamera:
    return SimCamera(Card(320, 180, 50), 50)


def test_it_is_a_camera(camera: Camera) -> None:
    assert (camera.width, camera.height, camera.frame_rate) == (320, 180, 50)
    assert camera.open_encoder(EncoderSettings(320, 180, 50, 100_000, 31), lambda *_: None) is None


def test_pictures_carry_their_capture_time(camera: SimCamera) -> None:
    begin = time.monotonic()
    frames = [camera.capture() for _ in range(5)]
    end = time.monotonic()
    times = [frame.time for frame in frames if frame]
    assert all(begin - 0.02 <= moment <= end for moment in times)
    numbers = [read_counter(frame) for frame in frames if frame]
    for earlier, later in zip(range(4), range(1, 5), strict=True):
        elapsed = times[later] - times[earlier]
        assert elapsed == pytest.approx((numbers[later] - numbers[earlier]) / 50, abs=2e-6)


def test_a_late_reader_loses_pictures_and_does_not_lag(camera: SimCamera) -> None:
    first = camera.capture()
    time.sleep(0.3)
    before = time.monotonic()
    second = camera.capture()
    assert first is not None
    assert second is not None
    assert read_counter(second) - read_counter(first) >= 14
    assert second.time > before - 0.021


def test_a_kept_picture_does_not_change(camera: SimCamera) -> None:
    first = camera.capture()
    assert first is not None
    kept, moment = bytes(first.planes[0]), first.time
    camera.capture()
    assert (bytes(first.planes[0]), first.time) == (kept, moment)


def test_close_lets_a_waiting_capture_return() -> None:
    camera = SimCamera(Card(320, 180, 1), 1)
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.append(camera.capture()))
    thread.start()
    camera.close()
    thread.join(10)
    assert got == [None]
    assert camera.capture() is None
