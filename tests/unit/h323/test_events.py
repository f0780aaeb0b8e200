"""Events are values."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from firmware.h323 import events


@pytest.mark.parametrize("kind", get_args(events.Event))
def test_events_are_frozen_and_carry_their_session(kind: type) -> None:
    fields = [field.name for field in dataclasses.fields(kind)]
    assert fields[0] == "session"
    event = kind(*range(len(fields)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.session = None
