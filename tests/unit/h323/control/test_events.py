"""Events are values."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from firmware.h323.control import events


@pytest.mark.parametrize("kind", get_args(events.Event), ids=lambda kind: kind.__name__)
def test_every_event_is_a_frozen_value(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    arguments = [1 for field in dataclasses.fields(kind)]
    event = kind(*arguments)
    assert event == kind(*arguments)
    if arguments:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(event, dataclasses.fields(kind)[0].name, 2)


def test_every_event_is_in_the_union() -> None:
    classes = {kind for kind in vars(events).values() if isinstance(kind, type) and dataclasses.is_dataclass(kind)}
    assert classes == set(get_args(events.Event))


def test_no_response_is_no_cause_of_h245() -> None:
    from firmware.h323.h245 import MESSAGE

    reject = {"forwardLogicalChannelNumber": 1, "cause": (events.NO_RESPONSE, None)}
    with pytest.raises(ValueError, match=events.NO_RESPONSE):
        MESSAGE.encode(("response", ("openLogicalChannelReject", reject)))
