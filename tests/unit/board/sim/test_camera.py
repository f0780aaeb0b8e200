"""`board.sim.camera`."""

import threading
import time

import pytest

from board.digital_zoom import DigitalZoom
from board.sim.camera import SimCamera
from board.sim.card import Card
from board.sim.counter import read_counter
from firmware.ports import Camera, EncoderSettings, View


@pytest.fixture
def camera() -> SimCamera:
    return SimCamera(Card(320, 180, 50), 50, DigitalZoom())


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
    camera = SimCamera(Card(320, 180, 1), 1, DigitalZoom())
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.append(camera.capture()))
    thread.start()
    camera.close()
    thread.join(10)
    assert got == [None]
    assert camera.capture() is None


# The colour bars of the card are seven, at 56 to 72 % of its height.
BARS = 1 - 2 * (0.64 - 0.125) / 0.75
"""The tilt by which a view of a quarter has them in its middle."""


def color(camera: SimCamera) -> tuple[int, ...]:
    """Y, Cb, Cr in the middle of the picture."""
    frame = camera.capture()
    assert frame is not None
    assert (frame.width, frame.height) == (320, 180)
    assert frame.time is not None
    return tuple(bytes(p)[p.height // 2 * p.line_size + p.width // 2] for p in frame.planes)


GREEN, YELLOW, BLUE = (117, 67, 57), (162, 44, 142), (35, 212, 114)
"""Of 75 %, BT.601: the fourth of the bars, the second, and the last."""


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) <= 12 for a, b in zip(one, other, strict=True))


def test_the_part_that_was_chosen_is_seen(camera: SimCamera) -> None:
    camera.pan_tilt_zoom.go_to(View(0, BARS, 1))
    assert near(color(camera), GREEN)
    camera.pan_tilt_zoom.go_to(View(pan=-0.8))
    assert near(color(camera), YELLOW)
    camera.pan_tilt_zoom.go_to(View(pan=1.0))
    assert near(color(camera), BLUE)
    camera.pan_tilt_zoom.go_to(View(zoom=0))
    frame = camera.capture()
    assert frame is not None
    assert read_counter(frame) is not None, "all of the card is seen again"


def test_it_looks_where_it_did_when_it_is_opened_again() -> None:
    zoom = DigitalZoom()
    first = SimCamera(Card(320, 180, 50), 50, zoom)
    first.pan_tilt_zoom.go_to(View(0, BARS, 1))
    first.close()
    again = SimCamera(Card(320, 180, 50), 50, zoom)
    assert near(color(again), GREEN)
    again.close()
