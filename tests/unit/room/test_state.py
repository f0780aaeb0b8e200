from __future__ import annotations

from firmware.call.call import State
from firmware.room.state import CallView, RoomState

CALL = CallView("7", "sip:a@example.com", "", True, State.INCOMING, False, False, None, False, ())


def test_a_call_is_found_by_its_number() -> None:
    state = RoomState("Room", True, (), (CALL,), False, 70, None, ())
    assert state.call("7") is CALL
    assert state.call("8") is None


def test_a_call_is_named_by_what_is_known() -> None:
    assert CALL.title == "sip:a@example.com"
