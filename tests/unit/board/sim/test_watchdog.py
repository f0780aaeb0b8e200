"""`board.sim.watchdog`."""

import time

import pytest
from hil.waiting import wait_for

from board.sim.watchdog import SimWatchdog


def test_it_barks_when_it_is_hungry(caplog: pytest.LogCaptureFixture) -> None:
    dog = SimWatchdog(0.05)
    assert wait_for(lambda: dog.barked)
    assert "would restart the machine now: it was not fed for 0.05 s" in caplog.text


def test_it_does_not_while_it_is_fed_and_never_after_it_was_closed() -> None:
    dog = SimWatchdog(5.0)
    for _ in range(3):
        dog.feed()
        time.sleep(0.01)
    dog.close()
    assert not dog.barked
