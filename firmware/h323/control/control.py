"""The H.245 control of one call: every procedure, and which message goes to which.

What it sends and what it says is collected after each call of a method, as from a core of `firmware.sansio`, but in
decoded messages: how they travel is call signalling's concern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firmware.errors import LocalProtocolError
from firmware.h323.control.allowance import Allowance
from firmware.h323.control.capability_exchange import IncomingCapabilities, OutgoingCapabilities
from firmware.h323.control.channels import Channels
from firmware.h323.control.end_session import EndSession
from firmware.h323.control.link import Link
from firmware.h323.control.logical_channel import OutgoingInput
from firmware.h323.control.master_slave import MasterSlave
from firmware.h323.control.media_command import MediaCommands
from firmware.h323.control.mode_request import IncomingMode, OutgoingMode
from firmware.h323.control.refusal import SILENT_COMMANDS, not_supported, refusal
from firmware.h323.control.round_trip import RoundTripDelay
from firmware.h323.control.user_input import digits, user_input

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from random import Random

    from firmware.asn1 import Value
    from firmware.h323.control.events import Event
    from firmware.h323.control.procedure import Procedure

    Handler = Callable[[Value, float], None]
    """What takes the content of a message, and the time."""

TERMINAL: Final = 50
"""H.323 table 1: terminalType of a terminal without an MC."""


class Control:
    """The control of one call.

    ``start``, then ``receive`` each message; collect ``outgoing()`` and ``events()`` after each call of a method, and
    call ``handle_timer`` when ``timer()`` has passed.  Messages may be received before ``start``.
    """

    def __init__(self, rng: Random, *, terminal_type: int = TERMINAL) -> None:
        self._link = Link()
        self._master_slave = MasterSlave(self._link, rng, terminal_type)
        self._ours = OutgoingCapabilities(self._link)
        self._theirs = IncomingCapabilities(self._link)
        self._channels = Channels(self._link)
        self._our_mode = OutgoingMode(self._link)
        self._their_mode = IncomingMode(self._link)
        self._round_trip = RoundTripDelay(self._link)
        self._procedures: tuple[Procedure[Any, Any, Any], ...] = (
            *(self._master_slave, self._ours, self._theirs),
            *(self._our_mode, self._their_mode, self._round_trip),
        )
        self._media = MediaCommands(self._link, self._channels)
        self._end = EndSession(self._link)
        self._allowance = Allowance()
        self._handlers = self._make_handlers()

    # Results

    def outgoing(self) -> list[Value]:
        """Give the messages to send, in order, and forget them."""
        messages, self._link.messages = self._link.messages, []
        return messages

    def events(self) -> list[Event]:
        """Give what the owner should know, in order, and forget it."""
        events, self._link.events = self._link.events, []
        return events

    def timer(self) -> float | None:
        """When ``handle_timer`` is wanted, or None."""
        if self._link.closed:
            return self._end.deadline
        deadlines = [procedure.deadline for procedure in self._procedures if procedure.deadline is not None]
        deadlines += self._channels.deadlines()
        if self._round_trip.next is not None:
            deadlines.append(self._round_trip.next)
        return min(deadlines, default=None)

    @property
    def started(self) -> bool:
        """Whether ``start`` was called."""
        return self._ours.capabilities is not None

    @property
    def master(self) -> bool | None:
        """Whether we are master; None: not determined."""
        return self._master_slave.master

    @property
    def ready(self) -> bool:
        """Whether channels may be opened (H.323 8.2, 8.3): master and slave are determined, and theirs is known."""
        return self.started and self.master is not None and self._theirs.received and not self._link.closed

    @property
    def flowing(self) -> bool:
        """Whether a channel is open, or the far end wants none for now (H.323 8.4.6)."""
        return self._channels.is_any_open or (self._theirs.received and not self.capabilities)

    @property
    def ended(self) -> bool:
        """Whether nothing more will be said."""
        return self._end.ended

    @property
    def capabilities(self) -> dict[str, Value]:
        """What the far end can do, as CapabilitiesReceived says it."""
        return self._theirs.capabilities.value()

    @property
    def ignored(self) -> Counter[str]:
        """Messages of the far end that had no effect, by what they were."""
        return self._link.ignored

    @property
    def errors(self) -> Counter[str]:
        """ERROR.indications of H.245 annex C, by entity and code."""
        return self._link.errors

    # Commands

    def start(self, capabilities: dict[str, Value], now: float) -> None:
        """Send our set, and determine master and slave unless the far end has done it already.

        *capabilities*: what a TerminalCapabilitySet has beyond sequenceNumber and protocolIdentifier.
        LocalProtocolError: it was started before.
        """
        if self.started:
            raise LocalProtocolError("the control was started already")
        self._ours.transfer(capabilities, now)
        self._master_slave.start(now)

    def answered(self, now: float) -> None:
        """Take that the call is answered (Connect): from now on the far end must answer here too.

        Without it that is so from its first message on, or 180 s after ours.
        """
        if self._link.patient:
            self._link.patient = False
            for procedure in self._procedures:
                procedure.hasten(now)
            self._channels.hasten(now)

    def send_capabilities(self, capabilities: dict[str, Value], now: float) -> None:
        """Send another set; ``{}`` asks the far end to close its channels (H.323 8.4.6).

        CapabilitiesAcknowledged or CapabilitiesRefused follows.

        LocalProtocolError: not started.
        """
        if not self.started:
            raise LocalProtocolError("the control was not started")
        self._ours.transfer(capabilities, now)

    def open_channel(
        self,
        data_type: Value,
        parameters: dict[str, Value],
        now: float,
        *,
        replacement_for: int | None = None,
        encryption_sync: Value | None = None,
    ) -> int:
        """Ask to send; gives the channel's number, of which ChannelOpened or ChannelRefused will speak.

        *data_type*: a DataType; *parameters*: H2250LogicalChannelParameters; *replacement_for*: the channel of ours
        that this one is to replace; *encryption_sync*: the master's session key (H.235.6).
        LocalProtocolError: not ``ready``, or too many channels.
        """
        if not self.ready:
            raise LocalProtocolError("no channel can be opened: the control is not ready")
        forward = {"dataType": data_type, "multiplexParameters": ("h2250LogicalChannelParameters", parameters)}
        if replacement_for is not None:
            forward["replacementFor"] = replacement_for
        content: dict[str, Value] = {"forwardLogicalChannelParameters": forward}
        if encryption_sync is not None:
            content["encryptionSync"] = encryption_sync
        return self._channels.open(content, now)

    def accept_channel(
        self, number: int, parameters: dict[str, Value], now: float, *, encryption_sync: Value | None = None
    ) -> None:
        """Take what the far end wants to send.  *parameters*: H2250LogicalChannelAckParameters."""
        ack: dict[str, Value] = {
            "forwardMultiplexAckParameters": ("h2250LogicalChannelAckParameters", parameters),
        }
        if encryption_sync is not None:
            ack["encryptionSync"] = encryption_sync
        self._channels.accept(number, ack, now)

    def reject_channel(self, number: int, cause: str, now: float) -> None:
        """Refuse what the far end wants to send.  *cause*: of an OpenLogicalChannelReject."""
        self._channels.reject(number, cause, now)

    def adopt(self, number: int, parameters: dict[str, Value], _now: float, /, *, ours: bool) -> None:
        """Take a channel as open that fast connect opened; *parameters*: its OpenLogicalChannel.

        LocalProtocolError: the number is taken, or there are too many channels.
        """
        self._channels.adopt(number, parameters, ours=ours)

    def close_channel(self, number: int, now: float) -> None:
        """Stop sending on a channel of ours, or withdraw the request for it."""
        self._channels.close(number, now)

    def request_close(self, number: int, now: float) -> None:
        """Ask the far end to stop sending on a channel of its own."""
        self._channels.request_close(number, now)

    def request_key_frame(self, number: int, _now: float, /) -> None:
        """Ask for a picture that depends on no other, on a channel of theirs (videoFastUpdatePicture)."""
        self._media.request_key_frame(number)

    def limit(self, number: int | None, bitrate: int | None, _now: float, /) -> None:
        """Limit what the far end sends, in bit/s, on a channel of theirs or (None) on all; None lifts the limit."""
        self._media.limit(number, bitrate)

    def indicate_activity(self, number: int, active: bool, _now: float, /) -> None:
        """Say whether what we send on a channel of ours is of use: not so while it is muted."""
        self._media.indicate_activity(number, active=active)

    def give_key(self, number: int, sync: Value, _now: float, /, *, ours: bool) -> None:
        """Give another session key for a channel, as an EncryptionSync (H.235.6); for the master only."""
        self._media.give_key(number, sync, ours=ours, master=self.master is True)

    def acknowledge_key(self, number: int, flag: int, _now: float, /, *, ours: bool) -> None:
        """Say that the key of this synchFlag is in use; for the slave only."""
        self._media.acknowledge_key(number, flag, ours=ours, master=self.master is True)

    def digit(self, digit: str, _now: float, /, *, duration: float | None = None) -> None:
        """Press a key, for so many seconds where that is known.  LocalProtocolError: there is no such key."""
        as_signal = self._theirs.capabilities.takes_user_input("dtmf")
        self._link.indicate("userInput", user_input(digit, duration, as_signal=as_signal))

    def request_mode(self, modes: list[Value], now: float) -> None:
        """Ask the far end to send one of these ModeDescriptions, the dearest first; ModeAnswered follows."""
        self._our_mode.request(modes, now)

    def end(self, now: float) -> None:
        """End the session; SessionEnded follows, at the latest after `end_session.TIMEOUT`."""
        self._end.end(now)
        self._channels.stop()

    # From the far end

    def receive(self, message: Value, now: float) -> None:
        """Take a MultimediaSystemControlMessage; never raises for what it is."""
        kind, content = message
        if kind == "command" and content[0] == "endSessionCommand":
            self._end.received()
            self._channels.stop()
        elif self._link.closed:
            pass  # H.323 8.5: after our endSessionCommand only the far end's counts.
        elif not self._allowance.take(now):
            self._link.fail("the far end sends too many messages")
        else:
            self.answered(now)
            self._round_trip.heard()
            self._dispatch(kind, content, now)
            if self.ready:
                self._round_trip.start(now)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._end.handle_timer(now)
        if not self._link.closed:
            for procedure in self._procedures:
                procedure.handle_timer(now)
            self._channels.handle_timer(now)

    def _dispatch(self, kind: str, content: Value, now: float) -> None:
        if kind.startswith("+"):
            self._link.ignored["message of an unknown kind"] += 1
            return
        name, body = content
        handler = self._handlers.get(name)
        if handler is not None:
            handler(body, now)
            return
        self._link.ignored[f"{kind} {name}"] += 1
        if kind == "request" and name != "nonStandard":
            answer = refusal(name, body)
            if answer is not None:
                self._link.respond(*answer)
            else:
                self._link.indicate("functionNotSupported", not_supported((kind, content)))
        elif kind == "command" and name not in SILENT_COMMANDS:
            self._link.indicate("functionNotSupported", not_supported((kind, content)))

    def _make_handlers(self) -> dict[str, Handler]:
        # No name stands for two things, so what kind of message it is need not be told apart.
        channels, ours, theirs = self._channels, self._ours, self._theirs
        answered, close_answered = channels.answer_received, channels.request_close_answered
        return {
            "masterSlaveDetermination": self._master_slave.determination_received,
            "masterSlaveDeterminationAck": self._master_slave.ack_received,
            "masterSlaveDeterminationReject": lambda _, now: self._master_slave.reject_received(now),
            "masterSlaveDeterminationRelease": lambda _, now: self._master_slave.release_received(now),
            "terminalCapabilitySet": self._set_received,
            "terminalCapabilitySetRelease": lambda _, now: theirs.release_received(now),
            "terminalCapabilitySetAck": ours.ack_received,
            "terminalCapabilitySetReject": ours.reject_received,
            "sendTerminalCapabilitySet": lambda _, now: ours.repeat(now),
            "openLogicalChannel": channels.open_received,
            "openLogicalChannelAck": lambda body, now: answered(OutgoingInput.ACK, body, now),
            "openLogicalChannelReject": lambda body, now: answered(OutgoingInput.REJECT, body, now),
            "closeLogicalChannel": channels.close_received,
            "closeLogicalChannelAck": lambda body, now: answered(OutgoingInput.CLOSE_ACK, body, now),
            "requestChannelClose": channels.request_close_received,
            "requestChannelCloseAck": lambda body, now: close_answered(body, now, ack=True),
            "requestChannelCloseReject": lambda body, now: close_answered(body, now, ack=False),
            "requestMode": lambda body, now: self._their_mode.request_received(body, ours.capabilities or {}, now),
            "requestModeRelease": lambda _, now: self._their_mode.release_received(now),
            "requestModeAck": self._our_mode.ack_received,
            "requestModeReject": self._our_mode.reject_received,
            "roundTripDelayRequest": lambda body, _: self._round_trip.request_received(body),
            "roundTripDelayResponse": self._round_trip.response_received,
            "flowControlCommand": lambda body, _: self._media.flow_control_received(body),
            "miscellaneousCommand": lambda body, _: self._media.command_received(body, master=self.master),
            "miscellaneousIndication": lambda body, _: self._media.indication_received(body),
            "userInput": lambda body, _: self._user_input_received(body),
        }

    def _set_received(self, body: Value, now: float) -> None:
        paused = self._theirs.received and not self.capabilities
        self._theirs.set_received(body, now)
        if paused and self.capabilities and self.started:
            # H.323 8.4.6: who may send again begins H.245 anew; it may be somebody else now who is to be sent to.
            self._ours.repeat(now)
            self._master_slave.restart(now)

    def _user_input_received(self, body: Value) -> None:
        for digit in digits(body):
            self._link.report(digit)
