"""`firmware.ports`: its figures, and that both boards offer exactly what it asks for."""

import inspect

import pytest

from board import open_board
from board.digital_zoom import DigitalZoom
from board.sim.audio import Silence, SimMicrophone, SimSpeaker
from board.sim.camera import SimCamera
from board.sim.card import Card
from board.sim.display import SimDisplay
from firmware import ports


def commands(protocol: type) -> dict[str, list[str]]:
    """The methods that a Protocol asks for, with the names of their parameters."""
    return {
        name: list(inspect.signature(function).parameters)
        for name, function in vars(protocol).items()
        if inspect.isfunction(function) and not name.startswith("_")
    }


OFFERED = [
    (ports.Board, lambda: open_board("sim", {})),
    (ports.Board, lambda: open_board("pi", {})),
    (ports.Microphone, lambda: SimMicrophone(Silence())),
    (ports.Speaker, lambda: SimSpeaker(None)),
    (ports.Camera, lambda: SimCamera(Card(320, 180, 30), 30, DigitalZoom())),
    (ports.Television, lambda: open_board("sim", {}).open_television("Aalto")),
    (ports.Watchdog, lambda: open_board("sim", {}).open_watchdog(60)),
    (ports.Display, lambda: SimDisplay(320, 180)),
]


@pytest.mark.parametrize(("protocol", "make"), OFFERED)
def test_boards_and_devices_take_the_commands_that_are_asked_of_them(protocol: type, make: object) -> None:
    assert callable(make)
    device = make()
    for name, parameters in commands(protocol).items():
        assert ["self", *inspect.signature(getattr(device, name)).parameters] == parameters, name
    for name in protocol.__annotations__:
        assert hasattr(device, name)
    device.close()


def test_what_moves_a_camera_takes_the_commands_that_are_asked_of_it() -> None:
    zoom = DigitalZoom()
    for name, parameters in commands(ports.PanTiltZoom).items():
        assert ["self", *inspect.signature(getattr(zoom, name)).parameters] == parameters, name
    assert zoom.axes == set(ports.AXES)


def test_a_block_is_ten_milliseconds_of_mono() -> None:
    assert ports.BLOCK_BYTES == 960
    samples = ports.BLOCK_BYTES / 2
    assert samples / ports.SAMPLE_RATE == ports.BLOCK_TIME


def test_buttons_and_lamps_of_the_simulated_board_are_those_named() -> None:
    sim = open_board("sim", {})
    assert tuple(sim.open_buttons()) == ports.BUTTONS
    assert tuple(sim.open_lamps()) == ports.LAMPS
    sim.close()


def test_a_plane_is_fitted_unless_it_is_to_fill() -> None:
    plane = ports.Plane(Card(320, 180, 30).picture(0), 0, 0, 1, 1)
    assert not plane.fill
