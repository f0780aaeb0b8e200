"""The transactions of RFC 3261 section 17, as RFC 6026 corrects it: each figure a table, each timer with its clause.

Rule 1: a row says what is above and under the line in the figure: in this state, on this input, go there and do that.
Rule 2: what no row names is ignored: that is how a transaction absorbs retransmissions.
Rule 3: entering a state starts those of its timers that do not run yet, and stops all others.

`transaction_machine` runs them; tests/conformance/test_transactions.py walks every row, on a clock of its own::

                     client                               server
    INVITE           calling ─▶ proceeding ─▶ accepted    proceeding ─▶ accepted
                                     └─▶ completed             └─▶ completed ─▶ confirmed
    any other        trying ─▶ proceeding ─▶ completed    trying ─▶ proceeding ─▶ completed
                                                              all of them: ─▶ terminated
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from firmware.sip.timers import T1, T2, T4


class State(Enum):
    """The boxes of the figures."""

    INITIAL = "initial"
    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Input(Enum):
    """What stands above the line in the figures."""

    REQUEST = "request"  # client: from the TU; server: from the network, first or retransmitted
    ACK = "ACK"
    PROVISIONAL = "1xx"  # a response; client: from the network; server: from the TU
    SUCCESS = "2xx"
    FAILURE = "300-699"
    TRANSPORT_ERROR = "transport error"
    TIMER_A = "A"  # INVITE request retransmission
    TIMER_B = "B"  # INVITE transaction time-out
    TIMER_D = "D"  # wait for response retransmissions
    TIMER_E = "E"  # non-INVITE request retransmission
    TIMER_F = "F"  # non-INVITE transaction time-out
    TIMER_G = "G"  # INVITE response retransmission
    TIMER_H = "H"  # wait for ACK
    TIMER_I = "I"  # wait for ACK retransmissions
    TIMER_J = "J"  # wait for non-INVITE request retransmissions
    TIMER_K = "K"  # wait for response retransmissions
    TIMER_L = "L"  # wait for accepted INVITE request retransmissions (RFC 6026)
    TIMER_M = "M"  # wait for retransmissions of 2xx, and for those of other forks (RFC 6026)
    TIMER_TRYING = "100"  # "200 ms" of 17.2.1, which has no letter


class Output(Enum):
    """What stands under the line in the figures."""

    SEND_REQUEST = "request sent"
    SEND_ACK = "ACK sent"
    SEND_RESPONSE = "send response"
    SEND_TRYING = "send 100"
    RESPONSE_TO_USER = "response to TU"
    ACK_TO_USER = "ACK to TU"
    TIMEOUT_TO_USER = "inform TU: time-out"
    ERROR_TO_USER = "inform TU: transport error"


Table = dict[State, dict[Input, tuple[State, tuple[Output, ...]]]]

_S, _I, _O = State, Input, Output
_SILENT: Final[tuple[Output, ...]] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its table, and which timers run in which state."""

    name: str
    table: Table
    timers: dict[State, tuple[Input, ...]]


# RFC 6026 7.1, Figure 5 of RFC 3261 as corrected.
INVITE_CLIENT: Final = Figure(
    "INVITE client",
    {
        _S.INITIAL: {
            _I.REQUEST: (_S.CALLING, (_O.SEND_REQUEST,)),
        },
        _S.CALLING: {
            _I.TIMER_A: (_S.CALLING, (_O.SEND_REQUEST,)),
            _I.TIMER_B: (_S.TERMINATED, (_O.TIMEOUT_TO_USER,)),
            _I.TRANSPORT_ERROR: (_S.TERMINATED, (_O.ERROR_TO_USER,)),
            _I.PROVISIONAL: (_S.PROCEEDING, (_O.RESPONSE_TO_USER,)),
            _I.SUCCESS: (_S.ACCEPTED, (_O.RESPONSE_TO_USER,)),
            _I.FAILURE: (_S.COMPLETED, (_O.SEND_ACK, _O.RESPONSE_TO_USER)),
        },
        _S.PROCEEDING: {
            _I.PROVISIONAL: (_S.PROCEEDING, (_O.RESPONSE_TO_USER,)),
            _I.SUCCESS: (_S.ACCEPTED, (_O.RESPONSE_TO_USER,)),
            _I.FAILURE: (_S.COMPLETED, (_O.SEND_ACK, _O.RESPONSE_TO_USER)),
        },
        _S.ACCEPTED: {
            _I.SUCCESS: (_S.ACCEPTED, (_O.RESPONSE_TO_USER,)),
            _I.TIMER_M: (_S.TERMINATED, _SILENT),
        },
        _S.COMPLETED: {
            _I.FAILURE: (_S.COMPLETED, (_O.SEND_ACK,)),
            _I.TRANSPORT_ERROR: (_S.TERMINATED, (_O.ERROR_TO_USER,)),
            _I.TIMER_D: (_S.TERMINATED, _SILENT),
        },
    },
    {
        _S.CALLING: (_I.TIMER_A, _I.TIMER_B),
        _S.ACCEPTED: (_I.TIMER_M,),
        _S.COMPLETED: (_I.TIMER_D,),
    },
)

# RFC 3261 17.1.2.2, Figure 6.
NON_INVITE_CLIENT: Final = Figure(
    "non-INVITE client",
    {
        _S.INITIAL: {
            _I.REQUEST: (_S.TRYING, (_O.SEND_REQUEST,)),
        },
        _S.TRYING: {
            _I.TIMER_E: (_S.TRYING, (_O.SEND_REQUEST,)),
            _I.TIMER_F: (_S.TERMINATED, (_O.TIMEOUT_TO_USER,)),
            _I.TRANSPORT_ERROR: (_S.TERMINATED, (_O.ERROR_TO_USER,)),
            _I.PROVISIONAL: (_S.PROCEEDING, (_O.RESPONSE_TO_USER,)),
            _I.SUCCESS: (_S.COMPLETED, (_O.RESPONSE_TO_USER,)),
            _I.FAILURE: (_S.COMPLETED, (_O.RESPONSE_TO_USER,)),
        },
        _S.PROCEEDING: {
            _I.TIMER_E: (_S.PROCEEDING, (_O.SEND_REQUEST,)),
            _I.TIMER_F: (_S.TERMINATED, (_O.TIMEOUT_TO_USER,)),
            _I.TRANSPORT_ERROR: (_S.TERMINATED, (_O.ERROR_TO_USER,)),
            _I.PROVISIONAL: (_S.PROCEEDING, (_O.RESPONSE_TO_USER,)),
            _I.SUCCESS: (_S.COMPLETED, (_O.RESPONSE_TO_USER,)),
            _I.FAILURE: (_S.COMPLETED, (_O.RESPONSE_TO_USER,)),
        },
        _S.COMPLETED: {
            _I.TIMER_K: (_S.TERMINATED, _SILENT),
        },
    },
    {
        _S.TRYING: (_I.TIMER_E, _I.TIMER_F),
        _S.PROCEEDING: (_I.TIMER_E, _I.TIMER_F),
        _S.COMPLETED: (_I.TIMER_K,),
    },
)

# RFC 6026 7.1, Figure 7 of RFC 3261 as corrected; Timer H tells the TU, as the text of 17.2.1 demands.
INVITE_SERVER: Final = Figure(
    "INVITE server",
    {
        _S.INITIAL: {
            _I.REQUEST: (_S.PROCEEDING, _SILENT),
        },
        _S.PROCEEDING: {
            _I.REQUEST: (_S.PROCEEDING, (_O.SEND_RESPONSE,)),
            _I.TIMER_TRYING: (_S.PROCEEDING, (_O.SEND_TRYING,)),
            _I.PROVISIONAL: (_S.PROCEEDING, (_O.SEND_RESPONSE,)),
            _I.SUCCESS: (_S.ACCEPTED, (_O.SEND_RESPONSE,)),
            _I.FAILURE: (_S.COMPLETED, (_O.SEND_RESPONSE,)),
            _I.TRANSPORT_ERROR: (_S.PROCEEDING, (_O.ERROR_TO_USER,)),
        },
        _S.ACCEPTED: {
            _I.REQUEST: (_S.ACCEPTED, _SILENT),
            _I.ACK: (_S.ACCEPTED, (_O.ACK_TO_USER,)),
            _I.SUCCESS: (_S.ACCEPTED, (_O.SEND_RESPONSE,)),
            _I.TRANSPORT_ERROR: (_S.ACCEPTED, (_O.ERROR_TO_USER,)),
            _I.TIMER_L: (_S.TERMINATED, _SILENT),
        },
        _S.COMPLETED: {
            _I.REQUEST: (_S.COMPLETED, (_O.SEND_RESPONSE,)),
            _I.TIMER_G: (_S.COMPLETED, (_O.SEND_RESPONSE,)),
            _I.TIMER_H: (_S.TERMINATED, (_O.TIMEOUT_TO_USER,)),
            _I.TRANSPORT_ERROR: (_S.COMPLETED, (_O.ERROR_TO_USER,)),
            _I.ACK: (_S.CONFIRMED, _SILENT),
        },
        _S.CONFIRMED: {
            _I.ACK: (_S.CONFIRMED, _SILENT),
            _I.TIMER_I: (_S.TERMINATED, _SILENT),
        },
    },
    {
        _S.PROCEEDING: (_I.TIMER_TRYING,),
        _S.ACCEPTED: (_I.TIMER_L,),
        _S.COMPLETED: (_I.TIMER_G, _I.TIMER_H),
        _S.CONFIRMED: (_I.TIMER_I,),
    },
)

# RFC 3261 17.2.2, Figure 8.
NON_INVITE_SERVER: Final = Figure(
    "non-INVITE server",
    {
        _S.INITIAL: {
            _I.REQUEST: (_S.TRYING, _SILENT),
        },
        _S.TRYING: {
            _I.PROVISIONAL: (_S.PROCEEDING, (_O.SEND_RESPONSE,)),
            _I.SUCCESS: (_S.COMPLETED, (_O.SEND_RESPONSE,)),
            _I.FAILURE: (_S.COMPLETED, (_O.SEND_RESPONSE,)),
        },
        _S.PROCEEDING: {
            _I.REQUEST: (_S.PROCEEDING, (_O.SEND_RESPONSE,)),
            _I.PROVISIONAL: (_S.PROCEEDING, (_O.SEND_RESPONSE,)),
            _I.SUCCESS: (_S.COMPLETED, (_O.SEND_RESPONSE,)),
            _I.FAILURE: (_S.COMPLETED, (_O.SEND_RESPONSE,)),
            _I.TRANSPORT_ERROR: (_S.TERMINATED, (_O.ERROR_TO_USER,)),
        },
        _S.COMPLETED: {
            _I.REQUEST: (_S.COMPLETED, (_O.SEND_RESPONSE,)),
            _I.TIMER_J: (_S.TERMINATED, _SILENT),
            _I.TRANSPORT_ERROR: (_S.TERMINATED, (_O.ERROR_TO_USER,)),
        },
    },
    {
        _S.COMPLETED: (_I.TIMER_J,),
    },
)


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a timer runs, in seconds: over UDP, and over a transport that retransmits by itself.

    None: not started at all; 0: fires at once.  A timer with *longest* starts again, twice as long, up to that.
    """

    unreliable: float
    reliable: float | None
    longest: float | None = None


# RFC 3261, Table 4 of appendix A; RFC 6026 8.4 and 8.10 for L and M.
DURATIONS: Final[dict[Input, Duration]] = {
    _I.TIMER_A: Duration(T1, None, longest=float("inf")),  # 17.1.1.2
    _I.TIMER_B: Duration(64 * T1, 64 * T1),  # 17.1.1.2
    _I.TIMER_D: Duration(32.0, 0.0),  # 17.1.1.2: "at least 32 seconds"
    _I.TIMER_E: Duration(T1, None, longest=T2),  # 17.1.2.2
    _I.TIMER_F: Duration(64 * T1, 64 * T1),  # 17.1.2.2
    _I.TIMER_G: Duration(T1, None, longest=T2),  # 17.2.1
    _I.TIMER_H: Duration(64 * T1, 64 * T1),  # 17.2.1
    _I.TIMER_I: Duration(T4, 0.0),  # 17.2.1
    _I.TIMER_J: Duration(64 * T1, 0.0),  # 17.2.2
    _I.TIMER_K: Duration(T4, 0.0),  # 17.1.2.2
    _I.TIMER_L: Duration(64 * T1, 64 * T1),  # RFC 6026 8.4
    _I.TIMER_M: Duration(64 * T1, 64 * T1),  # RFC 6026 8.10
    _I.TIMER_TRYING: Duration(0.2, 0.2),  # 17.2.1
}
