"""The devices of the machine under test, and the outside world that they meet.

On the bench's machine (``--board vm``) a fixture loads the driver that plays a device and gives what moves its other
side: who pulls a line, who plays the television.  On a Raspberry Pi (``--board pi``) there are the real devices; a test
that needs the other side is skipped, saying so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hil.driver import load
from hil.lines import Lines
from hil.monitor import Television
from hil.sensor import Sensor
from hil.sound import Room
from hil.webcam import Webcam

from board import open_board
from board.pi.m2m_encoder import find_encoder
from firmware.ports import Board


@pytest.fixture(scope="session")
def on_bench(pytestconfig: pytest.Config) -> bool:
    """Whether this is the bench's machine, whose devices have another side."""
    return pytestconfig.getoption("board") == "vm"


@pytest.fixture(scope="session")
def lines(on_bench: bool) -> Iterator[Lines]:
    """The outside of the GPIO pins."""
    if not on_bench:
        pytest.skip("nobody presses the buttons of this machine")
    with Lines() as lines:
        yield lines


@pytest.fixture(scope="session")
def room(on_bench: bool) -> Room:
    """The room that the sound card hears and plays to."""
    if not on_bench:
        pytest.skip("nobody listens to this machine")
    return Room()


@pytest.fixture(scope="session")
def encoder_node(on_bench: bool) -> Path:
    """The hardware's H.264 encoder."""
    if on_bench:
        load("h264-pcm", "multiplanar=1")
    elif find_encoder() is None:
        pytest.skip("this machine has no encoder")
    node = find_encoder()
    assert node is not None
    return node


@pytest.fixture(scope="session")
def webcam(on_bench: bool) -> Webcam:
    """What the USB camera sees."""
    if not on_bench:
        pytest.skip("nobody holds anything before the camera of this machine")
    webcam = Webcam()
    webcam.plug()
    return webcam


@pytest.fixture(scope="module")
def sensor(on_bench: bool) -> Iterator[Sensor]:
    """What the Pi's own camera sees; it is there for this module only, since it comes before any other."""
    if not on_bench:
        pytest.skip("nobody holds anything before the camera of this machine")
    sensor = Sensor()
    sensor.plug()
    yield sensor
    sensor.remove()


@pytest.fixture(scope="session")
def television(on_bench: bool) -> Television:
    """The screen, seen from outside."""
    if not on_bench:
        pytest.skip("nobody watches the screen of this machine")
    load("virtio-gpu")
    return Television()


@pytest.fixture
def board() -> Iterator[Board]:
    """The Raspberry Pi's board with its own settings."""
    board = open_board("pi", {})
    yield board
    board.close()
