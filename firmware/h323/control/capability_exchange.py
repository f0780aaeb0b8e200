"""What each end can do: the capability exchange of H.245 C.3 (CESE), one table for each direction.

The far end's sets are answered at once.  Of ours only one is under way; the newest waits for its end.  A first set that
fails is repeated, and without it there is no call; of a later one the owner is told.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from firmware.h323 import h245
from firmware.h323.control.capability_set import CapabilitySet
from firmware.h323.control.events import CapabilitiesAcknowledged, CapabilitiesReceived, CapabilitiesRefused
from firmware.h323.control.procedure import Machine, Procedure

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.control.link import Link

T101: Final = 10.0
"""Seconds; how long to wait for an acknowledgement (H.245 C.3.3.3; its value is left to the system)."""
ATTEMPTS: Final = 3
"""H.323 8.2: an initial exchange that fails is retried at least twice before the call is abandoned."""


class State(Enum):
    """The boxes of both figures (C.3.2.3)."""

    IDLE = "idle"
    AWAITING_RESPONSE = "awaiting response"


class OutgoingInput(Enum):
    """What the outgoing figure receives."""

    TRANSFER_REQUEST = "TRANSFER.request"
    ACK = "TerminalCapabilitySetAck"
    REJECT = "TerminalCapabilitySetReject"
    T101_EXPIRY = "T101 expiry"


class OutgoingOutput(Enum):
    """What the outgoing figure sends."""

    SEND_SET = "TerminalCapabilitySet"
    SEND_RELEASE = "TerminalCapabilitySetRelease"
    CONFIRM = "TRANSFER.confirm"
    REJECT_INDICATION = "REJECT.indication"


class IncomingInput(Enum):
    """What the incoming figure receives."""

    SET = "TerminalCapabilitySet"
    RELEASE = "TerminalCapabilitySetRelease"
    TRANSFER_RESPONSE = "TRANSFER.response"
    REJECT_REQUEST = "REJECT.request"


class IncomingOutput(Enum):
    """What the incoming figure sends."""

    INDICATION = "TRANSFER.indication"
    REJECT_INDICATION = "REJECT.indication"
    SEND_ACK = "TerminalCapabilitySetAck"
    SEND_REJECT = "TerminalCapabilitySetReject"


_S, _OI, _OO, _II, _IO = State, OutgoingInput, OutgoingOutput, IncomingInput, IncomingOutput

# H.245 C.3.4, the figures of the outgoing CESE.  An answer counts only if its sequence number is out_SQ.
OUTGOING: Final[Machine[State, OutgoingInput, OutgoingOutput]] = Machine(
    "outgoing CESE",
    _S.IDLE,
    {
        _S.IDLE: {
            _OI.TRANSFER_REQUEST: (_S.AWAITING_RESPONSE, (_OO.SEND_SET,)),
        },
        _S.AWAITING_RESPONSE: {
            _OI.ACK: (_S.IDLE, (_OO.CONFIRM,)),
            _OI.REJECT: (_S.IDLE, (_OO.REJECT_INDICATION,)),
            _OI.T101_EXPIRY: (_S.IDLE, (_OO.SEND_RELEASE, _OO.REJECT_INDICATION)),
        },
    },
    {_S.AWAITING_RESPONSE: T101},
    _OI.T101_EXPIRY,
)

# H.245 C.3.4, the figures of the incoming CESE.
INCOMING: Final[Machine[State, IncomingInput, IncomingOutput]] = Machine(
    "incoming CESE",
    _S.IDLE,
    {
        _S.IDLE: {
            _II.SET: (_S.AWAITING_RESPONSE, (_IO.INDICATION,)),
        },
        _S.AWAITING_RESPONSE: {
            _II.TRANSFER_RESPONSE: (_S.IDLE, (_IO.SEND_ACK,)),
            _II.REJECT_REQUEST: (_S.IDLE, (_IO.SEND_REJECT,)),
            _II.RELEASE: (_S.IDLE, (_IO.REJECT_INDICATION,)),
            _II.SET: (_S.AWAITING_RESPONSE, (_IO.REJECT_INDICATION, _IO.INDICATION)),
        },
    },
    {},
)


class OutgoingCapabilities(Procedure[State, OutgoingInput, OutgoingOutput]):
    """Our sets."""

    def __init__(self, link: Link) -> None:
        super().__init__(OUTGOING, link)
        self.acknowledged = False
        """Whether the far end took a set of ours, ever."""
        self._set: dict[str, Value] | None = None
        self._changed = False
        self._sequence = 0
        self._attempts = 0

    @property
    def capabilities(self) -> dict[str, Value] | None:
        """The set given last, None before the first."""
        return self._set

    def transfer(self, capabilities: dict[str, Value], now: float) -> None:
        """Send this set now, or in place of the one under way as soon as that is answered."""
        self._set, self._changed = capabilities, True
        if self.state is State.IDLE:
            self._attempt(now)

    def repeat(self, now: float) -> None:
        """Send the set again, unless it is under way (sendTerminalCapabilitySet)."""
        if self._set is not None and self.state is State.IDLE:
            self._attempt(now)

    def ack_received(self, message: Value, now: float) -> None:
        """Take a TerminalCapabilitySetAck."""
        self._answer(OutgoingInput.ACK, message, now)

    def reject_received(self, message: Value, now: float) -> None:
        """Take a TerminalCapabilitySetReject."""
        self._answer(OutgoingInput.REJECT, message, now)

    def _answer(self, what: OutgoingInput, message: Value, now: float) -> None:
        if message["sequenceNumber"] == self._sequence:
            self._take(what, now)
        else:
            self.link.ignored[f"{self.machine.name}: {what.value} of another set"] += 1

    def _attempt(self, now: float) -> None:
        self._attempts = 1 if self._changed else self._attempts + 1
        self._changed = False
        self._take(OutgoingInput.TRANSFER_REQUEST, now)

    def _put(self, output: OutgoingOutput, now: float, /) -> None:
        match output:
            case OutgoingOutput.SEND_SET:
                self._sequence = (self._sequence + 1) % 256
                head = {"sequenceNumber": self._sequence, "protocolIdentifier": h245.IDENTIFIER}
                self.link.request("terminalCapabilitySet", {**(self._set or {}), **head})
            case OutgoingOutput.SEND_RELEASE:
                self.link.indicate("terminalCapabilitySetRelease", {})
            case OutgoingOutput.CONFIRM if self._changed:
                self._attempt(now)
            case OutgoingOutput.CONFIRM:
                self.acknowledged = True
                self._attempts = 0
                self.link.report(CapabilitiesAcknowledged())
            case OutgoingOutput.REJECT_INDICATION if self._changed:
                self._attempt(now)
            case OutgoingOutput.REJECT_INDICATION if self.acknowledged:
                self.link.report(CapabilitiesRefused())
            case OutgoingOutput.REJECT_INDICATION if self._attempts < ATTEMPTS:
                self._attempt(now)
            case OutgoingOutput.REJECT_INDICATION:
                self.link.fail("capability exchange")


class IncomingCapabilities(Procedure[State, IncomingInput, IncomingOutput]):
    """The far end's sets."""

    def __init__(self, link: Link) -> None:
        super().__init__(INCOMING, link)
        self.capabilities: Final = CapabilitySet()
        self.received = False
        """Whether a set has come, ever."""
        self._message: Value = {}
        self._cause: Value = None

    def set_received(self, message: Value, now: float) -> None:
        """Take a TerminalCapabilitySet, and answer it."""
        self._message = message
        self._take(IncomingInput.SET, now)

    def release_received(self, now: float) -> None:
        """Take a TerminalCapabilitySetRelease: the far end saw no answer."""
        self._take(IncomingInput.RELEASE, now)

    def _put(self, output: IncomingOutput, now: float, /) -> None:
        sequence = {"sequenceNumber": self._message["sequenceNumber"]}
        match output:
            case IncomingOutput.INDICATION:
                self._cause = self.capabilities.update(self._message)
                accept, refuse = IncomingInput.TRANSFER_RESPONSE, IncomingInput.REJECT_REQUEST
                self._take(accept if self._cause is None else refuse, now)
            case IncomingOutput.SEND_ACK:
                self.received = True
                self.link.respond("terminalCapabilitySetAck", sequence)
                self.link.report(CapabilitiesReceived(self.capabilities.value()))
            case IncomingOutput.SEND_REJECT:
                self.link.respond("terminalCapabilitySetReject", {**sequence, "cause": self._cause})
            case IncomingOutput.REJECT_INDICATION:
                self.link.errors["incoming CESE"] += 1
