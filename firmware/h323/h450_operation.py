"""Remote operations of one call: who asked whom for what, and what came of it (H.450.1 8, X.880).

::

    invoke ──▶ Invoke ──▶ far end        far end ──▶ Invoke ──▶ Invoked ──▶ answer, fail
    Done, Failed ◀── Result, Failure, Reject, time-out

Rule: a component that makes no sense is rejected, a limited number of times; nothing ever answers a `Reject`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.h323 import h450
from firmware.h323.h450 import Failure, Invoke, Item, Reject, Result
from firmware.h323.h450_types import OPERATIONS

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable

    from firmware.asn1 import Value

MAX_ASKED: Final = 4
"""Operations of the far end that wait for our answer; one more is rejected."""
MAX_EXPECTED: Final = 64
"""Operations of ours to which the far end may say something; the oldest is forgotten for one more."""
MAX_REJECTS: Final = 16
"""Rejects that we send in a call."""
DUPLICATE_INVOCATION: Final = ("invoke", 0)
UNKNOWN_RESULT: Final = ("returnResult", 0)
UNKNOWN_ERROR: Final = ("returnError", 0)
"""X.880: what is rejected was never asked for."""


@dataclass(frozen=True, slots=True)
class Invoked:
    """The far end asks for an operation that we know, with an argument as its type says ({}: none)."""

    invoke_id: int
    operation: str
    argument: Value


@dataclass(frozen=True, slots=True)
class Done:
    """An operation that we asked for is done."""

    operation: str
    result: Value
    """None: nothing was returned, or nothing that can be read."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An operation that we asked for is not done."""

    operation: str
    error: str
    """A name of `ERRORS`, the code of another, or ``rejected`` or ``no answer``."""


@dataclass(frozen=True, slots=True)
class ClearCall:
    """The far end asked for something that we don't know, and wants the call ended where that is so."""


Event = Invoked | Done | Failed | ClearCall


class RemoteOperations:
    """The operations of one call.  *counters* counts what was dropped or rejected."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._last = 0
        self._expected: dict[int, tuple[str, float | None]] = {}
        self._asked: dict[int, str] = {}
        self._outgoing: list[bytes] = []
        self._rejects = 0

    def invoke(
        self, operation: str, argument: Value, *, deadline: float | None = None, unknown: str = h450.DISCARD
    ) -> bytes:
        """Write the item that asks for an operation; after *deadline* it has failed.

        *unknown*: what a far end is to do that does not know it.  ValueError: the argument can't be written.
        """
        number = self._last % 0xFFFF + 1  # some take 0 for none
        item = h450.encode([Invoke(number, operation, argument)], unknown)
        if len(self._expected) >= MAX_EXPECTED:
            del self._expected[next(iter(self._expected))]
        self._last = number
        self._expected[number] = operation, deadline
        return item

    def send(self, item: bytes) -> None:
        """Let an item go with the next message."""
        self._outgoing.append(item)

    def answer(self, invoke_id: int, result: Value = None) -> None:
        """Say that what was `Invoked` is done; *result* is as its type says.  Once it was answered, nothing."""
        operation = self._asked.pop(invoke_id, None)
        if operation is not None:
            self.send(h450.encode([Result(invoke_id) if result is None else Result(invoke_id, operation, result)]))

    def fail(self, invoke_id: int, error: str) -> None:
        """Say why what was `Invoked` can't be done: a name of `ERRORS`.  Once it was answered, nothing."""
        if self._asked.pop(invoke_id, None) is not None:
            self.send(h450.encode([Failure(invoke_id, error)]))

    def receive(self, items: Iterable[bytes]) -> list[Event]:
        """Take the items of a message, and give what they ask for and answer."""
        events: list[Event] = []
        for octets in items:
            try:
                item = h450.decode(octets)
            except DecodeError:
                self._counters["malformed supplementary service"] += 1
                continue
            for component in item.components:
                event = self._receive(component, item)
                if event is not None:
                    events.append(event)
        return events

    @property
    def waiting(self) -> bool:
        """Whether there is something to send."""
        return bool(self._outgoing)

    def take(self) -> list[bytes]:
        """Give the items that the next message is to carry, and forget them."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        return min((deadline for _, deadline in self._expected.values() if deadline is not None), default=None)

    def handle_timer(self, now: float) -> list[Failed]:
        """Give up operations that were not answered in time."""
        late = [n for n, (_, deadline) in self._expected.items() if deadline is not None and deadline <= now]
        return [Failed(self._expected.pop(number)[0], "no answer") for number in late]

    def _receive(self, component: h450.Component, item: Item) -> Event | None:
        match component:
            case Invoke():
                return self._invoked(component, item)
            case Result(invoke_id, _, result):
                operation = self._pop(invoke_id, UNKNOWN_RESULT)
                return Done(operation, result) if operation else None
            case Failure(invoke_id, error):
                operation = self._pop(invoke_id, UNKNOWN_ERROR)
                return Failed(operation, error) if operation else None
            case Reject(invoke_id, _):
                operation = self._expected.pop(invoke_id, ("", None))[0]
                return Failed(operation, "rejected") if operation else None

    def _invoked(self, invoke: Invoke, item: Item) -> Event | None:
        invoke_id = invoke.invoke_id
        if not invoke.known:
            return self._unknown(invoke_id, item)
        problem = self._objection(invoke)
        if problem is not None:
            self._reject(invoke_id, problem)
            return None
        if OPERATIONS[invoke.operation].result is not None:
            self._asked[invoke_id] = invoke.operation
        return Invoked(invoke_id, invoke.operation, invoke.argument)

    def _objection(self, invoke: Invoke) -> tuple[str, int] | None:
        if invoke.argument is None:
            return h450.MISTYPED_ARGUMENT
        if OPERATIONS[invoke.operation].result is None:
            return None
        if invoke.invoke_id in self._asked:
            return DUPLICATE_INVOCATION
        return h450.RESOURCE_LIMITATION if len(self._asked) >= MAX_ASKED else None

    def _unknown(self, invoke_id: int, item: Item) -> Event | None:
        # H.450.1 8.2
        self._counters["unknown supplementary service"] += 1
        if item.unknown != h450.DISCARD:
            self._reject(invoke_id, h450.UNRECOGNIZED_OPERATION)
        return ClearCall() if item.unknown == h450.CLEAR else None

    def _pop(self, invoke_id: int, problem: tuple[str, int]) -> str:
        if invoke_id in self._expected:
            return self._expected.pop(invoke_id)[0]
        self._reject(invoke_id, problem)
        return ""

    def _reject(self, invoke_id: int, problem: tuple[str, int]) -> None:
        self._counters["rejected supplementary service"] += 1
        if self._rejects < MAX_REJECTS and 0 <= invoke_id <= 0xFFFF:
            self._rejects += 1
            self.send(h450.encode([Reject(invoke_id, problem)]))
