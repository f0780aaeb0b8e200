"""The H.245 control function of one call: when it begins, which way it goes, what of it is reported (H.323 8.2).

Rule 1: it begins when the call is answered, or as soon as the far end begins it, once we know what we can.
Rule 2: a call that fast connect set up lives without it; another one ends with it.
Rule 3: a far end that answers, and then says nothing of what it can, or opens nothing and takes nothing, is waited for
so long and no longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.h323 import h245
from firmware.h323.call_message import facility
from firmware.h323.cause import Cause
from firmware.h323.control import events as control_events
from firmware.h323.control.control import Control
from firmware.h323.control_channel import ControlChannel
from firmware.h323.events import Control as ControlReport
from firmware.h323.q931 import MessageType

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.session import Session

LOST_TIME: Final = 3.0
"""Seconds in which a ReleaseComplete may follow the end of the H.245 connection."""
SETTLE_TIME: Final = 40.0
"""Seconds from Connect until both know of each other, and from then on until a channel is open; a little longer than
the procedures of H.245 repeat themselves and wait, which then know better what was missing."""


_NO_CHANNEL: Final = "neither end opened a channel"


class ControlFunction:
    """H.245 of a session, by whatever way it travels."""

    def __init__(self, session: Session, *, tunnelling: bool) -> None:
        layers = session.layers
        self.control: Final = Control(layers.rng, terminal_type=layers.identity.terminal_type)
        self.channel: Final = ControlChannel(
            layers, self, session.stream, tunnelling=tunnelling, shared=session.tunnel is not None
        )
        self.capabilities: dict[str, Value] | None = None
        """What we can, once that is known."""
        self._session = session
        self._begun = False
        self._heard = False
        self._sent_in_setup: tuple[bytes, ...] = ()
        self._missing = ""
        """What a call that is answered still waits for, in words."""
        self._deadline: float | None = None

    # Beginning

    def begin_in_setup(self, now: float) -> list[bytes]:
        """Begin before anybody has answered; give what the Setup is to carry."""
        self._start(now)
        self._sent_in_setup = tuple(h245.MESSAGE.encode(message) for message in self.control.outgoing())
        return list(self._sent_in_setup)

    def begin(self, now: float) -> None:
        """Begin once we know what we can: by the tunnel or on a connection, which is made if need be."""
        session, channel = self._session, self.channel
        if session.ended or self.capabilities is None:
            return
        if not (channel.tunnels or channel.has_connection or channel.connect()):
            if session.fast_connect.accepted or not session.signaling.answered:
                return
            if session.outgoing and not channel.listens:
                self.ask()
        self._start(now)

    def ask(self) -> None:
        """Ask the far end to open the H.245 connection (H.323 8.2.3: Facility with startH245 and our address)."""
        address = self.channel.listen()
        if address is not None:
            self._session.send(MessageType.FACILITY, facility("startH245", h245_address=address))

    def say_again(self) -> None:
        """Say again what the Setup said, if the far end has no word for it (H.323 8.2.4)."""
        if not self._heard:
            self.channel.put_back(self._sent_in_setup)
        self._sent_in_setup = ()

    def answered(self, now: float) -> None:
        """Take that the call is answered: the far end has its part to do from now on."""
        self.control.answered(now)
        self._missing = "the far end never said what it can"
        self._deadline = now + SETTLE_TIME

    def _start(self, now: float) -> None:
        if not self._begun and self.capabilities is not None:
            self._begun = True
            self.control.start(self.capabilities, now)

    # Time

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        return min((t for t in (self._deadline, self.control.timer()) if t is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        control = self.control.timer()
        if control is not None and control <= now:
            self.control.handle_timer(now)
        self.pump(now)
        if self._deadline is not None and self._deadline <= now:
            self._session.finish(Cause.INCOMPATIBLE_DESTINATION, now, detail=f"H.245: {self._missing}")

    def _settle(self, now: float) -> None:
        """Look what a call that is answered still waits for."""
        if self._session.fast_connect.accepted or self.control.flowing:
            self._missing, self._deadline = "", None
        elif self.control.ready and self._missing != _NO_CHANNEL:
            self._missing, self._deadline = _NO_CHANNEL, now + SETTLE_TIME

    # control_channel.Call

    @property
    def routed(self) -> bool:
        """Whether a gatekeeper stands between."""
        return self._session.routed

    def control_opened(self, now: float) -> None:
        """Take that the far end made its H.245 connection."""
        self._session.expect_nothing()
        self.begin(now)
        self.pump(now)

    def control_received(self, octets: bytes, now: float) -> None:
        """Take an H.245 message, or several one behind the other, by whatever way."""
        session = self._session
        messages = [] if session.ended else self._decode(octets)
        if messages:
            self._heard = True
            session.expect_nothing()
        for message in messages:
            self.control.receive(message, now)

    def control_lost(self, now: float) -> None:
        """Make another try, or wait a little for what may follow, or go on without."""
        session = self._session
        if session.ended or session.fast_connect.accepted:
            return
        if not self._heard and not self.channel.listens:
            self.ask()
        else:
            session.expect(now + LOST_TIME, Cause.TEMPORARY_FAILURE, "H.245 connection lost")

    def _decode(self, octets: bytes) -> list[Value]:
        """Read the messages, up to one that is none."""
        try:
            return h245.MESSAGE.decode_all(octets)
        except DecodeError:
            self._session.layers.counters["malformed H.245 message"] += 1
        try:
            return [h245.MESSAGE.decode(octets)]
        except DecodeError:
            return []

    # Messages and reports

    def to_be_tunnelled(self, *, last: bool = False) -> list[bytes]:
        """Send what H.245 has to send where it has a connection; give what the next message is to carry."""
        fast = self._session.fast_connect
        outgoing = self.control.outgoing()
        if outgoing and (self._begun or self._heard):
            self.channel.send([h245.MESSAGE.encode(message) for message in outgoing])
        # H.323 8.1.7.1: H.245 could be taken for the end of fast connect, where that is not answered yet.
        held_back = fast.pending and not (fast.parallel or self._heard or last)
        return [] if held_back else self.channel.take()

    def pump(self, now: float) -> None:
        """Report what H.245 found out, and send what it has to send."""
        session = self._session
        if self._deadline is not None:
            self._settle(now)
        for event in self.control.events() if session.announced and not session.ended else ():
            if not session.ended:
                self._report(event, now)
        if not session.ended:
            control = self.to_be_tunnelled()
            if control or session.services.operations.waiting:
                # H.323 8.2.1: where no message is due that could carry them.
                session.send_with(MessageType.FACILITY, facility("transportedInformation"), control)

    def end(self, now: float) -> list[bytes]:
        """Say endSessionCommand, report what is left; give what the ReleaseComplete is to carry."""
        session = self._session
        if self._begun or self._heard:
            self.control.end(now)
        self._deadline = None
        for event in self.control.events() if session.announced else ():
            if not isinstance(event, control_events.SessionEnded | control_events.Failed):
                session.layers.events.append(ControlReport(session, event))
        return self.to_be_tunnelled(last=True)

    def _report(self, event: control_events.Event, now: float) -> None:
        session = self._session
        match event:
            case control_events.Failed() if session.fast_connect.accepted and not self._heard:
                # H.323 8.1.7.2: H.245 may follow fast connect; it need not.
                session.layers.counters["H.245 unanswered after fast connect"] += 1
            case control_events.Failed(reason=reason):
                session.finish(Cause.TEMPORARY_FAILURE, now, detail=f"H.245: {reason}")
            case control_events.SessionEnded():
                # H.323 8.5: whoever hears of the end ends call signalling as well.
                session.finish(Cause.NORMAL_CALL_CLEARING, now, by_far_end=True, detail="endSessionCommand")
            case _:
                session.layers.events.append(ControlReport(session, event))
