from __future__ import annotations

import dataclasses
import typing

import pytest
from sip_peer import Line

from firmware.sip import events


def test_events_are_values() -> None:
    kinds = typing.get_args(events.Event)
    defined = {each for each in vars(events).values() if dataclasses.is_dataclass(each)}
    assert set(kinds) == defined
    line = Line()
    line.established()
    [accepted] = line.events
    with pytest.raises(dataclasses.FrozenInstanceError):
        accepted.body = b"other"
    assert accepted == dataclasses.replace(accepted)


def test_every_event_of_a_call_names_its_session() -> None:
    for kind in typing.get_args(events.Event):
        names = {field.name for field in dataclasses.fields(kind)}
        beside_calls = (events.OptionsAnswered, events.ServerWanted, events.RegistrationChanged)
        assert ("session" in names) is (kind not in beside_calls), kind
