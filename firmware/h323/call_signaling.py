"""Where one call stands in call signalling: the states of Q.931 with the messages of H.225.0, and their timers.

Rule 1: every change of a call's state goes through the table in this file.
Rule 2: a message that makes no sense in the present state changes nothing; what it carries for H.245 still counts.
Rule 3: whatever is waited for has an end; in every state but ACTIVE a timer runs.

::

    caller: NULL ─▶ CALL_INITIATED ─▶ OUTGOING_PROCEEDING ─▶ CALL_DELIVERED ─▶ ACTIVE
                     Setup             CallProceeding          Alerting         Connect
    called: NULL ─▶ CALL_PRESENT ──▶ INCOMING_PROCEEDING ──▶ CALL_RECEIVED ──▶ ACTIVE

H.225.0 7.1: Connect alone makes a call active, without an acknowledgement; ReleaseComplete alone ends it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from firmware.h323.cause import Cause
from firmware.h323.q931 import MessageType

T301: Final = 180.0
"""Seconds from Alerting to Connect (H.225.0 7.5: at least 180 s)."""
T303: Final = 2 * 4.0
"""Seconds from Setup to the first answer (H.225.0 7.5, Q.931 table 9-2): it runs twice (Q.931 5.1.6), but TCP has not
lost the first Setup, so there is no second."""
T304: Final = 20.0
"""Seconds from our last digit to an answer, in overlap sending (Q.931 table 9-2)."""
T310: Final = 30.0
"""Seconds from CallProceeding to Alerting, Connect or Progress (Q.931 table 9-2, user side: 30 to 120 s)."""
UNANSWERED: Final = 200.0
"""Seconds in which an incoming call must be answered: a little longer than T301, which is the caller's to keep."""


class CallState(IntEnum):
    """Q.931 2.1.1: the values that a Status message gives."""

    NULL = 0
    CALL_INITIATED = 1
    OVERLAP_SENDING = 2
    OUTGOING_PROCEEDING = 3
    CALL_DELIVERED = 4
    CALL_PRESENT = 6
    CALL_RECEIVED = 7
    INCOMING_PROCEEDING = 9
    ACTIVE = 10


_Table = dict[CallState, dict[int, CallState]]

_ANSWERS: Final[dict[int, CallState]] = {
    MessageType.CALL_PROCEEDING: CallState.OUTGOING_PROCEEDING,
    MessageType.ALERTING: CallState.CALL_DELIVERED,
    MessageType.CONNECT: CallState.ACTIVE,
}

_RECEIVED: Final[_Table] = {
    CallState.NULL: {MessageType.SETUP: CallState.CALL_PRESENT},
    CallState.CALL_INITIATED: {
        **_ANSWERS,
        MessageType.SETUP_ACKNOWLEDGE: CallState.OVERLAP_SENDING,
        MessageType.PROGRESS: CallState.OUTGOING_PROCEEDING,
    },
    CallState.OVERLAP_SENDING: {**_ANSWERS, MessageType.PROGRESS: CallState.OVERLAP_SENDING},
    CallState.OUTGOING_PROCEEDING: {
        MessageType.PROGRESS: CallState.OUTGOING_PROCEEDING,
        MessageType.ALERTING: CallState.CALL_DELIVERED,
        MessageType.CONNECT: CallState.ACTIVE,
    },
    CallState.CALL_DELIVERED: {
        MessageType.ALERTING: CallState.CALL_DELIVERED,
        MessageType.PROGRESS: CallState.CALL_DELIVERED,
        MessageType.CONNECT: CallState.ACTIVE,
    },
}
"""What the far end's messages make of a state."""

_SENT: Final[_Table] = {
    CallState.NULL: {MessageType.SETUP: CallState.CALL_INITIATED},
    CallState.OVERLAP_SENDING: {MessageType.INFORMATION: CallState.OVERLAP_SENDING},
    CallState.CALL_PRESENT: {
        MessageType.CALL_PROCEEDING: CallState.INCOMING_PROCEEDING,
        MessageType.ALERTING: CallState.CALL_RECEIVED,
        MessageType.CONNECT: CallState.ACTIVE,
    },
    CallState.INCOMING_PROCEEDING: {
        MessageType.ALERTING: CallState.CALL_RECEIVED,
        MessageType.CONNECT: CallState.ACTIVE,
    },
    CallState.CALL_RECEIVED: {MessageType.CONNECT: CallState.ACTIVE},
}
"""What our messages make of a state."""

_TIMERS: Final[dict[CallState, tuple[str, float, Cause]]] = {
    CallState.CALL_INITIATED: ("T303", T303, Cause.NO_USER_RESPONDING),
    CallState.OVERLAP_SENDING: ("T304", T304, Cause.RECOVERY_ON_TIMER_EXPIRY),
    CallState.OUTGOING_PROCEEDING: ("T310", T310, Cause.NO_USER_RESPONDING),
    CallState.CALL_DELIVERED: ("T301", T301, Cause.NO_ANSWER_FROM_USER),
    CallState.CALL_PRESENT: ("no answer here", UNANSWERED, Cause.NO_ANSWER_FROM_USER),
    CallState.INCOMING_PROCEEDING: ("no answer here", UNANSWERED, Cause.NO_ANSWER_FROM_USER),
    CallState.CALL_RECEIVED: ("no answer here", UNANSWERED, Cause.NO_ANSWER_FROM_USER),
}
"""The timer of each state, its time, and the cause with which the call is released when it runs out."""

_WAITING_HERE: Final = (CallState.CALL_PRESENT, CallState.INCOMING_PROCEEDING, CallState.CALL_RECEIVED)


class CallSignaling:
    """The state of one call and the timer that runs in it."""

    def __init__(self) -> None:
        self.state = CallState.NULL
        self.deadline: float | None = None
        """When the state's timer runs out."""
        self._since = 0.0

    def sent(self, message_type: int, now: float) -> bool:
        """Take that we send this; False: the present state does not allow it, and it must not be sent."""
        return self._advance(_SENT, message_type, now)

    def received(self, message_type: int, now: float) -> bool:
        """Take that the far end sent this; False: it changes nothing."""
        return self._advance(_RECEIVED, message_type, now)

    def released(self) -> None:
        """Take that ReleaseComplete was sent or received, or that the connection is gone (Q.931 5.3)."""
        self.state, self.deadline = CallState.NULL, None

    @property
    def answered(self) -> bool:
        """Whether Connect was sent or received."""
        return self.state is CallState.ACTIVE

    @property
    def timer(self) -> tuple[str, Cause]:
        """Name of the timer that runs, and the cause of a release when it runs out."""
        name, _, cause = _TIMERS[self.state]
        return name, cause

    def _advance(self, table: _Table, message_type: int, now: float) -> bool:
        state = table.get(self.state, {}).get(message_type)
        if state is None:
            return False
        self.deadline = self._deadline(state, message_type, now)
        self.state = state
        return True

    def _deadline(self, state: CallState, message_type: int, now: float) -> float | None:
        if state not in _TIMERS:
            return None
        if state is not self.state and not (state in _WAITING_HERE and self.state in _WAITING_HERE):
            self._since = now
        if message_type in (MessageType.PROGRESS, MessageType.ALERTING) and state not in _WAITING_HERE:
            # Q.931 5.1.6: Progress stops T310; somebody must answer some day all the same.  5.2.5: T301 runs from the
            # first Alerting on.
            return self._since + T301
        started = now if message_type == MessageType.INFORMATION else self._since
        return started + _TIMERS[state][1]
