"""A signalling entity of H.245 annex C: a state, at most one timer, and the walk through a table.

Rule 1: every change of state goes through a table, whose rows say what the SDL figure says: in this state, on this
input, do that and go there.
Rule 2: what no row names is ignored, and counted.
Rule 3: a row that leads to a state with a timer starts the timer anew; one that leads to any other state stops it.
Rule 4: while the far end need not answer yet (`Link.patient`), every timer is as long as that may last.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from firmware.h323.control.link import PATIENCE

if TYPE_CHECKING:
    from firmware.h323.control.link import Link

S = TypeVar("S", bound=Enum)
I = TypeVar("I", bound=Enum)  # noqa: E741
O = TypeVar("O", bound=Enum)  # noqa: E741


@dataclass(frozen=True, slots=True)
class Machine(Generic[S, I, O]):
    """One figure: its table, and which states a timer limits."""

    name: str
    """As in H.245, with the direction: ``"outgoing LCSE"``."""
    initial: S
    table: dict[S, dict[I, tuple[S, tuple[O, ...]]]]
    timers: dict[S, float]
    """Seconds."""
    expiry: I | None = None
    """The input that a timer gives."""


class Procedure(Generic[S, I, O]):
    """One run of a figure."""

    def __init__(self, machine: Machine[S, I, O], link: Link) -> None:
        self.machine: Final = machine
        self.link: Final = link
        self.state: S = machine.initial
        self.deadline: float | None = None
        """When the timer of this state expires, or None."""

    def handle_timer(self, now: float) -> None:
        """Let the timer expire if its time has come."""
        expiry = self.machine.expiry
        if expiry is not None and self.deadline is not None and self.deadline <= now:
            self.deadline, self.link.patient = None, False
            self._take(expiry, now)

    def hasten(self, now: float) -> None:
        """Give the timer its proper length, from now on."""
        seconds = self.machine.timers.get(self.state)
        if seconds is not None and self.deadline is not None:
            self.deadline = min(self.deadline, now + seconds)

    def _take(self, what: I, now: float) -> bool:
        """Walk one row; False if the table has none for this input in this state."""
        row = self.machine.table.get(self.state, {}).get(what)
        if row is None:
            self.link.ignored[f"{self.machine.name}: {what.value} in {self.state.value}"] += 1
            return False
        self.state, outputs = row
        seconds = self.machine.timers.get(self.state)
        if seconds is not None and self.link.patient:
            seconds = PATIENCE
        self.deadline = None if seconds is None else now + seconds
        for output in outputs:
            self._put(output, now)
        return True

    def _put(self, output: O, now: float, /) -> None:
        raise NotImplementedError
