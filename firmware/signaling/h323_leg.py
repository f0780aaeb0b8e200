"""One H.323 call: what happens in its session becomes reports to the Call, the Call's commands become messages.

How both sides agree on media in it, `firmware.signaling.h323_negotiation` has; what is here is the rest.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from firmware.call.call import EndReason, State
from firmware.errors import CallError, FirmwareError, LocalProtocolError
from firmware.h323 import address as alias
from firmware.h323 import events, h450_event
from firmware.h323.identity import Destination
from firmware.net.resolver import is_address
from firmware.signaling import causes
from firmware.signaling import h323_fast_connect as fast_connect
from firmware.signaling.endpoint import readable_name
from firmware.signaling.h323_negotiation import H323Negotiation
from firmware.signaling.h323_transfer import H323Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.asn1 import Value
    from firmware.call.call import Call
    from firmware.h323.identity import Party
    from firmware.h323.session import Session
    from firmware.h323.terminal import Terminal
    from firmware.sansio import Address, Flow
    from firmware.signaling.endpoint import Transport
    from firmware.signaling.h323_media import H323Media
    from firmware.signaling.h323_transfer import Exchange, Target


def party_name(party: Party) -> str:
    """Give what a far end calls itself, as it may be shown, or ""."""
    return readable_name(party.display_name or alias.name(party.aliases))


class H323Leg(H323Negotiation):
    """The leg (`firmware.call.endpoint.Leg`) of an H.323 call.

    *make_media* gives the media side for a flow; *on_session* is told each session that the leg takes up,
    *on_gone* once when nothing more will happen; *exchange* makes the calls that far ends want us to make.
    """

    def __init__(
        self,
        terminal: Terminal,
        transport: Transport,
        make_media: Callable[[Flow], H323Media],
        on_session: Callable[[Session, H323Leg], None],
        on_gone: Callable[[H323Leg], None],
        exchange: Exchange,
    ) -> None:
        self._terminal = terminal
        self._exchange = exchange
        self.transfers = H323Transfer(exchange)
        self._identity: str | None = None
        """What our Setup says of the transfer that the call comes of."""
        super().__init__(transport, make_media, lambda: on_gone(self))
        self._on_session = on_session
        self._candidates: list[Address] = []
        self._way = ("tcp", "")
        """Transport, and whom the far end's certificate must be for."""
        self._destination = Destination()
        self._fast_connect = False

    @property
    def suits(self) -> bool:
        """Whether what the far end's Setup says makes a call that our settings allow."""
        session, media = self._require()
        return media.crypto.suits(session.tokens)

    # How it begins

    def take(self, session: Session, proposals: tuple[Value, ...] = ()) -> None:
        """Begin with a session that the far end made; *proposals* are those of its fast connect."""
        self._session, self._media = session, self._make_media(session.flow)
        self._proposals = proposals
        self._on_session(session, self)

    def dial(
        self,
        destination: Destination,
        candidates: list[Address],
        *,
        fast_connect: bool = False,
        secured_for: str | None = None,
    ) -> None:
        """Call the first of the addresses that can be reached; the call is released if there is none.

        *secured_for*: by TLS, with somebody whose certificate is for this domain, or "" for the address itself.
        """
        self._destination, self._candidates, self._fast_connect = destination, candidates, fast_connect
        self._way = ("tcp", "") if secured_for is None else ("tls", secured_for)
        self._try_next("there is no address to try")

    def dial_target(self, target: Target, addresses: list[Address], *, fast_connect: bool = False) -> None:
        """Call whom a far end wants us to call, at the first of these that can be reached, or by the gatekeeper there.

        There is at least one.
        """
        self._identity = target.identity
        host = target.address.host
        destination = Destination(target.aliases, addresses[0] if host else None)
        secured_for = ("" if is_address(host) else host) if target.address.secure else None
        self.dial(destination, addresses, fast_connect=fast_connect, secured_for=secured_for)

    @property
    def session(self) -> Session | None:
        """The call's session, once there is one."""
        return self._session

    # The commands of a Leg, see `firmware.call.endpoint`

    def alert(self, *, waiting: bool = False) -> None:
        """Send Alerting, with callWaiting (H.450.6) where another call is there."""
        if self._session is not None:
            self._command(partial(self._session.alert, waiting=waiting), self._transport.now())

    def accept(self) -> None:
        """Send Connect; channels follow."""
        session, media = self._require()
        if not media.can_receive:
            self.fail(EndReason.NO_COMMON_MEDIA, "this unit has no codec that H.323 knows")
            return
        tokens = media.crypto.answer(session.tokens)
        self._answered = True
        chosen = self._choose(session, media)
        accept = partial(session.accept, fast_start=chosen, tokens=tokens)
        self._command(accept, media.capability_set(), self._transport.now())
        self._go_on()

    def release(self, reason: EndReason) -> None:
        """Send ReleaseComplete, after the end of the H.245 session where there is one."""
        if self._session is None:
            self.call.released(reason)
            self._finish()
        else:
            if reason is EndReason.TRANSFERRED:
                self.transfers.done(self._session)
            self._command(self._session.release, causes.H323_CAUSES[reason], self._transport.now())

    def transfer(self, address: str) -> None:
        """Send callTransferInitiate.  CallError: it is no address."""
        session, _ = self._require()
        self._command(self.transfers.ask, session, address, self._transport.now())

    def transfer_to(self, other: Call) -> None:
        """Send callTransferIdentify to the other far end, and once it knows, callTransferInitiate to ours."""
        session, _ = self._require()
        there = self._exchange.leg_of(other)
        if there is None or there.session is None:
            raise CallError("the far end of the other call is not reached by H.323")
        arguments = session, self.call, there.transfers, there.session, self._transport.now()
        self._command(self.transfers.ask_for, *arguments)

    def follow(self) -> Call:
        """Call whom the far end wants us to call.  CallError: it doesn't want that, or it can't be done."""
        return self.transfers.follow()

    def refuse_transfer(self, reason: EndReason) -> None:
        """Answer callTransferInitiate with an error."""
        session, _ = self._require()
        self._command(self.transfers.refuse, session, reason)

    # Events

    def handle(self, event: events.Event) -> None:
        """Take an event of our session."""
        ending = self.call.state in (State.ENDING, State.ENDED)
        match event:
            case events.Ended():
                self._ended(event)
            case _ if ending:
                pass
            case events.Alerting():
                self._learn_name()
                self.call.alerting()
            case events.Connected():
                self._learn_name()
                self._connected()
            case events.FastStart(channels=channels):
                self._fast_started(channels)
            case events.Control(event=happened):
                self._control(happened)
            case events.Bandwidth(bitrate=bitrate):
                self._limit(bitrate)
            case events.Digit(digit=digit):
                self.call.digit_received(digit)
            case _:
                self._service(event)

    def _service(self, event: events.Event) -> None:
        now = self._transport.now()
        match event:
            case h450_event.Held(on=on):
                self._hold_in_words(on=on)
            case h450_event.Waiting() if self.call.state in (State.DIALING, State.ALERTING):
                self.call.alerting(waiting=True)
            case h450_event.TransferRequested() | events.Forwarded():
                self._command(self.transfers.requested, event, self.call)
            case h450_event.TransferAnswered():
                self._command(self.transfers.answered, event, self.call, now)
            case h450_event.Identified():
                self._command(self.transfers.identified, event, now)
            case _:
                pass

    def _ended(self, event: events.Ended) -> None:
        if not event.by_far_end and self.call.state is State.DIALING and self._candidates:
            self.call.media_changed(())  # before their ports are another's
            self._drop_attempt()
            self._try_next(event.detail)
            return
        words = f"Q.850 {event.cause}" if event.cause is not None else ""
        failure = self._transport.failure(event.session.flow) if not event.by_far_end else ""
        detail = failure or " ".join(word for word in (words, event.reason, event.detail) if word)
        reason = causes.h323_end_reason(self.call.state, event.cause, event.by_far_end, event.reason)
        self.call.released(reason, detail)
        self.transfers.ended(transferred=self.call.end_reason is EndReason.TRANSFERRED)
        self._finish()

    # What they share

    def _learn_name(self) -> None:
        """Take what the far end that we called calls itself."""
        session, _ = self._require()
        self.call.remote_name = party_name(session.remote) or self.call.remote_name

    def _try_next(self, words: str) -> None:
        while self._candidates:
            address = self._candidates.pop(0)
            try:
                flow = self._transport.local_flow(self._way[0], address, self._way[1])
            except FirmwareError as error:
                words = str(error)
                continue
            media = self._media = self._make_media(flow)
            tokens = media.crypto.offer()
            try:
                self._session = self._terminal.call(
                    flow,
                    self._destination,
                    self._transport.now(),
                    capabilities=media.capability_set(),
                    fast_start=fast_connect.propose(media) if self._fast_connect else (),
                    tokens=tokens,
                    transfer=self._identity,
                )
            except (CallError, LocalProtocolError, ValueError) as error:
                self._drop_attempt()
                self.fail(EndReason.LOCAL_ERROR, str(error))
                return
            self._on_session(self._session, self)
            self._transport.run()
            return
        self.fail(EndReason.UNREACHABLE, words)
