"""All channels of a call: which number means which channel, how many there may be, and what is refused unasked.

Rule 1: the two directions' numbers are apart; a channel is forgotten once it is released.
Rule 2: a bidirectional channel (H.245 C.5: T.120 and its like) is refused: we have none.
Rule 3: of a command for a channel that is gone nothing comes: it may have gone while the command was on its way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firmware.errors import LocalProtocolError
from firmware.h323.control.close_channel import IncomingClose, OutgoingClose
from firmware.h323.control.logical_channel import IncomingChannel, OutgoingChannel, OutgoingInput, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firmware.asn1 import Value
    from firmware.h323.control.link import Link
    from firmware.h323.control.procedure import Procedure

MAX_CHANNELS: Final = 32
"""In each direction, those under way included; a room with sound, two pictures and their control has eight."""
_NUMBERS: Final = 65535
"""H.245 annex A: LogicalChannelNumber is 1 to 65535; 0 is the control channel."""


class Channels:
    """The channels of one call."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.outgoing: Final[dict[int, OutgoingChannel]] = {}
        self.incoming: Final[dict[int, IncomingChannel]] = {}
        self._our_closes: dict[int, OutgoingClose] = {}
        self._last_number = 0

    @property
    def is_any_open(self) -> bool:
        """Whether either end may send on any of them."""
        return any(channel.state is State.ESTABLISHED for channel in self.outgoing.values()) or any(
            channel.state is State.ESTABLISHED for channel in self.incoming.values()
        )

    # Commands

    def open(self, parameters: dict[str, Value], now: float) -> int:
        """Ask for a channel with what an OpenLogicalChannel has beyond the number, which is given back."""
        number = self._free_number()
        channel = OutgoingChannel(self._link, number, {"forwardLogicalChannelNumber": number, **parameters})
        self.outgoing[number] = channel
        channel.open(now)
        return number

    def adopt(self, number: int, parameters: dict[str, Value], *, ours: bool) -> None:
        """Take a channel as open that fast connect opened (H.323 8.1.7)."""
        direction = self.outgoing if ours else self.incoming
        if number in direction or len(direction) >= MAX_CHANNELS or not 1 <= number <= _NUMBERS:
            raise LocalProtocolError(f"logical channel {number} can't be adopted")
        if ours:
            channel = OutgoingChannel(self._link, number, parameters)
            channel.adopt()
            self.outgoing[number] = channel
        else:
            self.incoming[number] = IncomingChannel(self._link, number)
            self.incoming[number].adopt(parameters)

    def accept(self, number: int, ack: dict[str, Value], now: float) -> None:
        """Accept a channel of theirs."""
        channel = self.incoming.get(number)
        if channel is not None:
            channel.accept(ack, now)

    def reject(self, number: int, cause: str, now: float) -> None:
        """Refuse a channel of theirs that is not open yet."""
        channel = self.incoming.get(number)
        if channel is not None and channel.state is State.AWAITING_ESTABLISHMENT:
            channel.reject(cause, now)
            self._forget_released()

    def close(self, number: int, now: float) -> None:
        """Close a channel of ours."""
        channel = self.outgoing.get(number)
        if channel is not None:
            channel.close(now)

    def request_close(self, number: int, now: float) -> None:
        """Ask for the end of a channel of theirs."""
        channel = self.incoming.get(number)
        if channel is not None and channel.state is State.ESTABLISHED:
            self._our_closes.setdefault(number, OutgoingClose(self._link, number)).request(now)

    # From the far end

    def open_received(self, message: dict[str, Value], now: float) -> None:
        """Take an OpenLogicalChannel."""
        number = message["forwardLogicalChannelNumber"]
        channel = self.incoming.get(number)
        cause = _refusal(message)
        if channel is None and len(self.incoming) >= MAX_CHANNELS:
            cause = "dataTypeNotAvailable"
        if cause is not None:
            self._link.respond(
                "openLogicalChannelReject", {"forwardLogicalChannelNumber": number, "cause": (cause, None)}
            )
            return
        if channel is None:
            channel = self.incoming[number] = IncomingChannel(self._link, number)
        channel.open_received(message, now)

    def answer_received(self, what: OutgoingInput, message: Value, now: float) -> None:
        """Take an OpenLogicalChannelAck or -Reject, or a CloseLogicalChannelAck."""
        channel = self.outgoing.get(message["forwardLogicalChannelNumber"])
        if channel is None:
            self._link.ignored[f"{what.value} of no channel"] += 1
            return
        channel.answer_received(what, message, now)
        self._forget_released()

    def close_received(self, message: Value, now: float) -> None:
        """Take a CloseLogicalChannel; also of a channel that we don't know it is acknowledged (C.4.4: released)."""
        number = message["forwardLogicalChannelNumber"]
        channel = self.incoming.get(number) or IncomingChannel(self._link, number)
        channel.close_received(now)
        self._forget_released()

    def request_close_received(self, message: Value, now: float) -> None:
        """Take a RequestChannelClose, which is answered at once: nothing of it needs to be remembered."""
        number = message["forwardLogicalChannelNumber"]
        IncomingClose(self._link, number).request_received(message, now, is_open=number in self.outgoing)

    def request_close_answered(self, message: Value, now: float, *, ack: bool) -> None:
        """Take a RequestChannelCloseAck or -Reject."""
        close = self._our_closes.get(message["forwardLogicalChannelNumber"])
        if close is None:
            self._link.ignored["answer to no RequestChannelClose"] += 1
        elif ack:
            close.ack_received(now)
        else:
            close.reject_received(now)

    # Time

    def deadlines(self) -> Iterator[float]:
        """When which timer expires."""
        for procedure in self._timed():
            if procedure.deadline is not None:
                yield procedure.deadline

    def hasten(self, now: float) -> None:
        """Give all timers their proper length, from now on."""
        for procedure in self._timed():
            procedure.hasten(now)

    def handle_timer(self, now: float) -> None:
        """Let expire what is due."""
        for procedure in self._timed():
            procedure.handle_timer(now)
        self._forget_released()

    def stop(self) -> None:
        """Forget all channels: the session is over."""
        self.outgoing.clear()
        self.incoming.clear()
        self._our_closes.clear()

    def _timed(self) -> tuple[Procedure[Any, Any, Any], ...]:
        return (*self.outgoing.values(), *self._our_closes.values())

    def _free_number(self) -> int:
        if len(self.outgoing) >= MAX_CHANNELS:
            raise LocalProtocolError(f"{MAX_CHANNELS} logical channels are open or under way")
        while True:
            self._last_number = self._last_number % _NUMBERS + 1
            if self._last_number not in self.outgoing:
                return self._last_number

    def _forget_released(self) -> None:
        for number in [number for number, channel in self.outgoing.items() if channel.state is State.RELEASED]:
            del self.outgoing[number]
        for number in [number for number, channel in self.incoming.items() if channel.state is State.RELEASED]:
            del self.incoming[number]
            self._our_closes.pop(number, None)


def _refusal(message: dict[str, Value]) -> str | None:
    """Give the cause to refuse a channel without asking anybody; None: it is worth asking."""
    forward = message["forwardLogicalChannelParameters"]
    data_type = forward["dataType"][0]
    if data_type.startswith("+"):
        return "unknownDataType"
    if data_type == "nullData":
        return "dataTypeNotSupported"
    if "reverseLogicalChannelParameters" in message:
        return "dataTypeNotSupported" if data_type == "data" else "unsuitableReverseParameters"
    if forward["multiplexParameters"][0] != "h2250LogicalChannelParameters":
        return "unspecified"
    return None
