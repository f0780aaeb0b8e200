"""One call of a terminal: call signalling, fast connect and H.245 put together (H.323 8).

::

    Terminal ── messages ──▶ Session ── states, timers ──▶ CallSignaling
             ◀── events ────    │   ── proposals ────────▶ FastConnect
                                │   ── H.245 messages ───▶ ControlChannel ──▶ tunnel or connection
                                └── what they mean ──────▶ control.Control

Rule 1: a command on an ended session does nothing; on one in another wrong state it raises LocalProtocolError.
Rule 2: H.245 begins when the call is answered, or as soon as the far end begins it and we know what we can.
Rule 3: a call that fast connect set up lives without H.245 too; another one ends with it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError, LocalProtocolError
from firmware.h323 import h245, user_information
from firmware.h323.address import encode_transport
from firmware.h323.call_message import CallMessages, called_number, facility, status
from firmware.h323.call_signaling import CallSignaling
from firmware.h323.cause import Cause
from firmware.h323.control import events as control_events
from firmware.h323.control.control import Control
from firmware.h323.control_channel import ControlChannel
from firmware.h323.events import Control as ControlReport
from firmware.h323.events import Ended
from firmware.h323.fast_connect import FastConnect
from firmware.h323.identity import Party
from firmware.h323.q931 import MessageType
from firmware.h323.reception import receive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firmware.asn1 import Value
    from firmware.h323.call_message import Body
    from firmware.h323.events import Incoming
    from firmware.h323.identity import Destination
    from firmware.h323.layers import Layers
    from firmware.h323.q931 import Element
    from firmware.h323.streams import Stream
    from firmware.sansio import Address, Flow

CONNECT_TIME: Final = 12.0
"""Seconds for the connection to the far end to be made; the driver has its own time-out."""
CLEAR_TIME: Final = 2.0
"""Seconds that the far end has to take our ReleaseComplete and close the connection."""
LOST_TIME: Final = 3.0
"""Seconds in which a ReleaseComplete may follow the end of the H.245 connection."""


class Session:
    """One call; `Terminal.call` or an `Incoming` event gives it."""

    def __init__(
        self,
        layers: Layers,
        stream: Stream,
        call_reference: int,
        call_identifier: bytes,
        conference_id: bytes,
        *,
        outgoing: bool,
        tunnelling: bool,
    ) -> None:
        self.outgoing: Final = outgoing
        self.call_identifier: Final = call_identifier
        self.call_reference: Final = call_reference
        self.conference_id = conference_id
        """16 octets; the called side may put the call into another conference than we asked for."""
        self.remote = Party()
        self.routed = False
        """Whether a gatekeeper stands between."""
        self.ended = False
        self._final: Ended | None = None
        """What is reported once the connection is closed."""
        self.signaling: Final = CallSignaling()
        self.fast_connect: Final = FastConnect()
        self.control: Final = Control(layers.rng, terminal_type=layers.identity.terminal_type)
        """H.245 of this call: its commands are for the application."""
        self.stream: Final = stream
        self.channel: Final = ControlChannel(layers, self, stream, tunnelling=tunnelling)
        self.layers: Final = layers
        self._messages = CallMessages(layers.identity, call_reference, call_identifier, outgoing=outgoing)
        self._capabilities: dict[str, Value] | None = None
        self._announced = outgoing
        self._setup: tuple[Body, dict[Element, bytes], list[bytes]] = ({}, {}, [])
        self._sent_in_setup: tuple[bytes, ...] = ()
        self._alternatives: tuple[Address, ...] = ()
        self._begun = False
        self._heard = False
        self._deadline: float | None = None
        self._deadline_cause = Cause.NORMAL_UNSPECIFIED
        self._deadline_words = ""

    def __repr__(self) -> str:
        return f"<{'outgoing' if self.outgoing else 'incoming'} call {self.call_identifier.hex()[:8]}>"

    @property
    def flow(self) -> Flow:
        """The connection of call signalling."""
        return self.stream.flow

    # Commands

    def alert(self, now: float, *, fast_start: Sequence[Value] = ()) -> None:
        """Tell the caller that it rings here; *fast_start* answers its proposals already, for early media.

        LocalProtocolError: it is not an incoming call that waits for this.
        """
        if self.ended:
            return
        self._advance(MessageType.ALERTING, now)
        body = self._messages.answer()
        self._answer_fast_start(body, fast_start)
        self.send(MessageType.ALERTING, body)
        self.pump(now)

    def accept(self, capabilities: dict[str, Value], now: float, *, fast_start: Sequence[Value] = ()) -> None:
        """Answer the call.  H.245 begins with *capabilities*, a TerminalCapabilitySet as `Control.start` takes it.

        *fast_start* are those of the caller's proposals that we choose, at most one for each session and direction,
        with our addresses; none refuses them, unless ``alert`` chose already.  LocalProtocolError: it is not an
        incoming call that waits for this.
        """
        if self.ended:
            return
        self._advance(MessageType.CONNECT, now)
        self._capabilities = capabilities
        body = {**self._messages.answer(), "conferenceID": self.conference_id}
        self._answer_fast_start(body, fast_start)
        if self.fast_connect.pending:
            self.fast_connect.answer(accepted=False)
            body["fastConnectRefused"] = None
        channel = self.channel
        if not (channel.tunnels or channel.has_connection or channel.far_address):
            address = channel.listen()
            if address is not None:
                body["h245Address"] = encode_transport(address)
        if "fastStart" not in body:
            self.begin_control(now)
        # H.323 8.1.7.1: H.245 beside the answer to fast connect could be taken for its refusal.
        self.send(MessageType.CONNECT, body, alone="fastStart" in body)
        self.control.answered(now)
        self.begin_control(now)
        self.pump(now)

    def release(self, cause: int, now: float) -> None:
        """End the call in whatever state it is: refuse, cancel, clear.  `Ended` follows, once the far end knows."""
        self.finish(cause, now, wait=True)

    def send_digits(self, digits: str, now: float) -> None:
        """Send more of the number that we call (overlap sending, H.323 8.1.12).

        LocalProtocolError: the far end has not asked for more (SetupAcknowledge).
        """
        if not self.ended:
            self._advance(MessageType.INFORMATION, now)
            self.send(MessageType.INFORMATION, {}, elements=called_number(digits))

    # Beginning a call of ours

    def prepare(
        self,
        destination: Destination,
        now: float,
        *,
        capabilities: dict[str, Value],
        fast_start: Sequence[Value] = (),
        h245_in_setup: bool = False,
        overlap: bool = False,
    ) -> None:
        """Make the Setup; `connect` is next.  ValueError: an alias or a channel can't be written."""
        self._capabilities = capabilities
        body, elements = self._messages.setup(self.flow, destination, self.conference_id)
        body["canOverlapSend"] = overlap
        control: list[bytes] = []
        if h245_in_setup and self.channel.offers_tunnelling:
            self._start(now)
            control = [h245.MESSAGE.encode(message) for message in self.control.outgoing()]
            self._sent_in_setup = tuple(control)
        elif h245_in_setup and (address := self.channel.listen()) is not None:
            body["h245Address"] = encode_transport(address)
        if fast_start:
            body["fastStart"] = user_information.encode_channels(fast_start)
            self.fast_connect.propose(parallel=bool(control))
            if control:
                # H.323 8.2.4: beside fast connect H.245 stands where old terminals do not see it.
                body["parallelH245Control"], control = control, []
        self._setup = (body, elements, control)
        self._encode_message(MessageType.SETUP, *self._setup)

    def connect(self, now: float, *, addresses: Sequence[Address] = (), body: Body | None = None) -> None:
        """Open the connection, on which the Setup goes out; a gatekeeper may say where to, and what to say there.

        Of several addresses the next is tried where one can't be reached.  LocalProtocolError: there are too many
        connections.  ValueError: *body* can't be written.
        """
        if addresses:
            self.stream.flow = replace(self.stream.flow, remote=addresses[0])
            self._setup[0].update({**(body or {}), "destCallSignalAddress": encode_transport(addresses[0])})
            self._encode_message(MessageType.SETUP, *self._setup)
        self._alternatives = tuple(addresses[1:])
        self.layers.streams.connect(self.stream)
        self._expect(now + CONNECT_TIME, Cause.NO_ROUTE_TO_DESTINATION, "not connected in time")

    def announce(self, incoming: Incoming) -> None:
        """Report the call; before that nothing else of it is reported."""
        self._announced = True
        self.layers.events.append(incoming)

    def proceed(self, now: float) -> None:
        """Answer a Setup at once, so that the caller's T303 does not run out."""
        self._advance(MessageType.CALL_PROCEEDING, now)
        self.send(MessageType.CALL_PROCEEDING, self._messages.answer())

    # streams.Owner, for call signalling

    def stream_opened(self, now: float) -> None:
        """Send the Setup."""
        self._deadline = None
        self._advance(MessageType.SETUP, now)
        self.layers.streams.send(self.stream, self._encode_message(MessageType.SETUP, *self._setup))

    def stream_received(self, payload: bytes, now: float) -> None:
        """Take one message of call signalling."""
        receive(self, payload, now)
        self.pump(now)

    def stream_closed(self, stream: Stream, now: float) -> None:  # noqa: ARG002
        """End the call: without its connection nothing can end it in an orderly way (H.323 8.6)."""
        if self.ended:
            self.leave()
            return
        made = self.signaling.state != 0
        if not made and self._alternatives:
            with suppress(LocalProtocolError):
                self.connect(now, addresses=self._alternatives)
                return
        cause = Cause.DESTINATION_OUT_OF_ORDER if made else Cause.NO_ROUTE_TO_DESTINATION
        self.finish(cause, now, silent=True, detail="connection lost" if made else "not reachable")

    # control_channel.Call

    def control_opened(self, now: float) -> None:
        """Take that the far end made its H.245 connection."""
        self._deadline = None
        self.begin_control(now)
        self.pump(now)

    def control_received(self, octets: bytes, now: float) -> None:
        """Take an H.245 message, by whatever way."""
        if self.ended:
            return
        try:
            message = h245.MESSAGE.decode(octets)
        except DecodeError:
            self.layers.counters["malformed H.245 message"] += 1
            return
        self._heard, self._deadline = True, None
        self.control.receive(message, now)

    def control_lost(self, now: float) -> None:
        """Make another try, or wait a little for what may follow, or go on without."""
        if self.ended or self.fast_connect.accepted:
            return
        if not self._heard and not self.channel.listens:
            self.ask_for_control()
        else:
            self._expect(now + LOST_TIME, Cause.TEMPORARY_FAILURE, "H.245 connection lost")

    # What makes up a session uses the following

    def send(
        self,
        message_type: MessageType,
        body: Body,
        *,
        elements: Mapping[Element, bytes] | None = None,
        alone: bool = False,
    ) -> None:
        """Send a message, and with it, unless *alone*, the H.245 messages that wait to be tunnelled."""
        control = [] if alone else self._to_be_tunnelled()
        self.layers.streams.send(self.stream, self._encode_message(message_type, body, elements or {}, control))

    def send_status(self, cause: Cause) -> None:
        """Say in which state we are."""
        self.send(MessageType.STATUS, {}, elements=status(cause, self.signaling.state))

    def begin_control(self, now: float) -> None:
        """Begin H.245 once we know what we can: by the tunnel or on a connection, which is made if need be."""
        if self.ended or self._capabilities is None:
            return
        channel = self.channel
        if not (channel.tunnels or channel.has_connection or channel.connect()):
            if self.fast_connect.accepted or not self.signaling.answered:
                return
            if self.outgoing and not channel.listens:
                self.ask_for_control()
        self._start(now)

    def ask_for_control(self) -> None:
        """Ask the far end to open the H.245 connection (H.323 8.2.3: Facility with startH245 and our address)."""
        address = self.channel.listen()
        if address is not None:
            self.send(MessageType.FACILITY, facility("startH245", h245_address=address))

    def send_again(self) -> None:
        """Send again what H.245 said in our Setup, if the far end says no word to it (H.323 8.2.4)."""
        if not self._heard:
            self.channel.put_back(self._sent_in_setup)
        self._sent_in_setup = ()

    def finish(
        self,
        cause: int | None,
        now: float,
        *,
        by_far_end: bool = False,
        silent: bool = False,
        wait: bool = False,
        reason: str = "",
        detail: str = "",
    ) -> None:
        """End the call, with a ReleaseComplete unless *silent*, and let go of everything.

        With *wait* the far end closes the connection, if it does so in time.
        """
        if self.ended:
            return
        if self._begun or self._heard:
            self.control.end(now)
        control = self._to_be_tunnelled(last=True)
        said = not silent and self.signaling.state != 0
        if said:
            body, elements = self._messages.release_complete(cause or Cause.NORMAL_CALL_CLEARING)
            octets = self._encode_message(MessageType.RELEASE_COMPLETE, body, elements, control)
            self.layers.streams.send(self.stream, octets)
        for event in self.control.events():
            if self._announced and not isinstance(event, control_events.SessionEnded | control_events.Failed):
                self.layers.events.append(ControlReport(self, event))
        self.ended = True
        self.signaling.released()
        self.channel.close()
        self.layers.gate.ended(self, cause, now)
        self._final = Ended(self, cause, reason, by_far_end, detail)
        self._deadline = now + CLEAR_TIME
        if not (said and wait):
            self.leave()

    def pump(self, now: float) -> None:
        """Report what H.245 found out, and send what it has to send."""
        for event in self.control.events() if self._announced and not self.ended else ():
            if not self.ended:
                self._report(event, now)
        if self.ended:
            return
        control = self._to_be_tunnelled()
        if control:
            # H.323 8.2.1: where no message is due that could carry them.
            body = facility("transportedInformation")
            self.layers.streams.send(self.stream, self._encode_message(MessageType.FACILITY, body, {}, control))

    # The terminal's clock

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        if self.ended:
            return self._deadline
        times = (self._deadline, self.signaling.deadline, self.control.timer())
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        if self.ended:
            self.leave()
        elif self._deadline is not None and self._deadline <= now:
            self.finish(self._deadline_cause, now, detail=self._deadline_words)
        elif self.signaling.deadline is not None and self.signaling.deadline <= now:
            name, cause = self.signaling.timer
            self.finish(cause, now, detail=f"{name} expired")
        else:
            control = self.control.timer()
            if control is not None and control <= now:
                self.control.handle_timer(now)
            self.pump(now)

    # Inside

    def leave(self) -> None:
        """Let go of the connection, and report the end."""
        if self._final is not None:
            self.layers.streams.close(self.stream)
            self.layers.sessions.remove(self)
            if self._announced:
                self.layers.events.append(self._final)
            self._final = None

    def _advance(self, message_type: MessageType, now: float) -> None:
        if not self.signaling.sent(message_type, now):
            raise LocalProtocolError(f"{message_type.name} makes no sense in state {self.signaling.state.name}")

    def _answer_fast_start(self, body: Body, channels: Sequence[Value]) -> None:
        if not channels:
            return
        if not self.fast_connect.pending:
            raise LocalProtocolError("there are no proposals to answer")
        self.fast_connect.answer(accepted=True)
        body["fastStart"] = user_information.encode_channels(channels)

    def _start(self, now: float) -> None:
        if not self._begun and self._capabilities is not None:
            self._begun = True
            self.control.start(self._capabilities, now)

    def _to_be_tunnelled(self, *, last: bool = False) -> list[bytes]:
        """Send what H.245 has to send where it has a connection; give what the next message is to carry."""
        outgoing = self.control.outgoing()
        if self._begun or self._heard:
            self.channel.send([h245.MESSAGE.encode(message) for message in outgoing])
        # H.323 8.1.7.1: H.245 could be taken for the end of fast connect, where that is not answered yet.
        held_back = self.fast_connect.pending and not (self.fast_connect.parallel or self._heard or last)
        return [] if held_back else self.channel.take()

    def _expect(self, deadline: float, cause: Cause, words: str) -> None:
        self._deadline, self._deadline_cause, self._deadline_words = deadline, cause, words

    def _encode_message(
        self, message_type: MessageType, body: Body, elements: Mapping[Element, bytes], control: Sequence[bytes]
    ) -> bytes:
        tunnelling = self.channel.offers_tunnelling
        return self._messages.encode(message_type, body, elements=elements, tunnelling=tunnelling, control=control)

    def _report(self, event: control_events.Event, now: float) -> None:
        match event:
            case control_events.Failed() if self.fast_connect.accepted and not self._heard:
                # Rule 3: it does not speak H.245 after fast connect, as H.323 8.1.7.2 allows.
                self.layers.counters["H.245 unanswered after fast connect"] += 1
            case control_events.Failed(reason=reason):
                self.finish(Cause.TEMPORARY_FAILURE, now, detail=f"H.245: {reason}")
            case control_events.SessionEnded():
                # H.323 8.5: whoever hears of the end ends call signalling as well.
                self.finish(Cause.NORMAL_CALL_CLEARING, now, by_far_end=True, detail="endSessionCommand")
            case _:
                self.layers.events.append(ControlReport(self, event))
