"""The room's camera is moved as long as was said, and where it looks is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from media_parts import Head

from firmware.errors import DeviceError
from firmware.media import camera_control as module
from firmware.media.camera_control import CameraControl
from firmware.media.message import CameraView, Report
from firmware.ports import View

AXES = ("pan", "tilt", "zoom")


class Bench:
    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.control = CameraControl(self.reports.append)

    def open(self, head: Head | None) -> None:
        self.control.opened(head)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(module, "BIT_TIME", 0.002)
    monkeypatch.setattr(module, "REPORT_TIME", 0.01)
    monkeypatch.setattr(module, "STOP_PAUSE", 0.002)
    monkeypatch.setattr(module, "TRAVEL_TIME", {"pan": 0.2, "tilt": 0.2, "zoom": 0.2})
    bench = Bench()
    yield bench
    bench.control.closed()


def test_what_can_be_moved_and_where_it_looks_is_told(bench: Bench, eventually: Callable[..., None]) -> None:
    bench.open(Head())
    eventually(lambda: bench.reports == [CameraView(AXES, 0, 0, 0)])
    bench.control.go_to(View(0.5, None, 1))
    eventually(lambda: bench.reports[-1] == CameraView(AXES, 0.5, 0, 1))
    bench.control.closed()
    assert bench.reports[-1] == CameraView()


def test_a_camera_without_motors_is_not_spoken_of(bench: Bench) -> None:
    bench.open(None)
    bench.control.move({"pan": 1}, 1)
    bench.control.closed()
    assert bench.reports == []


def test_it_is_moved_bit_by_bit_as_far_as_it_goes(bench: Bench, eventually: Callable[..., None]) -> None:
    head = Head()
    bench.open(head)
    bench.control.move({"pan": -1, "tilt": 0, "zoom": 0.5}, 60)
    eventually(lambda: head.view == View(-1, 0, 1))
    pans = [view.pan for view in head.views if view.pan is not None]
    assert len(pans) > 3
    assert all(later <= earlier for earlier, later in pairwise(pans))
    assert all(view.tilt is None for view in head.views), "along this axis nothing was to be moved"
    zooms = [view.zoom for view in head.views if view.zoom is not None and view.zoom < 1]
    assert all(zoom < -pan or pan == -1 for zoom, pan in zip(zooms, pans, strict=False)), "at half the speed"


def test_it_stands_still_when_its_time_is_over(bench: Bench, eventually: Callable[..., None]) -> None:
    head = Head()
    bench.open(head)
    eventually(lambda: bench.reports)
    bench.control.move({"pan": 0.001}, 1)
    eventually(lambda: head.views)
    time.sleep(1.2)
    told = len(head.views)
    time.sleep(0.1)
    assert len(head.views) == told
    assert 0 < head.view.pan < 1
    assert isinstance(bench.reports[-1], CameraView)
    assert bench.reports[-1].pan == head.view.pan, "the last report is of where it stands"


def test_it_is_stopped_by_another_command(bench: Bench, eventually: Callable[..., None]) -> None:
    head = Head()
    bench.open(head)
    bench.control.move({"pan": 0.01}, 60)
    eventually(lambda: head.views)
    bench.control.go_to(View(pan=-0.75))
    eventually(lambda: head.view.pan == -0.75)
    time.sleep(0.05)
    assert head.view.pan == -0.75
    bench.control.move({"tilt": 0.01}, 60)
    eventually(lambda: head.view.tilt > 0)
    bench.control.move({}, 1)
    time.sleep(0.05)
    stand = head.view
    time.sleep(0.05)
    assert head.view == stand


def test_what_goes_on_by_itself_is_started_and_stopped(bench: Bench, eventually: Callable[..., None]) -> None:
    head = Head(driven=("pan", "tilt"))
    bench.open(head)
    bench.control.move({"pan": 0.5, "zoom": 1}, 60)
    eventually(lambda: head.view.zoom == 1)
    assert head.drives == [{"pan": 0.5, "tilt": 0}]
    bench.control.move({"pan": -1, "zoom": 1}, 1)
    eventually(lambda: len(head.drives) == 3)
    assert head.drives[1:] == [{"pan": -1, "tilt": 0}, {"pan": 0, "tilt": 0}]
    assert all(view.pan is None for view in head.views)


def test_a_speed_beyond_the_highest_is_that(bench: Bench, eventually: Callable[..., None]) -> None:
    head = Head(driven=("pan",))
    bench.open(head)
    bench.control.move({"pan": -7, "focus": 1}, 60)
    eventually(lambda: head.drives)
    bench.control.move({}, 1)
    eventually(lambda: len(head.drives) == 2)
    assert head.drives == [{"pan": -1}, {"pan": 0}]


def test_what_was_to_be_seen_before_it_was_open_is_seen_then(bench: Bench, eventually: Callable[..., None]) -> None:
    head = Head()
    bench.control.go_to(View(zoom=0.5))
    bench.control.move({"pan": 1}, 60)
    bench.open(head)
    eventually(lambda: head.view.zoom == 0.5)
    time.sleep(0.05)
    assert head.view.pan == 0, "but nothing moves by itself"


def test_a_camera_that_does_not_obey_is_left_alone_until_the_next_command(
    bench: Bench, eventually: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    head = Head()
    head.broken = True
    caplog.set_level("INFO")
    bench.open(head)
    bench.control.move({"pan": 1}, 60)
    eventually(lambda: "it is stuck" in caplog.text)
    time.sleep(0.05)
    assert caplog.text.count("it is stuck") == 1
    head.broken = False
    bench.control.go_to(View(pan=1))
    eventually(lambda: head.view.pan == 1)


def test_a_motor_that_does_not_hear_that_it_is_to_stop_is_told_until_it_does(
    bench: Bench, eventually: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    head = Head(driven=("pan",))
    bench.open(head)
    bench.control.move({"pan": 1}, 60)
    eventually(lambda: head.drives == [{"pan": 1}])
    head.deaf = True
    bench.control.move({}, 1)
    eventually(lambda: len(head.refused) > 3)
    head.deaf = False
    eventually(lambda: head.drives == [{"pan": 1}, {"pan": 0}])
    told = len(head.refused)
    time.sleep(0.05)
    assert (len(head.drives), len(head.refused)) == (2, told), "once it stands still, it is left alone"
    assert set(map(str, head.refused)) == {"{'pan': 0.0}"}
    assert caplog.text.count("it hears nothing") == 1


def test_a_motor_that_may_have_begun_is_stopped(bench: Bench, eventually: Callable[..., None]) -> None:
    head = Head(driven=("pan", "tilt"))
    head.deaf = True
    bench.open(head)
    bench.control.move({"pan": 1}, 60)
    eventually(lambda: len(head.refused) > 1)
    head.deaf = False
    eventually(lambda: head.drives == [{"pan": 0, "tilt": 0}])


def test_a_motor_that_began_and_then_does_not_answer_is_stopped(bench: Bench, eventually: Callable[..., None]) -> None:
    class Mute(Head):
        @property
        def view(self) -> View:
            if self.drives:
                raise DeviceError("it says nothing")
            return View()

        @view.setter
        def view(self, view: View) -> None: ...

    head = Mute(driven=("pan",))
    bench.open(head)
    bench.control.move({"pan": 1}, 60)
    eventually(lambda: head.drives == [{"pan": 1}, {"pan": 0}])


def test_another_command_takes_the_place_of_the_stop(bench: Bench, eventually: Callable[..., None]) -> None:
    head = Head(driven=("pan",))
    bench.open(head)
    bench.control.move({"pan": 1}, 60)
    eventually(lambda: head.drives)
    head.deaf = True
    bench.control.move({}, 1)
    eventually(lambda: head.refused)
    head.deaf = False
    bench.control.move({"pan": -0.5}, 60)
    eventually(lambda: head.drives[-1] == {"pan": -0.5})
    time.sleep(0.05)
    assert head.drives[-1] == {"pan": -0.5}


def test_a_motor_that_never_hears_is_given_up(
    bench: Bench, eventually: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "STOP_TIME", 0.05)
    head = Head(driven=("pan",))
    bench.open(head)
    bench.control.move({"pan": 1}, 60)
    eventually(lambda: head.drives)
    head.deaf = True
    bench.control.move({}, 1)
    eventually(lambda: "does not take that it is to stand still" in caplog.text)
    told = len(head.refused)
    time.sleep(0.05)
    assert len(head.refused) == told
    head.deaf = False
    bench.control.move({"pan": 1}, 60)
    eventually(lambda: head.drives[1:] == [{"pan": 1}])


def test_a_motor_that_arrives_late_is_looked_at_until_it_has(bench: Bench, eventually: Callable[..., None]) -> None:
    head = Head(driven=AXES)
    bench.open(head)
    bench.control.go_to(View())
    eventually(lambda: head.views)
    time.sleep(0.05)
    head.view = View(1, 0, 0)
    eventually(lambda: bench.reports[-1] == CameraView(AXES, 1, 0, 0))
