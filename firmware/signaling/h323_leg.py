"""One H.323 call: what happens in its session becomes reports to the Call, the Call's commands become messages.

Rule 1: media are agreed channel by channel; the call is established once it was answered, every channel that we asked
for is open or refused, and something flows.
Rule 2: hold is an empty capability set (H.323 8.4.6), which the far end answers by closing its channels; we close ours.
We say it in words as well (H.450.4).  A far end that holds us by words alone keeps its channels, and is sent nothing.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from firmware.call.call import EndReason, State
from firmware.call.media import Direction, Kind
from firmware.errors import CallError, FirmwareError, LocalProtocolError
from firmware.h323 import address as alias
from firmware.h323 import events, h450_event
from firmware.h323.control import events as control
from firmware.h323.identity import Destination
from firmware.signaling import causes
from firmware.signaling import h323_fast_connect as fast_connect
from firmware.signaling.endpoint import readable_name
from firmware.signaling.h323_channels import Done, LogicalChannels
from firmware.signaling.h323_transfer import H323Transfer
from firmware.signaling.leg import BaseLeg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firmware.asn1 import Value
    from firmware.call.call import Call
    from firmware.call.media import Channel
    from firmware.h323.identity import Party
    from firmware.h323.session import Session
    from firmware.h323.terminal import Terminal
    from firmware.sansio import Address, Flow
    from firmware.signaling.endpoint import Transport
    from firmware.signaling.h323_media import H323Media
    from firmware.signaling.h323_transfer import Exchange, Target

logger = logging.getLogger(__name__)


def party_name(party: Party) -> str:
    """Give what a far end calls itself, as it may be shown, or ""."""
    return readable_name(party.display_name or alias.name(party.aliases))


class H323Leg(BaseLeg["Session", "H323Media"]):
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
        self._held_in_words = False
        """The far end said that we are on hold."""
        super().__init__(transport, make_media, lambda: on_gone(self))
        self._on_session = on_session
        self._candidates: list[Address] = []
        self._way = ("tcp", "")
        """Transport, and whom the far end's certificate must be for."""
        self._destination = Destination()
        self._fast_connect = False
        self._proposals: tuple[Value, ...] = ()
        """The caller's, for fast connect, until they are answered."""
        self._fast = False
        """Fast connect opened channels."""
        self._chosen: tuple[Value, ...] = ()
        """The far end's choice of our proposals."""
        self._answered = False
        self._determined = False
        self._capabilities_known = False
        self._muted = False
        self._silent: set[int] = set()
        """Our channels of sound that the far end knows to be of no use now."""

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

    def dial_target(self, target: Target, address: Address, *, fast_connect: bool = False) -> None:
        """Call whom a far end wants us to call, at this address, or where the gatekeeper there says."""
        self._identity = target.identity
        destination = Destination(target.aliases, address if target.address.host else None)
        secured_for = "" if target.address.secure else None
        self.dial(destination, [address], fast_connect=fast_connect, secured_for=secured_for)

    @property
    def session(self) -> Session | None:
        """The call's session, once there is one."""
        return self._session

    def fail(self, reason: EndReason, detail: str) -> None:
        """End what has no session yet, or has one that can't go on."""
        self.call.released(reason, detail)
        if self._session is None:
            self._finish()
        else:
            self._command(self._session.release, causes.H323_CAUSES[reason], self._transport.now())

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

    def hold(self, on: bool) -> None:
        """Say that we take nothing more, or that we take it again (H.323 8.4.6, H.450.4)."""
        session, media = self._require()
        media.held = on
        session.services.hold(on)
        self._command(session.control.send_capabilities, media.capability_set(), self._transport.now())
        self._changed()

    def send_digit(self, digit: str) -> None:
        """Send the digit as a user input indication."""
        session, _ = self._require()
        self._command(session.control.digit, digit, self._transport.now())

    def request_key_frame(self) -> None:
        """Send videoFastUpdatePicture for what we receive, unless one has just been sent."""
        session, media = self._require()
        numbers = [number for number, kind in media.receiving.items() if kind is Kind.VIDEO]
        if numbers and self._may_ask_for_key_frame():
            self._command(session.control.request_key_frame, numbers[-1], self._transport.now())

    def mute(self, on: bool) -> None:
        """Send logicalChannelInactive, or -Active, for our sound; with H.245, if that is not there yet."""
        self._muted = on
        self._indicate()

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

    # Fast connect

    def _choose(self, session: Session, media: H323Media) -> list[Value]:
        """Answer the caller's proposals."""
        try:
            chosen = fast_connect.choose(media, self._proposals)
        except CallError as error:
            logger.warning("= call %s: fast connect is refused: %s", self.call.id, error)
            return []
        self._proposals = ()
        self._adopt(session, chosen, called=True)
        return chosen

    def _fast_started(self, channels: tuple[Value, ...]) -> None:
        """Take what the far end chose of our proposals."""
        session, media = self._require()
        media.crypto.learn(session.tokens)
        self._chosen = channels
        self._take_chosen()
        self._changed()
        self._go_on()

    def _take_chosen(self) -> None:
        """Take of the far end's choice what can be used by now."""
        session, media = self._require()
        self._adopt(session, fast_connect.take(media, self._chosen), called=False)

    def _adopt(self, session: Session, channels: Sequence[Value], *, called: bool) -> None:
        """Let H.245 know of channels that fast connect opened."""
        for channel in channels:
            number, ours = channel["forwardLogicalChannelNumber"], fast_connect.is_ours(channel, called=called)
            self._command(partial(session.control.adopt, ours=ours), number, channel, self._transport.now())
        self._fast = bool(channels)

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
                self._channels.limit(bitrate)
                self._changed()
                self._go_on()
            case events.Digit(digit=digit):
                self.call.digit_received(digit)
            case _:
                self._service(event)

    def _service(self, event: events.Event) -> None:
        now = self._transport.now()
        match event:
            case h450_event.Held(on=on):
                self._held_in_words = on
                self._changed()
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

    def _control(self, event: control.Event) -> None:
        match event:
            case control.Determined(master=master):
                self._determined = True
                self._require()[1].crypto.master = master
                self._go_on()
            case control.Digit(digit=digit) if digit != "!" and not (event.in_rtp and self._hears_events):
                self.call.digit_received(digit)
            case control.KeyFrameRequested():
                self.call.key_frame_requested()
            case control.FreezeRequested():
                self.call.freeze_requested()
            case control.Failed(reason=reason):
                self.fail(EndReason.LOST, reason)
            case control.CapabilitiesReceived(capabilities=capabilities):
                self._capabilities_received(capabilities)
            case control.CapabilitiesAcknowledged():
                self._hold_taken()
            case control.CapabilitiesRefused():
                self._hold_refused()
            case _:
                self._channel(event)

    def _channel(self, event: control.Event) -> None:
        done = self._channels.take(event)
        if done is not Done.NOTHING:
            self._changed()
        if done is Done.MORE:
            self._go_on()

    def _connected(self) -> None:
        session, media = self._require()
        self._answered = True
        if media.crypto.open:
            media.crypto.finish(session.tokens)
            self._take_chosen()  # their keys could not be read before
        if media.crypto.required and not media.crypto.agreed:
            self.fail(EndReason.NOT_ENCRYPTED, "the far end gave no key that can be used")
        elif self._capabilities_known and not media.held_by_far_end and not media.selection.has_common:
            self.fail(media.selection.lack, "nothing that the far end receives can be sent from here")
        else:
            self._go_on()

    def _capabilities_received(self, capabilities: Value) -> None:
        _, media = self._require()
        was_held = media.held_by_far_end
        media.take_capabilities(capabilities)
        if was_held and not media.held_by_far_end:
            self._held_in_words = False  # whoever takes media again holds no more
        self._capabilities_known = True
        if media.held_by_far_end:
            self._channels.close(media.sending)
            self._changed()
        elif not media.selection.has_common and self.call.state is not State.ACTIVE:
            self.fail(media.selection.lack, "nothing that the far end receives can be sent from here")
        else:
            self._channels.close(media.outdated)
            self._changed()
            self._go_on()

    def _hold_taken(self) -> None:
        _, media = self._require()
        if media.held:
            self._channels.close(media.sending)
        else:
            self._go_on()

    def _hold_refused(self) -> None:
        session, media = self._require()
        refused = media.held
        media.held = not refused
        session.services.hold(media.held)
        self.call.hold_refused(refused)
        self._changed()

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

    def _go_on(self) -> None:
        """Open the channels that are wanted; report the call established once it is."""
        session, media = self._require()
        media.crypto.learn(session.tokens)
        if self._determined and self._capabilities_known:
            for wanted in media.wanted():
                try:
                    number = session.control.open_channel(
                        wanted.data_type, wanted.parameters, self._transport.now(), encryption_sync=wanted.sync
                    )
                except LocalProtocolError as error:
                    logger.debug("= call %s: %s", self.call.id, error)
                    continue
                media.opening(number, wanted)
            self._transport.run()
        self._indicate()
        up = self._answered and (self._fast or (self._determined and self._capabilities_known))
        if not up or not media.settled or self.call.state not in (State.DIALING, State.ALERTING, State.CONNECTING):
            return
        if media.hopeless:
            self.fail(media.selection.lack, "the far end takes nothing that can be sent from here")
        elif media.channels or media.held_by_far_end:
            self.call.established(media.channels)
            if media.held_by_far_end or self._held_in_words:
                self._changed()

    def _indicate(self) -> None:
        """Say of our sound that it is silence, or not any more, where that was not said (H.245 B.14)."""
        if self._session is None or self._media is None or not self._determined:
            return
        sounding = self._media.sounding
        self._silent &= sounding
        for number in sounding - self._silent if self._muted else self._silent.copy():
            control = self._session.control
            self._command(control.indicate_activity, number, not self._muted, self._transport.now())
        self._silent = sounding if self._muted else set()

    @property
    def _hears_events(self) -> bool:
        """Whether digits reach us as telephone events."""
        _, media = self._require()
        return any(c.telephone_event for c in media.channels if c.direction is Direction.RECEIVE)

    @property
    def _channels(self) -> LogicalChannels:
        session, media = self._require()
        return LogicalChannels(session, media, self._command, self._transport.now(), self.call.id)

    def _changed(self) -> None:
        _, media = self._require()
        # Who rings may let us hear something meanwhile (H.323 8.1.7: as soon as channels are open).
        if self.call.state in (State.DIALING, State.ALERTING, State.ACTIVE):
            channels: tuple[Channel, ...] = media.channels
            if self._held_in_words:
                channels = tuple(c for c in channels if c.direction is Direction.RECEIVE)
            self.call.media_changed(channels, media.held_by_far_end or self._held_in_words)
