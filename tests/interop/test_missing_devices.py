"""A camera and a microphone that are missing, and are put in when nobody talks: what the unit says of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from interop.conftest import SMALL
from interop.unit import Unit

from board.sim.wave import WaveWriter

pytestmark = pytest.mark.interop

SOON = 8.0
"""Seconds in which people who have put in a plug look whether it helped."""


def test_what_is_put_in_after_the_call_is_no_fault_any_more(tmp_path: Path) -> None:
    """The simulated board's camera and microphone are files, which are plugged in where they are there."""
    film, recording = tmp_path / "film.mp4", tmp_path / "recording.wav"
    board = {"camera": str(film), "microphone": str(recording)}
    with (
        Unit(tmp_path / "unit", {"media": SMALL, "board.sim": board}) as unit,
        Unit(tmp_path / "far", {"media": SMALL}) as far,
    ):
        unit.wait(lambda state: len(state["faults"]) == 2, SOON)
        call = unit.dial(far.uri)
        far.wait_for_call()
        assert len(unit.state()["faults"]) == 2
        unit.command(call, "hang_up")
        unit.wait_for_idle()
        assert len(unit.state()["faults"]) == 2
        film.touch()
        WaveWriter(str(recording)).close()
        unit.wait(lambda state: not state["faults"], SOON)
        film.unlink()
        unit.wait(
            lambda state: [fault for fault in state["faults"] if "camera" in fault] == state["faults"] != [], SOON
        )
