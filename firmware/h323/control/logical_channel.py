"""The channels that media takes: logical channel signalling of H.245 C.4 (LCSE), one table for each direction.

Who sends on a channel opens it, numbers it and closes it (B.3.1); the far end accepts or refuses.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from firmware.h323.control.events import NO_RESPONSE, ChannelClosed, ChannelOpened, ChannelRefused, ChannelRequested
from firmware.h323.control.procedure import Machine, Procedure

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.control.link import Link

T103: Final = 30.0
"""Seconds; how long to wait for the answer to an opening or a closing (H.245 C.4.3.3; left to the system).  The far end
may have to ask its gatekeeper for bandwidth first (H.323 8.4.1)."""


class State(Enum):
    """The boxes of both figures (C.4.2.3)."""

    RELEASED = "released"
    AWAITING_ESTABLISHMENT = "awaiting establishment"
    ESTABLISHED = "established"
    AWAITING_RELEASE = "awaiting release"


class OutgoingInput(Enum):
    """What the outgoing figure receives."""

    ESTABLISH_REQUEST = "ESTABLISH.request"
    RELEASE_REQUEST = "RELEASE.request"
    ACK = "OpenLogicalChannelAck"
    REJECT = "OpenLogicalChannelReject"
    CLOSE_ACK = "CloseLogicalChannelAck"
    T103_EXPIRY = "T103 expiry"


class OutgoingOutput(Enum):
    """What the outgoing figure sends; the values of the errors are the codes of ERROR.indication."""

    SEND_OPEN = "OpenLogicalChannel"
    SEND_CLOSE_USER = "CloseLogicalChannel, source user"
    SEND_CLOSE_LCSE = "CloseLogicalChannel, source lcse"
    ESTABLISH_CONFIRM = "ESTABLISH.confirm"
    RELEASE_CONFIRM = "RELEASE.confirm"
    RELEASE_INDICATION = "RELEASE.indication"
    ERROR_B = "B"  # a refusal out of turn
    ERROR_C = "C"  # a closing acknowledged that nobody asked for
    ERROR_D = "D"  # no response


class IncomingInput(Enum):
    """What the incoming figure receives."""

    OPEN = "OpenLogicalChannel"
    CLOSE = "CloseLogicalChannel"
    ESTABLISH_RESPONSE = "ESTABLISH.response"
    RELEASE_REQUEST = "RELEASE.request"


class IncomingOutput(Enum):
    """What the incoming figure sends."""

    SEND_ACK = "OpenLogicalChannelAck"
    SEND_REJECT = "OpenLogicalChannelReject"
    SEND_CLOSE_ACK = "CloseLogicalChannelAck"
    ESTABLISH_INDICATION = "ESTABLISH.indication"
    RELEASE_INDICATION = "RELEASE.indication"


_S, _OI, _OO, _II, _IO = State, OutgoingInput, OutgoingOutput, IncomingInput, IncomingOutput

# H.245 C.4.4, the figures of the outgoing LCSE.
OUTGOING: Final[Machine[State, OutgoingInput, OutgoingOutput]] = Machine(
    "outgoing LCSE",
    _S.RELEASED,
    {
        _S.RELEASED: {
            _OI.ESTABLISH_REQUEST: (_S.AWAITING_ESTABLISHMENT, (_OO.SEND_OPEN,)),
        },
        _S.AWAITING_ESTABLISHMENT: {
            _OI.ACK: (_S.ESTABLISHED, (_OO.ESTABLISH_CONFIRM,)),
            _OI.REJECT: (_S.RELEASED, (_OO.RELEASE_INDICATION,)),
            _OI.CLOSE_ACK: (_S.RELEASED, (_OO.ERROR_C, _OO.RELEASE_INDICATION)),
            _OI.RELEASE_REQUEST: (_S.AWAITING_RELEASE, (_OO.SEND_CLOSE_USER,)),
            _OI.T103_EXPIRY: (_S.RELEASED, (_OO.ERROR_D, _OO.SEND_CLOSE_LCSE, _OO.RELEASE_INDICATION)),
        },
        _S.ESTABLISHED: {
            _OI.REJECT: (_S.RELEASED, (_OO.ERROR_B, _OO.RELEASE_INDICATION)),
            _OI.CLOSE_ACK: (_S.RELEASED, (_OO.ERROR_C, _OO.RELEASE_INDICATION)),
            _OI.RELEASE_REQUEST: (_S.AWAITING_RELEASE, (_OO.SEND_CLOSE_USER,)),
        },
        _S.AWAITING_RELEASE: {
            _OI.CLOSE_ACK: (_S.RELEASED, (_OO.RELEASE_CONFIRM,)),
            _OI.REJECT: (_S.RELEASED, (_OO.RELEASE_CONFIRM,)),
            _OI.T103_EXPIRY: (_S.RELEASED, (_OO.ERROR_D, _OO.RELEASE_INDICATION)),
        },
    },
    {_S.AWAITING_ESTABLISHMENT: T103, _S.AWAITING_RELEASE: T103},
    _OI.T103_EXPIRY,
)

# H.245 C.4.4, the figures of the incoming LCSE.
INCOMING: Final[Machine[State, IncomingInput, IncomingOutput]] = Machine(
    "incoming LCSE",
    _S.RELEASED,
    {
        _S.RELEASED: {
            _II.OPEN: (_S.AWAITING_ESTABLISHMENT, (_IO.ESTABLISH_INDICATION,)),
            _II.CLOSE: (_S.RELEASED, (_IO.SEND_CLOSE_ACK,)),
        },
        _S.AWAITING_ESTABLISHMENT: {
            _II.ESTABLISH_RESPONSE: (_S.ESTABLISHED, (_IO.SEND_ACK,)),
            _II.RELEASE_REQUEST: (_S.RELEASED, (_IO.SEND_REJECT,)),
            _II.CLOSE: (_S.RELEASED, (_IO.SEND_CLOSE_ACK, _IO.RELEASE_INDICATION)),
            _II.OPEN: (_S.AWAITING_ESTABLISHMENT, (_IO.RELEASE_INDICATION, _IO.ESTABLISH_INDICATION)),
        },
        _S.ESTABLISHED: {
            _II.CLOSE: (_S.RELEASED, (_IO.SEND_CLOSE_ACK, _IO.RELEASE_INDICATION)),
            _II.OPEN: (_S.AWAITING_ESTABLISHMENT, (_IO.RELEASE_INDICATION, _IO.ESTABLISH_INDICATION)),
        },
    },
    {},
)


class OutgoingChannel(Procedure[State, OutgoingInput, OutgoingOutput]):
    """A channel that we send on."""

    def __init__(self, link: Link, number: int, parameters: dict[str, Value]) -> None:
        super().__init__(OUTGOING, link)
        self.number: Final = number
        self.parameters: Final = parameters
        """The OpenLogicalChannel."""
        self._answer: Value = {}
        self._opened = False

    def open(self, now: float) -> None:
        """Ask for it."""
        self._take(OutgoingInput.ESTABLISH_REQUEST, now)

    def adopt(self) -> None:
        """Take it as open: the far end has agreed to it by fast connect (H.323 8.1.7)."""
        self.state, self._opened = State.ESTABLISHED, True

    def close(self, now: float) -> None:
        """Close it, or withdraw the request."""
        if self.state is not State.AWAITING_RELEASE:
            self._take(OutgoingInput.RELEASE_REQUEST, now)

    def answer_received(self, what: OutgoingInput, message: Value, now: float) -> None:
        """Take an OpenLogicalChannelAck or -Reject, or a CloseLogicalChannelAck."""
        self._answer = message
        self._take(what, now)

    def _put(self, output: OutgoingOutput, _now: float, /) -> None:
        match output:
            case OutgoingOutput.SEND_OPEN:
                self.link.request("openLogicalChannel", self.parameters)
            case OutgoingOutput.SEND_CLOSE_USER:
                self._send_close("user")
            case OutgoingOutput.SEND_CLOSE_LCSE:
                self._send_close("lcse")
            case OutgoingOutput.ESTABLISH_CONFIRM:
                self._opened = True
                self.link.report(ChannelOpened(self.number, self._answer))
            case OutgoingOutput.RELEASE_CONFIRM:
                self.link.report(ChannelClosed(self.number, ours=True))
            case OutgoingOutput.RELEASE_INDICATION if self._opened:
                self.link.report(ChannelClosed(self.number, ours=True))
            case OutgoingOutput.RELEASE_INDICATION:
                cause = self._answer["cause"][0] if "cause" in self._answer else NO_RESPONSE
                self.link.report(ChannelRefused(self.number, cause))
            case _:
                self.link.errors[f"outgoing LCSE {output.value}"] += 1

    def _send_close(self, source: str) -> None:
        self.link.request(
            "closeLogicalChannel",
            {"forwardLogicalChannelNumber": self.number, "source": (source, None), "reason": ("unknown", None)},
        )


class IncomingChannel(Procedure[State, IncomingInput, IncomingOutput]):
    """A channel that the far end sends on."""

    def __init__(self, link: Link, number: int) -> None:
        super().__init__(INCOMING, link)
        self.number: Final = number
        self.parameters: dict[str, Value] = {}
        """The OpenLogicalChannel that came last."""
        self._ack: dict[str, Value] = {}
        self._cause = "unspecified"

    def adopt(self, parameters: dict[str, Value]) -> None:
        """Take it as open: agreed by fast connect (H.323 8.1.7)."""
        self.parameters, self.state = parameters, State.ESTABLISHED

    def open_received(self, message: dict[str, Value], now: float) -> None:
        """Take an OpenLogicalChannel."""
        self.parameters = message
        self._take(IncomingInput.OPEN, now)

    def close_received(self, now: float) -> None:
        """Take a CloseLogicalChannel."""
        self._take(IncomingInput.CLOSE, now)

    def accept(self, ack: dict[str, Value], now: float) -> None:
        """Open it, with what an OpenLogicalChannelAck has beyond the number."""
        self._ack = ack
        self._take(IncomingInput.ESTABLISH_RESPONSE, now)

    def reject(self, cause: str, now: float) -> None:
        """Refuse it."""
        self._cause = cause
        self._take(IncomingInput.RELEASE_REQUEST, now)

    def _put(self, output: IncomingOutput, _now: float, /) -> None:
        number = {"forwardLogicalChannelNumber": self.number}
        match output:
            case IncomingOutput.SEND_ACK:
                self.link.respond("openLogicalChannelAck", {**number, **self._ack})
            case IncomingOutput.SEND_REJECT:
                self.link.respond("openLogicalChannelReject", {**number, "cause": (self._cause, None)})
            case IncomingOutput.SEND_CLOSE_ACK:
                self.link.respond("closeLogicalChannelAck", number)
            case IncomingOutput.ESTABLISH_INDICATION:
                self.link.report(ChannelRequested(self.number, self.parameters))
            case IncomingOutput.RELEASE_INDICATION:
                self.link.report(ChannelClosed(self.number, ours=False))
