from __future__ import annotations

from dataclasses import replace

import pytest

from firmware.call.call import State
from firmware.room.state import CallView, RoomState

CALL = CallView("7", "sip:a@example.com", "", True, State.INCOMING, False, False, None, False, ())


def test_a_call_is_found_by_its_number() -> None:
    state = RoomState("Room", True, (), (CALL,), False, 70, None, ())
    assert state.call("7") is CALL
    assert state.call("8") is None


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sip:kate@example.com", "kate@example.com"),
        ("h323:kate@example.com", "kate@example.com"),
        ("192.0.2.1:5060", "192.0.2.1:5060"),
        ("Kate: Berlin", "Kate: Berlin"),
        ("tel: me @ home", " me @ home"),
        ("", ""),
    ],
)
def test_addresses_are_said_without_their_scheme(address: str, said: str) -> None:
    assert replace(CALL, remote=address).title == said


def test_a_call_is_named_by_what_is_known() -> None:
    assert CALL.title == "a@example.com"
    assert replace(CALL, remote_name="Anna").title == "Anna"
