"""Events are values."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from firmware.h323 import events

OF_A_CALL = [kind for kind in get_args(events.Event) if kind not in (events.Registered, events.Unregistered)]


def test_most_are_of_a_call() -> None:
    assert len(OF_A_CALL) == len(get_args(events.Event)) - 2


@pytest.mark.parametrize("kind", OF_A_CALL)
def test_events_are_frozen_and_carry_their_session(kind: type) -> None:
    fields = [field.name for field in dataclasses.fields(kind)]
    assert fields[0] == "session"
    event = kind(*range(len(fields)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.session = None
