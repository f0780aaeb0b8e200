"""The tables as such; tests/conformance/test_transactions.py walks them."""

from __future__ import annotations

import pytest

from firmware.sip.timers import T1, T2, T4
from firmware.sip.transaction import (
    DURATIONS,
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Figure,
    Input,
    State,
)

FIGURES = (INVITE_CLIENT, NON_INVITE_CLIENT, INVITE_SERVER, NON_INVITE_SERVER)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_every_state_can_be_reached_and_left(figure: Figure) -> None:
    reached, new = {State.INITIAL}, {State.INITIAL}
    while new:
        new = {state for each in new for state, _ in figure.table.get(each, {}).values()} - reached
        reached |= new
    assert reached == {*figure.table, State.TERMINATED}


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_no_state_waits_for_ever_but_those_where_the_tu_decides(figure: Figure) -> None:
    """A transaction that only the far end could end would be a leak."""
    unbounded = {
        INVITE_CLIENT.name: {State.PROCEEDING},  # InviteClient bounds it
        INVITE_SERVER.name: {State.PROCEEDING},  # InviteServer bounds it
        NON_INVITE_SERVER.name: {State.TRYING, State.PROCEEDING},  # the user agent answers at once
    }
    final = {timer for timer, duration in DURATIONS.items() if duration.longest is None} - {Input.TIMER_TRYING}
    without = {state for state in figure.table if not final & set(figure.timers.get(state, ()))} - {State.INITIAL}
    assert without == unbounded.get(figure.name, set())


def test_the_durations_are_those_of_the_standard() -> None:
    """RFC 3261, table 4; RFC 6026 8.4, 8.10."""
    assert (T1, T2, T4) == (0.5, 4.0, 5.0)
    assert {name.value: (each.unreliable, each.reliable, each.longest) for name, each in DURATIONS.items()} == {
        "A": (0.5, None, float("inf")),
        "B": (32.0, 32.0, None),
        "D": (32.0, 0.0, None),
        "E": (0.5, None, 4.0),
        "F": (32.0, 32.0, None),
        "G": (0.5, None, 4.0),
        "H": (32.0, 32.0, None),
        "I": (5.0, 0.0, None),
        "J": (32.0, 0.0, None),
        "K": (5.0, 0.0, None),
        "L": (32.0, 32.0, None),
        "M": (32.0, 32.0, None),
        "100": (0.2, 0.2, None),
    }
