"""One call of a terminal: call signalling, fast connect and H.245 put together (H.323 8).

::

    Terminal ── messages ──▶ Session ── states, timers ──▶ CallSignaling
             ◀── events ────    │   ── proposals ────────▶ FastConnect
                                └── H.245 ───────────────▶ ControlFunction ──▶ Control, ControlChannel

Rule: a command on an ended session does nothing; on one in another wrong state it raises LocalProtocolError, and has
done nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware.errors import LocalProtocolError
from firmware.h323 import user_information
from firmware.h323.address import encode_transport
from firmware.h323.call_message import CallMessages, called_number, status
from firmware.h323.call_signaling import CallSignaling
from firmware.h323.cause import Cause
from firmware.h323.control_function import ControlFunction
from firmware.h323.events import Ended
from firmware.h323.fast_connect import FastConnect
from firmware.h323.h450_services import SupplementaryServices
from firmware.h323.identity import Party
from firmware.h323.q931 import MessageType
from firmware.h323.reception import receive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firmware.asn1 import Value
    from firmware.h323.call_message import Body
    from firmware.h323.events import Incoming
    from firmware.h323.h460_tunnel import Tunnel
    from firmware.h323.identity import Destination
    from firmware.h323.layers import Layers
    from firmware.h323.q931 import Element
    from firmware.h323.streams import Stream
    from firmware.sansio import Address, Flow

CONNECT_TIME: Final = 12.0
"""Seconds for the connection to the far end to be made; the driver has its own time-out."""
CLEAR_TIME: Final = 2.0
"""Seconds that the far end has to take our ReleaseComplete and close the connection."""


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
        tunnel: Tunnel | None = None,
    ) -> None:
        self.outgoing: Final = outgoing
        self.call_identifier: Final = call_identifier
        self.call_reference: Final = call_reference
        self.conference_id = conference_id
        """16 octets; the called side may put the call into another conference than we asked for."""
        self.remote = Party()
        self.tunnel: Final = tunnel
        """The connection to a gatekeeper by which it goes, with others (H.460.17); None: it has its own."""
        self.routed = tunnel is not None
        """Whether a gatekeeper stands between."""
        self.tokens: tuple[Value, ...] = ()
        """ClearTokens (H.235.0) of the far end's Setup, or of its answer to ours."""
        self.ended = False
        self._final: Ended | None = None
        """What is reported once the connection is closed."""
        self.signaling: Final = CallSignaling()
        self.fast_connect: Final = FastConnect()
        self.stream: Final = stream
        self.layers: Final = layers
        self.h245: Final = ControlFunction(self, tunnelling=tunnelling)
        self.control: Final = self.h245.control
        """H.245 of this call: its commands are for the application."""
        self.channel: Final = self.h245.channel
        self.services: Final = SupplementaryServices(self)
        """Hold, transfer and waiting by service: its commands are for the application."""
        self._messages = CallMessages(
            layers.identity, call_reference, call_identifier, outgoing=outgoing, shared=tunnel is not None
        )
        if tunnel is not None:
            tunnel.calls.append(self)
        self.announced = outgoing
        """Whether the application knows of this call."""
        self._setup: tuple[Body, dict[Element, bytes], list[bytes], list[bytes]] = ({}, {}, [], [])
        self._setup_octets = b""
        self._alternatives: tuple[Address, ...] = ()
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

    def alert(self, now: float, *, fast_start: Sequence[Value] = (), waiting: bool = False) -> None:
        """Tell the caller that it rings here; *fast_start* answers its proposals already, for early media.

        *waiting* says that there is another call, behind which this one waits (H.450.6).
        LocalProtocolError: it is not an incoming call that waits for this.
        """
        if self.ended:
            return
        body = {**self._messages.answer(), **self._chosen(fast_start)}
        self._advance(MessageType.ALERTING, now)
        if fast_start:
            self.fast_connect.answer(accepted=True)
        self.services.alerting(waiting=waiting)
        self.send(MessageType.ALERTING, body)
        self.h245.pump(now)

    def accept(
        self,
        capabilities: dict[str, Value],
        now: float,
        *,
        fast_start: Sequence[Value] = (),
        tokens: Sequence[Value] = (),
    ) -> None:
        """Answer the call.  H.245 begins with *capabilities*, a TerminalCapabilitySet as `Control.start` takes it.

        *fast_start* are those of the caller's proposals that we choose, at most one for each session and direction,
        with our addresses; none refuses them, unless ``alert`` chose already.  *tokens* are ClearTokens that answer the
        Setup's.  LocalProtocolError: it is not an incoming call that waits for this.
        """
        if self.ended:
            return
        body = {**self._messages.answer(), "conferenceID": self.conference_id, **self._chosen(fast_start)}
        if tokens:
            body["tokens"] = list(tokens)
        self._advance(MessageType.CONNECT, now)
        if self.fast_connect.pending:
            self.fast_connect.answer(accepted=bool(fast_start))
            body |= {} if fast_start else {"fastConnectRefused": None}
        channel = self.channel
        if not (channel.tunnels or channel.has_connection or channel.far_address):
            address = channel.listen()
            if address is not None:
                body["h245Address"] = encode_transport(address)
        self.h245.capabilities = capabilities
        if not fast_start:
            self.h245.begin(now)
        self.services.transfer.answering()
        # H.323 8.1.7.1: H.245 beside the answer to fast connect could be taken for its refusal.
        self.send(MessageType.CONNECT, body, alone=bool(fast_start))
        self.h245.answered(now)
        self.h245.begin(now)
        self.h245.pump(now)

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
        tokens: Sequence[Value] = (),
        h245_in_setup: bool = False,
        overlap: bool = False,
        transfer: str | None = None,
    ) -> None:
        """Make the Setup; `connect` is next.  ValueError: an alias or a channel can't be written."""
        self.h245.capabilities = capabilities
        body, elements = self._messages.setup(self.flow, destination, self.conference_id)
        body["canOverlapSend"] = overlap
        if tokens:
            body["tokens"] = list(tokens)
        control: list[bytes] = []
        if h245_in_setup and self.channel.offers_tunnelling:
            control = self.h245.begin_in_setup(now)
        elif h245_in_setup and (address := self.channel.listen()) is not None:
            body["h245Address"] = encode_transport(address)
        if fast_start:
            body["fastStart"] = user_information.encode_channels(fast_start)
            self.fast_connect.propose(parallel=bool(control))
            if control:
                # H.323 8.2.4: beside fast connect H.245 stands where old terminals do not see it.
                body["parallelH245Control"], control = control, []
        services = [] if transfer is None else [self.services.transfer.setup(transfer)]
        self._setup = (body, elements, control, services)
        self._setup_octets = self._encode_message(MessageType.SETUP, *self._setup)

    def connect(
        self, now: float, *, addresses: Sequence[Address] = (), body: Body | None = None, domain: str | None = None
    ) -> None:
        """Open the connection, on which the Setup goes out; a gatekeeper may say where to, and what to say there.

        By a tunnel it goes out at once.  Of several addresses the next is tried where one can't be reached.
        With a *domain*, or "" for the address itself, it goes by TLS to who has a certificate for that (H.460.22).
        LocalProtocolError: there are too many connections.  ValueError: *body* can't be written.
        """
        if addresses:
            if self.tunnel is None:
                self.stream.flow = replace(self.stream.flow, remote=addresses[0])
            if self.tunnel is None and domain is not None:
                self.stream.flow = replace(self.stream.flow, transport="tls", domain=domain)
                # What was prepared in the clear: the address of a connection that would be so, too.
                self._setup[0].pop("h245Address", None)
            setup, more = self._setup[0], dict(body or {})
            if "tokens" in more:
                more["tokens"] = [*more["tokens"], *setup.get("tokens", ())]
            setup.update({**more, "destCallSignalAddress": encode_transport(addresses[0])})
            self._setup_octets = self._encode_message(MessageType.SETUP, *self._setup)
        if self.tunnel is not None:
            self.stream_opened(now)
            return
        self._alternatives = tuple(addresses[1:])
        self.layers.streams.connect(self.stream)
        self.expect(now + CONNECT_TIME, Cause.NO_ROUTE_TO_DESTINATION, "not connected in time")

    def announce(self, incoming: Incoming) -> None:
        """Report the call; before that nothing else of it is reported."""
        self.announced = True
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
        self.layers.streams.send(self.stream, self._setup_octets)

    def stream_received(self, payload: bytes, now: float) -> None:
        """Take one message of call signalling."""
        receive(self, payload, now)
        self.h245.pump(now)

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
        self.send_with(message_type, body, [] if alone else self.h245.to_be_tunnelled(), elements)

    def send_with(
        self,
        message_type: MessageType,
        body: Body,
        control: Sequence[bytes],
        elements: Mapping[Element, bytes] | None = None,
    ) -> None:
        """Send a message, and with it these H.245 messages."""
        services = self.services.operations.take()
        octets = self._encode_message(message_type, body, elements or {}, control, services)
        self.layers.streams.send(self.stream, octets)

    def send_status(self, cause: Cause) -> None:
        """Say in which state we are."""
        self.send(MessageType.STATUS, {}, elements=status(cause, self.signaling.state))

    def expect(self, deadline: float, cause: Cause, words: str) -> None:
        """End the call at this time, unless something else comes before."""
        self._deadline, self._deadline_cause, self._deadline_words = deadline, cause, words

    def expect_nothing(self) -> None:
        """Take that it has come."""
        self._deadline = None

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
        control = self.h245.end(now)
        said = not silent and self.signaling.state != 0
        if said:
            self.services.transfer.ending(cause)
            body, elements = self._messages.release_complete(cause or Cause.NORMAL_CALL_CLEARING)
            self.send_with(MessageType.RELEASE_COMPLETE, body, control, elements)
        self.ended = True
        self.signaling.released()
        self.channel.close()
        self.layers.gate.ended(self, cause, now)
        self._final = Ended(self, cause, reason, by_far_end, detail)
        # A connection for several calls is nobody's to close; then this is over at once.
        self._deadline = now + (CLEAR_TIME if self.tunnel is None else 0.0)
        if not (said and wait):
            self.leave()

    # The terminal's clock

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        if self.ended:
            return self._deadline
        times = (self._deadline, self.signaling.deadline, self.h245.timer(), self.services.timer())
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
            self.services.handle_timer(now)
            self.h245.handle_timer(now)

    def leave(self) -> None:
        """Let go of the connection, and report the end."""
        if self._final is not None:
            if self.tunnel is None:
                self.layers.streams.close(self.stream)
            else:
                self.tunnel.calls.remove(self)
            self.layers.sessions.remove(self)
            if self.announced:
                self.layers.events.append(self._final)
            self._final = None

    # Inside

    def _advance(self, message_type: MessageType, now: float) -> None:
        if not self.signaling.sent(message_type, now):
            raise LocalProtocolError(f"{message_type.name} makes no sense in state {self.signaling.state.name}")

    def _chosen(self, channels: Sequence[Value]) -> Body:
        """Give the component that answers the caller's proposals."""
        if channels and not self.fast_connect.pending:
            raise LocalProtocolError("there are no proposals to answer")
        return {"fastStart": user_information.encode_channels(channels)} if channels else {}

    def _encode_message(
        self,
        message_type: MessageType,
        body: Body,
        elements: Mapping[Element, bytes],
        control: Sequence[bytes],
        services: Sequence[bytes],
    ) -> bytes:
        return self._messages.encode(
            message_type,
            body,
            elements=elements,
            tunnelling=self.channel.offers_tunnelling,
            control=control,
            services=services,
        )
