"""A disk that gets full while a unit is in a call: the call goes on, and one line says what is lost.

To the unit's processes a limit of file sizes is what a full disk is: whatever they write beyond it fails.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from interop.conftest import FAR_LABEL, SMALL
from interop.process import family
from interop.test_h323_units import assert_sees
from interop.unit import Unit
from interop.waiting import until

pytestmark = pytest.mark.interop


def limit_files(unit: Unit, size: int) -> None:
    """Let none of the unit's processes write a file beyond this size, bytes."""
    for pid in family(unit.process.pid):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Unit, Unit]]:
    far = {"media": SMALL, "board.sim": {"camera_label": FAR_LABEL}}
    with Unit(tmp_path / "unit", {"media": SMALL}) as unit, Unit(tmp_path / "far", far, tone=880) as other:
        yield unit, other


def test_in_a_call(pair: tuple[Unit, Unit]) -> None:
    unit, far = pair
    call = unit.dial(far.uri)
    far.wait_for_call()
    assert until(lambda: unit.heard_tone(far.tone) > 0.8)
    full = unit.speaker.stat().st_size
    limit_files(unit, full)
    full = max(full, unit.speaker.stat().st_size)  # another block may have come before the limit did
    unit.wait(lambda state: any("The speaker does not work" in fault for fault in state["faults"]))
    assert unit.speaker.stat().st_size <= full
    assert_sees(unit, FAR_LABEL)
    assert_sees(far, "Unit")
    far.forget_sound()
    assert until(lambda: far.heard_tone(unit.tone) > 0.8)
    assert [state["state"] for state in unit.state()["calls"]] == ["active"]
    said = [line for line in unit.log().splitlines() if "can't be written" in line and "DEBUG" not in line]
    assert len(said) == 1, said
    assert "Traceback" not in unit.log()
    limit_files(unit, resource.RLIM_INFINITY)
    unit.wait(lambda state: not state["faults"], 20)
    unit.forget_sound()
    assert until(lambda: unit.heard_tone(far.tone) > 0.8), "with room on the disk the speaker plays again"
    unit.command(call, "hang_up")
    unit.wait_for_idle()
