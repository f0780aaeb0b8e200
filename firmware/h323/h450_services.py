"""Supplementary services of one call: hold (H.450.4), call waiting (H.450.6) and transfer (H.450.2) put together.

Items travel in whatever message goes next, and in a Facility of their own where none is due (H.450.1 6).

Rule: who holds says so (near-end hold), and stops what flows by H.245; whoever is asked to hold by the far end
(remote hold) does what one does who is held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.h323 import h450_transfer
from firmware.h323.cause import Cause
from firmware.h323.h450_event import Held, Waiting
from firmware.h323.h450_operation import ClearCall, Done, Failed, Invoked, RemoteOperations
from firmware.h323.h450_transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.h323.h450_event import ServiceEvent
    from firmware.h323.session import Session


_HOLDS = {"holdNotific": True, "retrieveNotific": False, "remoteHold": True, "remoteRetrieve": False}


class SupplementaryServices:
    """What H.450 does for a session; its commands are for the application."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.operations = RemoteOperations(session.layers.counters)
        self.transfer = Transfer(session, self.operations)
        self._held = False

    def hold(self, on: bool) -> None:
        """Tell the far end that it is on hold, or no more."""
        self.operations.send(self.operations.invoke("holdNotific" if on else "retrieveNotific", {}))

    def alerting(self, *, waiting: bool) -> None:
        """Take that Alerting is about to be sent; *waiting*: the call waits behind another one."""
        if waiting:
            self.operations.send(self.operations.invoke("callWaiting", {}))
        self.transfer.answering()

    def receive(self, items: Iterable[bytes], now: float) -> None:
        """Take the items of a message."""
        for event in self.operations.receive(items):
            if self._session.ended:
                return
            match event:
                case Invoked(invoke_id, operation, argument):
                    self._report(self._invoked(invoke_id, operation, argument, now))
                case Done(operation, result):
                    self._report(self.transfer.answered(operation, result, ""))
                case Failed(operation, error):
                    self._report(self.transfer.answered(operation, None, error))
                case ClearCall():
                    # H.450.1 8.2
                    self._session.finish(Cause.INTERWORKING, now, detail="an unknown supplementary service")

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        return self.operations.timer()

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        for failed in self.operations.handle_timer(now):
            self._report(self.transfer.answered(failed.operation, None, failed.error))

    def _invoked(self, invoke_id: int, operation: str, argument: object, now: float) -> list[ServiceEvent]:
        if operation in h450_transfer.OPERATIONS:
            return self.transfer.invoked(invoke_id, operation, argument, now)
        if operation == "callWaiting":
            outgoing = self._session.outgoing and not self._session.signaling.answered
            return [Waiting(self._session)] if outgoing else []
        if operation not in _HOLDS:
            return []  # what a gatekeeper tells of its own transfers is for people only
        if not self._session.signaling.answered:
            self.operations.fail(invoke_id, "invalidCallState")
            return []
        self.operations.answer(invoke_id, {})
        if self._held is _HOLDS[operation]:
            return []
        self._held = _HOLDS[operation]
        return [Held(self._session, self._held)]

    def _report(self, events: list[ServiceEvent]) -> None:
        if self._session.announced:
            self._session.layers.events.extend(events)
