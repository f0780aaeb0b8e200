"""How a receiver asks a sender to close its channel: H.245 C.6 (CLCSE), one table for each direction.

We promise to close any channel of ours that is open; to close it is then up to the owner.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from firmware.h323.control.events import CloseRefused, CloseRequested
from firmware.h323.control.procedure import Machine, Procedure

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.control.link import Link

T108: Final = 10.0
"""Seconds; how long to wait for the answer (H.245 C.6.3.3; its value is left to the system)."""


class State(Enum):
    """The boxes of both figures (C.6.2.3)."""

    IDLE = "idle"
    AWAITING_RESPONSE = "awaiting response"


class OutgoingInput(Enum):
    """What the outgoing figure receives."""

    CLOSE_REQUEST = "CLOSE.request"
    ACK = "RequestChannelCloseAck"
    REJECT = "RequestChannelCloseReject"
    T108_EXPIRY = "T108 expiry"


class OutgoingOutput(Enum):
    """What the outgoing figure sends."""

    SEND_REQUEST = "RequestChannelClose"
    SEND_RELEASE = "RequestChannelCloseRelease"
    CLOSE_CONFIRM = "CLOSE.confirm"
    REJECT_INDICATION = "REJECT.indication"


class IncomingInput(Enum):
    """What the incoming figure receives."""

    REQUEST = "RequestChannelClose"
    RELEASE = "RequestChannelCloseRelease"
    CLOSE_RESPONSE = "CLOSE.response"
    REJECT_REQUEST = "REJECT.request"


class IncomingOutput(Enum):
    """What the incoming figure sends."""

    SEND_ACK = "RequestChannelCloseAck"
    SEND_REJECT = "RequestChannelCloseReject"
    CLOSE_INDICATION = "CLOSE.indication"
    REJECT_INDICATION = "REJECT.indication"


_S, _OI, _OO, _II, _IO = State, OutgoingInput, OutgoingOutput, IncomingInput, IncomingOutput

# H.245 C.6.4, the figures of the outgoing CLCSE.
OUTGOING: Final[Machine[State, OutgoingInput, OutgoingOutput]] = Machine(
    "outgoing CLCSE",
    _S.IDLE,
    {
        _S.IDLE: {
            _OI.CLOSE_REQUEST: (_S.AWAITING_RESPONSE, (_OO.SEND_REQUEST,)),
        },
        _S.AWAITING_RESPONSE: {
            _OI.ACK: (_S.IDLE, (_OO.CLOSE_CONFIRM,)),
            _OI.REJECT: (_S.IDLE, (_OO.REJECT_INDICATION,)),
            _OI.T108_EXPIRY: (_S.IDLE, (_OO.SEND_RELEASE, _OO.REJECT_INDICATION)),
        },
    },
    {_S.AWAITING_RESPONSE: T108},
    _OI.T108_EXPIRY,
)

# H.245 C.6.4, the figures of the incoming CLCSE.
INCOMING: Final[Machine[State, IncomingInput, IncomingOutput]] = Machine(
    "incoming CLCSE",
    _S.IDLE,
    {
        _S.IDLE: {
            _II.REQUEST: (_S.AWAITING_RESPONSE, (_IO.CLOSE_INDICATION,)),
        },
        _S.AWAITING_RESPONSE: {
            _II.CLOSE_RESPONSE: (_S.IDLE, (_IO.SEND_ACK,)),
            _II.REJECT_REQUEST: (_S.IDLE, (_IO.SEND_REJECT,)),
            _II.RELEASE: (_S.IDLE, (_IO.REJECT_INDICATION,)),
            _II.REQUEST: (_S.AWAITING_RESPONSE, (_IO.REJECT_INDICATION, _IO.CLOSE_INDICATION)),
        },
    },
    {},
)


class OutgoingClose(Procedure[State, OutgoingInput, OutgoingOutput]):
    """Our request that the far end close a channel of its own."""

    def __init__(self, link: Link, number: int) -> None:
        super().__init__(OUTGOING, link)
        self.number: Final = number

    def request(self, now: float) -> None:
        """Ask, unless that is under way."""
        if self.state is State.IDLE:
            self._take(OutgoingInput.CLOSE_REQUEST, now)

    def ack_received(self, now: float) -> None:
        """Take a RequestChannelCloseAck; the CloseLogicalChannel follows."""
        self._take(OutgoingInput.ACK, now)

    def reject_received(self, now: float) -> None:
        """Take a RequestChannelCloseReject."""
        self._take(OutgoingInput.REJECT, now)

    def _put(self, output: OutgoingOutput, _now: float, /) -> None:
        number = {"forwardLogicalChannelNumber": self.number}
        match output:
            case OutgoingOutput.SEND_REQUEST:
                self.link.request("requestChannelClose", {**number, "reason": ("normal", None)})
            case OutgoingOutput.SEND_RELEASE:
                self.link.indicate("requestChannelCloseRelease", number)
            case OutgoingOutput.REJECT_INDICATION:
                self.link.report(CloseRefused(self.number))


class IncomingClose(Procedure[State, IncomingInput, IncomingOutput]):
    """The far end's request that we close a channel of ours."""

    def __init__(self, link: Link, number: int) -> None:
        super().__init__(INCOMING, link)
        self.number: Final = number
        self._open = False
        self._reason = ""

    def request_received(self, message: Value, now: float, *, is_open: bool) -> None:
        """Take a RequestChannelClose, and answer it: yes if the channel is open."""
        self._open = is_open
        # An addition of H.245 version 3: a far end that is older names no reason.
        self._reason = message["reason"][0] if "reason" in message else "unknown"
        self._take(IncomingInput.REQUEST, now)

    def release_received(self, now: float) -> None:
        """Take a RequestChannelCloseRelease: the far end saw no answer."""
        self._take(IncomingInput.RELEASE, now)

    def _put(self, output: IncomingOutput, now: float, /) -> None:
        number = {"forwardLogicalChannelNumber": self.number}
        match output:
            case IncomingOutput.CLOSE_INDICATION:
                self._take(IncomingInput.CLOSE_RESPONSE if self._open else IncomingInput.REJECT_REQUEST, now)
            case IncomingOutput.SEND_ACK:
                self.link.respond("requestChannelCloseAck", number)
                self.link.report(CloseRequested(self.number, self._reason))
            case IncomingOutput.SEND_REJECT:
                self.link.respond("requestChannelCloseReject", {**number, "cause": ("unspecified", None)})
            case IncomingOutput.REJECT_INDICATION:
                self.link.errors["incoming CLCSE"] += 1
