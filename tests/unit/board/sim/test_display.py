"""`board.sim.display`."""

import threading

import pytest
from PIL import Image

from board.sim.card import Card
from board.sim.counter import read_counter
from board.sim.display import SimDisplay
from firmware.errors import DeviceError
from firmware.ports import Display, Plane


@pytest.fixture
def display() -> SimDisplay:
    return SimDisplay(640, 360)


def test_it_begins_dark(display: Display) -> None:
    assert (display.width, display.height) == (640, 360)
    assert display.screenshot(64, 36).getextrema() == ((0, 0), (0, 0), (0, 0))


def test_it_shows_the_last_planes(display: Display) -> None:
    card = Card(640, 360, 30)
    display.show([Plane(card.picture(1), 0, 0, 1, 1)])
    display.show([Plane(card.picture(2), 0, 0, 1, 1)])
    assert read_counter(display.screenshot(640, 360)) == 2
    assert read_counter(display.screenshot(1280, 720)) == 2


def test_a_list_that_changes_later_is_not_seen(display: Display) -> None:
    planes = [Plane(Image.new("RGBA", (4, 4), "white"), 0, 0, 1, 1)]
    display.show(planes)
    planes.clear()
    assert display.screenshot(64, 36).getpixel((32, 18)) == (255, 255, 255)


def test_it_is_looked_at_while_it_changes(display: SimDisplay) -> None:
    card = Card(320, 180, 30)
    done = threading.Event()

    def change() -> None:
        for number in range(200):
            display.show([Plane(card.picture(number), 0, 0, 1, 1)] * (number % 3 + 1))
        done.set()

    thread = threading.Thread(target=change)
    thread.start()
    seen = [-1]
    while not done.is_set():
        seen.append(read_counter(display.screenshot(640, 360)) or 0)
    thread.join()
    assert seen == sorted(seen)


def test_after_close_it_is_gone(display: SimDisplay) -> None:
    display.close()
    with pytest.raises(DeviceError, match="closed"):
        display.show([])
    with pytest.raises(DeviceError, match="closed"):
        display.screenshot(64, 36)
