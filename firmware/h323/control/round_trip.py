"""Whether the far end is still there: the round trip delay of H.245 C.10 (RTDSE), asked at intervals.

A far end that has answered before and leaves `MISSES` questions in a row without any sign of life is gone.  One that
has never answered breaks the rules, but not the call: only its silence from then on means nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from firmware.h323.control.events import RoundTrip
from firmware.h323.control.procedure import Machine, Procedure

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.control.link import Link

T105: Final = 10.0
"""Seconds; how long to wait for the answer (H.245 C.10.3.3; its value is left to the system)."""
INTERVAL: Final = 20.0
"""Seconds from an answer to the next question."""
MISSES: Final = 3
"""Questions; a far end that is gone is found after at most 50 s."""


class State(Enum):
    """The boxes of the figure (C.10.2.3)."""

    IDLE = "idle"
    AWAITING_RESPONSE = "awaiting response"


class Input(Enum):
    """What the figure receives."""

    TRANSFER_REQUEST = "TRANSFER.request"
    RESPONSE = "RoundTripDelayResponse"
    T105_EXPIRY = "T105 expiry"


class Output(Enum):
    """What the figure sends."""

    SEND_REQUEST = "RoundTripDelayRequest"
    CONFIRM = "TRANSFER.confirm"
    EXPIRY_INDICATION = "EXPIRY.indication"


_S, _I, _O = State, Input, Output

# H.245 C.10.4, the figure of the RTDSE.  A response counts only if its sequence number is out_SQ; the far end's own
# question is answered in either state, and changes neither the state nor the timer.
RTDSE: Final[Machine[State, Input, Output]] = Machine(
    "RTDSE",
    _S.IDLE,
    {
        _S.IDLE: {
            _I.TRANSFER_REQUEST: (_S.AWAITING_RESPONSE, (_O.SEND_REQUEST,)),
        },
        _S.AWAITING_RESPONSE: {
            _I.TRANSFER_REQUEST: (_S.AWAITING_RESPONSE, (_O.SEND_REQUEST,)),
            _I.RESPONSE: (_S.IDLE, (_O.CONFIRM,)),
            _I.T105_EXPIRY: (_S.IDLE, (_O.EXPIRY_INDICATION,)),
        },
    },
    {_S.AWAITING_RESPONSE: T105},
    _I.T105_EXPIRY,
)


class RoundTripDelay(Procedure[State, Input, Output]):
    """The questions and answers of one call."""

    def __init__(self, link: Link) -> None:
        super().__init__(RTDSE, link)
        self.next: float | None = None
        """When the next question is due; None while one is under way, or nobody asked for any."""
        self._sequence = 0
        self._asked = 0.0
        self._answered = False
        self._silent = False
        self._misses = 0

    def start(self, now: float) -> None:
        """Ask now, and again and again."""
        if self.next is None and self.state is State.IDLE:
            self._ask(now)

    def heard(self) -> None:
        """Take any message of the far end as a sign of life."""
        self._silent = False

    def request_received(self, message: Value) -> None:
        """Answer a RoundTripDelayRequest."""
        self.link.respond("roundTripDelayResponse", {"sequenceNumber": message["sequenceNumber"]})

    def response_received(self, message: Value, now: float) -> None:
        """Take a RoundTripDelayResponse."""
        if message["sequenceNumber"] == self._sequence:
            self._take(Input.RESPONSE, now)
        else:
            self.link.ignored["RTDSE: RoundTripDelayResponse of another request"] += 1

    def handle_timer(self, now: float) -> None:
        """Let T105 expire, or ask the next question."""
        super().handle_timer(now)
        if self.next is not None and self.next <= now:
            self._ask(now)

    def _ask(self, now: float) -> None:
        self.next = None
        self._take(Input.TRANSFER_REQUEST, now)

    def _put(self, output: Output, now: float, /) -> None:
        match output:
            case Output.SEND_REQUEST:
                self._sequence = (self._sequence + 1) % 256
                self._asked, self._silent = now, True
                self.link.request("roundTripDelayRequest", {"sequenceNumber": self._sequence})
            case Output.CONFIRM:
                self._answered, self._misses = True, 0
                self.next = now + INTERVAL
                self.link.report(RoundTrip(now - self._asked))
            case Output.EXPIRY_INDICATION:
                self._misses = self._misses + 1 if self._silent else 0
                if self._answered and self._misses >= MISSES:
                    self.link.fail("round trip delay: the far end is gone")
                else:
                    self._ask(now)
