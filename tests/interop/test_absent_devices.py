"""Rooms that have no camera, microphone, speaker or screen on purpose: they name no fault, and talk with who has."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from interop.baresip import Baresip
from interop.conftest import FAR_LABEL, SMALL
from interop.test_baresip import assert_sees, until
from interop.unit import RefusedError, Unit

from board.sim.counter import card_number, read_cards

pytestmark = pytest.mark.interop

StartUnit = Callable[..., Unit]
StartBaresip = Callable[..., Baresip]
LOOK_TIME = 2.5
"""Seconds in which a unit has looked for all its devices."""


def lacking(*devices: str, **board: Any) -> dict[str, dict[str, Any]]:
    return {"media": {"frame_rate": 15}, "board.sim": {**board, **dict.fromkeys(devices, "none")}}


def assert_no_fault(unit: Unit, *absent: str) -> None:
    state = unit.state()
    assert (state["faults"], state["absent"]) == ([], list(absent))
    assert "WARNING" not in unit.log()


def ways(unit: Unit, call: str) -> set[tuple[str, str]]:
    """What flows, by kind and direction."""
    return set(unit.streams(call))


@pytest.mark.parametrize("dials", [True, False], ids=["dials", "is called"])
def test_a_room_that_neither_shows_nor_speaks_sees_and_hears_baresip(
    unit: StartUnit, baresip: StartBaresip, dials: bool
) -> None:
    room, far = unit(lacking("camera", "microphone")), baresip()
    if dials:
        call = room.dial(far.uri)
    else:
        far.dial(room.uri)
    call = room.wait_for_call()
    room.forget_sound()
    assert_sees(lambda: room.counter(FAR_LABEL))
    assert until(lambda: room.heard_tone(far.tone) > 0.8)
    assert until(lambda: len(ways(room, call)) == 3)
    assert ways(room, call) == {("audio", "send"), ("audio", "receive"), ("video", "receive")}
    heard = far.decoded_seconds()
    time.sleep(1)
    assert far.decoded_seconds() > heard + 0.5, "silence is sound, too: the line is not dead"
    room.command(call, "hold")
    time.sleep(0.5)
    room.command(call, "resume")
    assert_sees(lambda: room.counter(FAR_LABEL))
    assert_no_fault(room, "camera", "microphone")
    far.command("hangup")
    room.wait_for_idle()
    time.sleep(LOOK_TIME)
    assert_no_fault(room, "camera", "microphone")


def test_a_room_without_a_screen_and_a_speaker_is_seen_and_heard_by_baresip(
    unit: StartUnit, baresip: StartBaresip
) -> None:
    room, far = unit(lacking("display", "speaker")), baresip()
    call = room.dial(far.uri)
    room.wait_for_call()
    assert_sees(lambda: read_cards(far.received_picture()).get(card_number("Unit")))
    far.forget_sound()
    assert until(lambda: far.received_tone(room.tone) > 0.8)
    assert until(lambda: len(ways(room, call)) == 3)
    assert ways(room, call) == {("audio", "send"), ("audio", "receive"), ("video", "send")}
    with pytest.raises(RefusedError, match="there is no screen"):
        room.screen()
    assert_no_fault(room, "speaker", "display")
    room.command(call, "hang_up")
    room.wait_for_idle()


def test_a_room_without_devices_is_an_end_of_sound(unit: StartUnit, baresip: StartBaresip) -> None:
    room, far = unit(lacking("camera", "microphone", "speaker", "display")), baresip()
    far.dial(room.uri)
    call = room.wait_for_call()
    assert until(lambda: ways(room, call) == {("audio", "send"), ("audio", "receive")})
    time.sleep(LOOK_TIME)
    assert_no_fault(room, "camera", "microphone", "speaker", "display")


@pytest.mark.parametrize("blind_dials", [True, False], ids=["by the one without a screen", "by the other"])
def test_two_rooms_that_lack_what_the_other_has_meet_by_h323(unit: StartUnit, blind_dials: bool) -> None:
    media = {"media": SMALL}
    seen = unit({**lacking("display", camera_label=FAR_LABEL), **media})
    sees = unit({**lacking("camera"), **media})
    caller, called = (seen, sees) if blind_dials else (sees, seen)
    caller.dial(called.h323_url)
    caller.wait_for_call()
    calls = {room: room.wait_for_call() for room in (seen, sees)}
    assert_sees(lambda: sees.counter(FAR_LABEL))
    assert until(lambda: ("video", "send") in ways(seen, calls[seen]))
    assert ("video", "receive") not in ways(seen, calls[seen])
    assert ("video", "send") not in ways(sees, calls[sees])
    assert_no_fault(seen, "display")
    assert_no_fault(sees, "camera")
