"""Events of supplementary services are events of a call."""

from typing import get_args

from firmware.h323 import events
from firmware.h323.h450_event import ServiceEvent


def test_a_terminal_tells_them_all() -> None:
    assert set(get_args(ServiceEvent)) < set(get_args(events.Event))
