"""How a receiver asks a sender for another coding: the mode request of H.245 C.9 (MRSE), one table for each direction.

The first mode asked for, all of whose elements are of kinds among our capabilities, is promised; to open and close
channels accordingly is up to the owner.  What we can receive, we can send too.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from firmware.h323.control.events import NO_RESPONSE, ModeAnswered, ModeRequested
from firmware.h323.control.procedure import Machine, Procedure

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.control.link import Link

T109: Final = 10.0
"""Seconds; how long to wait for the answer (H.245 C.9.3.3; its value is left to the system)."""


class State(Enum):
    """The boxes of both figures (C.9.2.3)."""

    IDLE = "idle"
    AWAITING_RESPONSE = "awaiting response"


class OutgoingInput(Enum):
    """What the outgoing figure receives."""

    TRANSFER_REQUEST = "TRANSFER.request"
    ACK = "RequestModeAck"
    REJECT = "RequestModeReject"
    T109_EXPIRY = "T109 expiry"


class OutgoingOutput(Enum):
    """What the outgoing figure sends."""

    SEND_REQUEST = "RequestMode"
    SEND_RELEASE = "RequestModeRelease"
    CONFIRM = "TRANSFER.confirm"
    REJECT_INDICATION = "REJECT.indication"
    REJECT_INDICATION_PROTOCOL = "REJECT.indication, source protocol"


class IncomingInput(Enum):
    """What the incoming figure receives."""

    REQUEST = "RequestMode"
    RELEASE = "RequestModeRelease"
    TRANSFER_RESPONSE = "TRANSFER.response"
    REJECT_REQUEST = "REJECT.request"


class IncomingOutput(Enum):
    """What the incoming figure sends."""

    INDICATION = "TRANSFER.indication"
    REJECT_INDICATION = "REJECT.indication"
    SEND_ACK = "RequestModeAck"
    SEND_REJECT = "RequestModeReject"


_S, _OI, _OO, _II, _IO = State, OutgoingInput, OutgoingOutput, IncomingInput, IncomingOutput

# H.245 C.9.4, the figures of the outgoing MRSE.  An answer counts only if its sequence number is out_SQ.
OUTGOING: Final[Machine[State, OutgoingInput, OutgoingOutput]] = Machine(
    "outgoing MRSE",
    _S.IDLE,
    {
        _S.IDLE: {
            _OI.TRANSFER_REQUEST: (_S.AWAITING_RESPONSE, (_OO.SEND_REQUEST,)),
        },
        _S.AWAITING_RESPONSE: {
            _OI.TRANSFER_REQUEST: (_S.AWAITING_RESPONSE, (_OO.SEND_REQUEST,)),
            _OI.ACK: (_S.IDLE, (_OO.CONFIRM,)),
            _OI.REJECT: (_S.IDLE, (_OO.REJECT_INDICATION,)),
            _OI.T109_EXPIRY: (_S.IDLE, (_OO.SEND_RELEASE, _OO.REJECT_INDICATION_PROTOCOL)),
        },
    },
    {_S.AWAITING_RESPONSE: T109},
    _OI.T109_EXPIRY,
)

# H.245 C.9.4, the figures of the incoming MRSE.
INCOMING: Final[Machine[State, IncomingInput, IncomingOutput]] = Machine(
    "incoming MRSE",
    _S.IDLE,
    {
        _S.IDLE: {
            _II.REQUEST: (_S.AWAITING_RESPONSE, (_IO.INDICATION,)),
        },
        _S.AWAITING_RESPONSE: {
            _II.TRANSFER_RESPONSE: (_S.IDLE, (_IO.SEND_ACK,)),
            _II.REJECT_REQUEST: (_S.IDLE, (_IO.SEND_REJECT,)),
            _II.RELEASE: (_S.IDLE, (_IO.REJECT_INDICATION,)),
            _II.REQUEST: (_S.AWAITING_RESPONSE, (_IO.REJECT_INDICATION, _IO.INDICATION)),
        },
    },
    {},
)


class OutgoingMode(Procedure[State, OutgoingInput, OutgoingOutput]):
    """Our requests."""

    def __init__(self, link: Link) -> None:
        super().__init__(OUTGOING, link)
        self._modes: list[Value] = []
        self._sequence = 0
        self._answer: Value = {}

    def request(self, modes: list[Value], now: float) -> None:
        """Ask for one of these ModeDescriptions, the dearest first; an earlier request no longer stands."""
        self._modes = modes
        self._take(OutgoingInput.TRANSFER_REQUEST, now)

    def ack_received(self, message: Value, now: float) -> None:
        """Take a RequestModeAck."""
        self._take_answer(OutgoingInput.ACK, message, now)

    def reject_received(self, message: Value, now: float) -> None:
        """Take a RequestModeReject."""
        self._take_answer(OutgoingInput.REJECT, message, now)

    def _take_answer(self, what: OutgoingInput, message: Value, now: float) -> None:
        if message["sequenceNumber"] == self._sequence:
            self._answer = message
            self._take(what, now)
        else:
            self.link.ignored[f"{self.machine.name}: {what.value} of another request"] += 1

    def _put(self, output: OutgoingOutput, _now: float, /) -> None:
        match output:
            case OutgoingOutput.SEND_REQUEST:
                self._sequence = (self._sequence + 1) % 256
                self.link.request("requestMode", {"sequenceNumber": self._sequence, "requestedModes": self._modes})
            case OutgoingOutput.SEND_RELEASE:
                self.link.indicate("requestModeRelease", {})
            case OutgoingOutput.CONFIRM:
                self.link.report(ModeAnswered(self._answer["response"][0]))
            case OutgoingOutput.REJECT_INDICATION:
                self.link.report(ModeAnswered(self._answer["cause"][0]))
            case OutgoingOutput.REJECT_INDICATION_PROTOCOL:
                self.link.report(ModeAnswered(NO_RESPONSE))


class IncomingMode(Procedure[State, IncomingInput, IncomingOutput]):
    """The far end's requests."""

    def __init__(self, link: Link) -> None:
        super().__init__(INCOMING, link)
        self._message: Value = {}
        self._kinds: set[Kind] = set()
        self._choice: int | None = None

    def request_received(self, message: Value, capabilities: dict[str, Value], now: float) -> None:
        """Take a RequestMode, and answer it by what our own set can do."""
        self._message, self._kinds = message, _kinds_of(capabilities)
        self._take(IncomingInput.REQUEST, now)

    def release_received(self, now: float) -> None:
        """Take a RequestModeRelease: the far end saw no answer."""
        self._take(IncomingInput.RELEASE, now)

    def _put(self, output: IncomingOutput, now: float, /) -> None:
        sequence = {"sequenceNumber": self._message["sequenceNumber"]}
        modes = self._message["requestedModes"]
        match output:
            case IncomingOutput.INDICATION:
                ours = (index for index, mode in enumerate(modes) if self._can_send(mode))
                self._choice = next(ours, None)
                accept, refuse = IncomingInput.TRANSFER_RESPONSE, IncomingInput.REJECT_REQUEST
                self._take(accept if self._choice is not None else refuse, now)
            case IncomingOutput.SEND_ACK if self._choice is not None:
                response = "willTransmitLessPreferredMode" if self._choice else "willTransmitMostPreferredMode"
                self.link.respond("requestModeAck", {**sequence, "response": (response, None)})
                self.link.report(ModeRequested(modes[self._choice]))
            case IncomingOutput.SEND_REJECT:
                self.link.respond("requestModeReject", {**sequence, "cause": ("modeUnavailable", None)})
            case IncomingOutput.REJECT_INDICATION:
                self.link.errors["incoming MRSE"] += 1

    def _can_send(self, mode: list[Value]) -> bool:
        return all(_kind_of(element["type"]) in self._kinds for element in mode)


Kind = tuple[str, str, str]
"""What is compared of a mode and a capability: ``videoMode``, ``genericVideoMode``, the generic one's identifier."""

_MEDIA: Final = ("Video", "Audio")


def _kind_of(element: tuple[str, Value]) -> Kind | None:
    medium, mode = element
    if medium not in {"videoMode", "audioMode"}:
        return None
    name, content = mode
    identifier = ""
    if isinstance(content, dict) and "capabilityIdentifier" in content:
        scheme, identifier = content["capabilityIdentifier"]
        if scheme != "standard":
            return None
    return (medium, name, identifier)


def _kinds_of(capabilities: dict[str, Value]) -> set[Kind]:
    kinds = set()
    for entry in capabilities.get("capabilityTable", ()):
        name, content = entry.get("capability", ("", None))
        medium = next((medium for medium in _MEDIA if name.endswith(f"{medium}Capability")), None)
        if medium is not None:
            # H.245 annex A names a mode as its capability but for the last word; where they differ, we have none.
            mode = (f"{medium.lower()}Mode", (content[0].replace("Capability", "Mode"), content[1]))
            kinds.add(_kind_of(mode))
    return {kind for kind in kinds if kind is not None and kind[1] != "nonStandard"}
