"""What a unit and an Asterisk do with each other, by any technology: call, be called, hear and hang up."""

from __future__ import annotations

import time
from pathlib import Path

from interop.asterisk import Asterisk
from interop.unit import Unit
from interop.waiting import until


def connect(unit: Unit, far: Asterisk, technology: str, extension: str = "tone") -> tuple[str, str]:
    """Have the unit call an extension that answers; gives the call's number at the unit and at Asterisk."""
    call = unit.dial(far.uri(technology, extension))
    number = far.wait_for_call()
    unit.wait_for_call()
    return call, number


def be_called(unit: Unit, far: Asterisk, technology: str, then: str = "tone") -> tuple[str, str]:
    """Have Asterisk call the unit, which answers; gives the call's number at the unit and at Asterisk."""
    number = far.call(technology, target(unit, technology), then=then)
    assert far.outcome(number) == "ANSWER", far.log()[-4000:]
    return unit.wait_for_call(), number


def target(unit: Unit, technology: str) -> str:
    """What Asterisk is to call to reach the unit."""
    return "room" if technology == "OOH323" else unit.uri.removeprefix("sip:")


def assert_both_hear(unit: Unit, far: Asterisk) -> None:
    """Each hears the other's tone, and not its own."""
    unit.forget_sound()
    far.forget_sound()
    assert until(lambda: unit.heard_tone(far.tone) > 0.8), f"the unit hears no {far.tone} Hz"
    assert until(lambda: far.received_tone(unit.tone) > 0.8), f"Asterisk hears no {unit.tone} Hz"
    assert unit.heard_tone(unit.tone) < 0.1
    assert far.received_tone(far.tone) < 0.1


def hold_and_resume(unit: Unit, far: Asterisk, technology: str) -> None:
    """Have the unit call, hold and resume: while it holds, nobody hears anything."""
    call, _ = connect(unit, far, technology)
    assert_both_hear(unit, far)
    unit.command(call, "hold")
    unit.wait(lambda state: state["calls"][0]["held"])
    time.sleep(1)
    unit.forget_sound()
    far.forget_sound()
    time.sleep(1.5)
    assert unit.heard_tone(far.tone) < 0.1
    assert far.received_tone(unit.tone) < 0.1
    unit.command(call, "resume")
    unit.wait(lambda state: not state["calls"][0]["held"])
    assert_both_hear(unit, far)
    unit.command(call, "hang_up")
    far.wait_for_idle()


def notice(unit: Unit) -> str:
    """What the room says of the call that has ended."""
    return str(unit.wait_for_idle()["notice"]["text"])


def call_in_a_row(unit: Unit, far: Asterisk, technology: str, count: int) -> None:
    """Have them call each other in turn, and hang up in turn; nothing of a call stays behind."""
    opened = 0
    for number in range(count):
        call, far_call = (connect if number % 2 else be_called)(unit, far, technology)
        if number % 4 < 2:
            unit.command(call, "hang_up")
        else:
            far.hang_up(far_call)
        unit.wait_for_idle()
        far.wait_for_idle()
        if number == 1:
            opened = open_files(unit)  # the connection that a large INVITE has taken is kept
    assert until(lambda: open_files(unit) <= opened), (
        f"{open_files(unit)} files are open, after the first two calls {opened}"
    )


def open_files(unit: Unit) -> int:
    """How many files and sockets its process has."""
    return sum(1 for _ in Path(f"/proc/{unit.process.pid}/fd").iterdir())
