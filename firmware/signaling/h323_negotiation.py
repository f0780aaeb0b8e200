"""What both ends of an H.323 call agree on by H.245, and by fast connect: capabilities, channels, hold.

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
from firmware.errors import CallError, LocalProtocolError
from firmware.h323.control import events as control
from firmware.signaling import causes
from firmware.signaling import h323_fast_connect as fast_connect
from firmware.signaling.h323_channels import Done, LogicalChannels
from firmware.signaling.leg import BaseLeg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firmware.asn1 import Value
    from firmware.call.media import Channel
    from firmware.h323.session import Session
    from firmware.sansio import Flow
    from firmware.signaling.endpoint import Transport
    from firmware.signaling.h323_media import H323Media

logger = logging.getLogger(__name__)


class H323Negotiation(BaseLeg["Session", "H323Media"]):
    """The part of a leg that agrees on media."""

    def __init__(
        self, transport: Transport, make_media: Callable[[Flow], H323Media], on_gone: Callable[[], None]
    ) -> None:
        super().__init__(transport, make_media, on_gone)
        self._proposals: tuple[Value, ...] = ()
        """The caller's, for fast connect, until they are answered."""
        self._fast = False
        """Fast connect opened channels."""
        self._chosen: tuple[Value, ...] = ()
        """The far end's choice of our proposals."""
        self._answered = False
        self._determined = False
        self._capabilities_known = False
        self._held_in_words = False
        """The far end said that we are on hold."""
        self._muted = False
        self._silent: set[int] = set()
        """Our channels of sound that the far end knows to be of no use now."""

    def fail(self, reason: EndReason, detail: str) -> None:
        """End what has no session yet, or has one that can't go on."""
        self.call.released(reason, detail)
        if self._session is None:
            self._finish()
        else:
            self._command(self._session.release, causes.H323_CAUSES[reason], self._transport.now())

    # Commands of a Leg, see `firmware.call.endpoint`

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

    def _hold_in_words(self, *, on: bool) -> None:
        """Take that the far end says that we are on hold, or no more (H.450.4)."""
        self._held_in_words = on
        self._changed()

    def _limit(self, bitrate: int) -> None:
        """Keep to what the gatekeeper allows, bit/s."""
        self._channels.limit(bitrate)
        self._changed()
        self._go_on()

    # What they share

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
