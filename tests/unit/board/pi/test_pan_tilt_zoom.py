"""`board.pi.pan_tilt_zoom`: which controls are used, and how; tests/hil has the kernel's driver of USB cameras."""

from __future__ import annotations

import errno

import pytest

from board.pi import pan_tilt_zoom as module
from board.pi import v4l2
from board.pi.pan_tilt_zoom import STOP_TRIES, V4l2PanTiltZoom, as_part, as_speed, as_value
from firmware.errors import DeviceError
from firmware.ports import PanTiltZoom, View

CLASS = 0x9A0900
PAN, TILT, ZOOM = CLASS + 8, CLASS + 9, CLASS + 13
PAN_SPEED, TILT_SPEED, ZOOM_SPEED = CLASS + 32, CLASS + 33, CLASS + 15
DEGREES = 3600  # arc seconds


class Camera:
    """A node with these controls: number -> minimum, maximum, step."""

    def __init__(self, controls: dict[int, tuple[int, int, int]]) -> None:
        self.values = dict.fromkeys(controls, 0)
        self.set: list[tuple[int, int]] = []
        self.gone = False
        self.refuses: dict[int, int] = {}
        """How often a control takes nothing yet."""
        self.asked = 0
        self._controls = controls

    def limits(self, number: int) -> v4l2.ControlDescription | None:
        if number not in self._controls:
            return None
        minimum, maximum, step = self._controls[number]
        return v4l2.ControlDescription(id=number, minimum=minimum, maximum=maximum, step=step)

    def control(self, number: int) -> int | None:
        return self.values.get(number)

    def set_control(self, number: int, value: int) -> bool:
        self.asked += 1
        if self.gone:
            raise DeviceError("/dev/video0 failed: No such device") from OSError(errno.ENODEV, "No such device")
        if self.refuses.get(number, 0) > 0:
            self.refuses[number] -= 1
            return False
        self.set.append((number, value))
        self.values[number] = value
        return True


# What these say of themselves, by the kernel's driver.
RALLY = {
    PAN: (-170 * DEGREES, 170 * DEGREES, DEGREES),
    TILT: (-30 * DEGREES, 90 * DEGREES, DEGREES),
    ZOOM: (100, 1500, 1),
    PAN_SPEED: (-24, 24, 1),
    TILT_SPEED: (-20, 20, 1),
    ZOOM_SPEED: (1, 7, 1),
}
BCC950 = {PAN_SPEED: (-1, 1, 1), TILT_SPEED: (-1, 1, 1), ZOOM: (1, 5, 1)}
C920 = {PAN: (-36000, 36000, 3600), TILT: (-36000, 36000, 3600), ZOOM: (100, 500, 1)}


def on(camera: Camera) -> V4l2PanTiltZoom:
    return V4l2PanTiltZoom(camera)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("controls", "axes", "driven"),
    [
        (RALLY, {"pan", "tilt", "zoom"}, {"pan", "tilt"}),
        (BCC950, {"pan", "tilt", "zoom"}, {"pan", "tilt"}),
        (C920, {"pan", "tilt", "zoom"}, set()),
        ({ZOOM: (100, 100, 0)}, set(), set()),
        ({}, set(), set()),
    ],
    ids=["motors", "motors that do not say how they stand", "digital", "a lens that does not move", "nothing"],
)
def test_what_a_camera_can_do_is_what_its_controls_can(
    controls: dict[int, tuple[int, int, int]], axes: set[str], driven: set[str]
) -> None:
    head: PanTiltZoom = on(Camera(controls))
    assert (head.axes, head.driven) == (axes, driven)


def test_it_goes_where_it_is_told_in_its_own_units_and_steps() -> None:
    camera = Camera(RALLY)
    head = on(camera)
    head.go_to(View(pan=0.5, tilt=-1, zoom=0.25))
    assert camera.set == [(PAN, 85 * DEGREES), (TILT, -30 * DEGREES), (ZOOM, 450)]
    assert head.view == View(0.5, -1, 0.25)
    head.go_to(View(tilt=1 / 7))
    assert camera.set[3:] == [(TILT, 13 * DEGREES)], "in steps of a degree"


def test_what_a_camera_does_not_say_is_not_known() -> None:
    camera = Camera(BCC950)
    head = on(camera)
    head.go_to(View(1, 1, 1))
    assert camera.set == [(ZOOM, 5)]
    assert head.view == View(zoom=1.0)


def test_it_goes_on_until_it_is_stopped() -> None:
    camera = Camera(RALLY)
    head = on(camera)
    head.drive({"pan": -1, "tilt": 0.01})
    head.drive({"pan": 0, "tilt": 0})
    assert camera.set == [(PAN_SPEED, -24), (TILT_SPEED, 1), (PAN_SPEED, 0), (TILT_SPEED, 0)]


def test_a_camera_that_is_closed_stands_still_and_obeys_no_more() -> None:
    camera = Camera(BCC950)
    head = on(camera)
    head.drive({"pan": 1})
    head.close()
    assert camera.values[PAN_SPEED] == 0
    for command in (lambda: head.go_to(View(zoom=1)), lambda: head.drive({"pan": 1}), lambda: head.view):
        with pytest.raises(DeviceError, match="closed"):
            command()


def test_a_camera_that_was_pulled_out_says_so_and_can_be_closed() -> None:
    camera = Camera(RALLY)
    head = on(camera)
    camera.gone = True
    with pytest.raises(DeviceError, match="No such device"):
        head.go_to(View(pan=0))
    camera.asked = 0
    head.close()
    assert camera.asked == 2, "once along each axis"


def test_an_axis_that_is_refused_keeps_no_other_from_being_told() -> None:
    camera = Camera(RALLY)
    head = on(camera)
    head.drive({"pan": 1, "tilt": 1})
    camera.refuses[PAN_SPEED] = 1
    with pytest.raises(DeviceError, match="does not take a speed to pan"):
        head.drive({"pan": 0, "tilt": 0})
    assert (camera.values[PAN_SPEED], camera.values[TILT_SPEED]) == (24, 0)


@pytest.mark.parametrize(("times", "stand"), [(STOP_TRIES - 1, 0), (1_000, 24)])
def test_a_camera_that_is_closed_is_told_again_that_it_is_to_stand_still(
    times: int, stand: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_PAUSE", 0.001)
    camera = Camera(RALLY)
    head = on(camera)
    head.drive({"pan": 1})
    camera.refuses[PAN_SPEED] = times
    head.close()
    assert camera.values[PAN_SPEED] == stand


@pytest.mark.parametrize(("minimum", "maximum", "step"), [(-36000, 36000, 3600), (-100, 300, 1), (5, 10, 0), (0, 1, 1)])
@pytest.mark.parametrize("axis", ["pan", "zoom"])
def test_parts_and_values_are_each_others_inverse(axis: str, minimum: int, maximum: int, step: int) -> None:
    limits = v4l2.ControlDescription(minimum=minimum, maximum=maximum, step=step)
    for value in range(minimum, maximum + 1, max(1, step)):
        part = as_part(axis, value, limits)
        assert (0 if axis == "zoom" else -1) <= part <= 1
        assert as_value(axis, part, limits) == value
    assert as_value(axis, 7, limits) == maximum
    assert as_value(axis, -7, limits) == minimum


def test_the_slowest_speed_is_one() -> None:
    limits = v4l2.ControlDescription(minimum=-4, maximum=8)
    assert [as_speed(part, limits) for part in (-1, -0.01, 0, 0.01, 0.5, 1, 9)] == [-4, -1, 0, 1, 4, 8, 8]
