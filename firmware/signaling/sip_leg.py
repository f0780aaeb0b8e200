"""One SIP call: what happens in its session becomes reports to the Call, the Call's commands become requests.

How both sides describe their media in it, `firmware.signaling.sip_negotiation` has; what is here is the rest.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from firmware.call.call import EndReason, State
from firmware.errors import CallError, DecodeError, FirmwareError, LocalProtocolError
from firmware.signaling import causes, sip_info
from firmware.signaling.sip_digits import SipDigits
from firmware.signaling.sip_family import other_family
from firmware.signaling.sip_media import NoCommonMediaError
from firmware.signaling.sip_negotiation import Negotiation
from firmware.signaling.sip_redirection import Redirection
from firmware.signaling.sip_transfer import SipTransfer
from firmware.sip import events
from firmware.sip.invite import State as SessionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.call.call import Call
    from firmware.sansio import Flow
    from firmware.signaling.endpoint import Transport
    from firmware.signaling.sip_location import Candidate
    from firmware.signaling.sip_media import SipMedia
    from firmware.signaling.sip_transfer import Exchange
    from firmware.sip.account import Account
    from firmware.sip.invite import InviteSession
    from firmware.sip.uri import Uri
    from firmware.sip.user_agent import UserAgent

logger = logging.getLogger(__name__)

_NOT_ACCEPTABLE: Final = (488, 606)
"""RFC 3261 21.4.26, 21.6.4: nothing of the offer is of use there."""
_EXPOSED: Final = "signalling is not encrypted, so that keys told there would be no secret"


class SipLeg(Negotiation):
    """The leg (`firmware.call.endpoint.Leg`) of a SIP call.

    *make_media* gives the media side for a flow; *on_session* is told each session that the leg takes up,
    *on_gone* once when nothing more will happen; *exchange* makes the calls that far ends want us to make.
    """

    def __init__(
        self,
        agent: UserAgent,
        transport: Transport,
        make_media: Callable[[Flow], SipMedia],
        on_session: Callable[[InviteSession, SipLeg], None],
        on_gone: Callable[[SipLeg], None],
        exchange: Exchange,
    ) -> None:
        self._agent = agent
        self._exchange = exchange
        self._transfers = SipTransfer(exchange)
        self._redirection = Redirection()
        self._digits = SipDigits(self._send_info)
        self._fields: tuple[tuple[str, str], ...] = ()
        """More header fields of our INVITE."""
        super().__init__(transport, make_media, lambda: on_gone(self))
        self._on_session = on_session
        self._offer: bytes | None = None
        """The caller's offer, until it is answered."""
        self._account: Account | None = None
        self._candidates: list[Candidate] = []
        self._delayed_offer = False
        self._offered_early = False
        """Our offer went with the ringing."""

    # How it begins

    def take(self, session: InviteSession, offer: bytes | None) -> None:
        """Begin with a session that the far end made.  Raises what SipMedia.check does for its offer."""
        media = self._make_media(session.flow)
        if not media.srtp.possible:
            raise NoCommonMediaError(_EXPOSED, EndReason.NOT_ENCRYPTED)
        if offer is not None:
            try:
                media.check(offer)
            except NoCommonMediaError:
                flow = other_family(offer, session.flow, self._transport.listeners)
                if flow is None:
                    raise
                media = self._make_media(flow)
                media.check(offer)
        self._session, self._media, self._offer = session, media, offer
        self._on_session(session, self)

    @property
    def session(self) -> InviteSession | None:
        """The call's session, once there is one."""
        return self._session

    def invite(
        self,
        target: Uri,
        candidates: list[Candidate],
        delayed_offer: bool = False,
        fields: tuple[tuple[str, str], ...] = (),
        account: Account | None = None,
    ) -> None:
        """Call *target* at the first of the addresses that can be reached; the call is released if there is none.

        An *account* says who calls.
        """
        self._account = account
        self._candidates, self._delayed_offer, self._fields = candidates, delayed_offer, fields
        self._redirection.called(target)
        self._try_next(target, "there is no address to try")

    # The commands of a Leg, see `firmware.call.endpoint`

    def alert(self, *, waiting: bool = False) -> None:
        """Send 180 Ringing."""
        if self._session is None:
            return
        session, media = self._require()
        if not session.must_offer:
            self._command(partial(session.ring, waiting=waiting), self._transport.now(), 180)
            if self._offer is not None:
                self._prepare(media, self._offer)
            return

        def ring(offer: bytes) -> None:
            self._offered_early = True
            self._command(partial(session.ring, waiting=waiting), self._transport.now(), 180, offer)

        self._describe(media, None, ring, self._refuse_for)

    def accept(self) -> None:
        """Send 200 with our answer, or with our offer where the INVITE had none."""
        session, media = self._require()

        def accept(body: bytes | None) -> None:
            self._command(session.accept, body, self._transport.now())

        def answer() -> None:
            if self._offer is None and self._offered_early:
                accept(None)
            else:
                self._describe(media, self._offer, accept, self._refuse_for)

        self._in_order(answer)

    def release(self, reason: EndReason) -> None:
        """Send what ends a session in its state: a final response, CANCEL or BYE."""
        session = self._session
        if session is None:
            self.call.released(reason)
            self._finish()
        elif session.state is SessionState.INCOMING:
            self._command(session.end, self._transport.now(), causes.SIP_STATUSES[reason])
        else:
            if reason is EndReason.TRANSFERRED and session.state is SessionState.CONFIRMED:
                self._command(self._transfers.done, session, self._transport.now())
            self._command(session.end, self._transport.now(), *causes.SIP_FAILURES.get(reason, (None,)))

    def send_digit(self, digit: str) -> None:
        """Send the digit by INFO."""
        session, _ = self._require()
        if session.state is SessionState.CONFIRMED:
            self._digits.send(digit)

    def request_key_frame(self) -> None:
        """Send INFO with a picture fast update, unless one has just been sent."""
        if self._may_ask_for_key_frame():
            self._send_info(sip_info.MEDIA_CONTROL, sip_info.PICTURE_FAST_UPDATE)

    def _send_info(self, content_type: str, body: bytes) -> None:
        session, _ = self._require()
        self._command(session.info, content_type, body, self._transport.now())

    def transfer(self, address: str) -> None:
        """Send REFER.  CallError: it is no address, or not possible now."""
        session, _ = self._require()
        self._refer(self._transfers.ask, session, address)

    def transfer_to(self, other: Call) -> None:
        """Send REFER with the other far end's address and what it knows our call by."""
        session, _ = self._require()
        there = self._exchange.leg_of(other)
        if there is None or there.session is None:
            raise CallError("the far end of the other call is not reached by SIP")
        self._refer(self._transfers.ask_for, session, there.session)

    def follow(self) -> Call:
        """Call whom the far end wants us to call.  CallError: it doesn't want that, or it can't be done."""
        return self._transfers.follow()

    def refuse_transfer(self, reason: EndReason) -> None:
        """Refuse the REFER, or tell by NOTIFY that nothing came of it."""
        session, _ = self._require()
        self._command(self._transfers.refuse, session, reason, self._transport.now())

    def _refer(self, ask: Callable[..., None], *arguments: object) -> None:
        try:
            ask(*arguments, self._transport.now())
        except LocalProtocolError as error:
            raise CallError(f"this call can't be passed on now: {error}") from None
        self._transport.run()

    # Events

    def handle(self, event: events.Event) -> None:
        """Take an event of our session."""
        if isinstance(event, events.Ended):
            self._ended(event)
        elif self.call.state not in (State.ENDING, State.ENDED):
            self._happened(event)

    def _happened(self, event: events.Event) -> None:
        match event:
            case events.Progress():
                self._progress(event)
            case events.Accepted(body=body):
                self._accepted(body)
            case events.Confirmed(body=body):
                self._confirmed(body)
            case events.EarlyAnswer(body=body):
                self._answered_early(body)
            case events.RefreshDue():
                self._offer_wanted = True
                self._negotiate()
            case events.Offered(body=body):
                self._offered(body)
            case events.Answered(body=body):
                self._answered(body)
            case events.OfferRefused(status=status, reason=reason):
                self._offer_refused(f"{status} {reason}")
            case events.Info():
                self._info(event)
            case events.InfoAnswered():
                self._digits.answered(event)
            case events.Referred() | events.ReferProgress():
                self._command(self._transfers.handle, event, self.call, self._transport.now())

    def _progress(self, event: events.Progress) -> None:
        session, media = self._require()

        def answer_early(body: bytes) -> None:
            self._command(session.answer_early, body, self._transport.now())
            self.call.media_changed(media.channels, media.held_by_far_end)

        if event.body and event.offered:
            self._describe(media, event.body, answer_early, self._fail_for)
        elif event.body and not self._delayed_offer:
            try:
                media.accept(event.body)
            except (DecodeError, NoCommonMediaError) as error:
                logger.info("= call %s: early media are of no use: %s", self.call.id, error)
            else:
                self.call.media_changed(media.channels, media.held_by_far_end)
        if self.call.state in (State.DIALING, State.ALERTING):
            self.call.alerting(waiting=event.waiting)

    def _accepted(self, body: bytes | None) -> None:
        session, media = self._require()

        def acknowledge(answer: bytes) -> None:
            self._command(session.acknowledge, answer, self._transport.now())
            self._established(media)

        if self._delayed_offer and session.state is not SessionState.CONFIRMED:
            self._describe(media, body or b"", acknowledge, self._fail_for)
            return
        try:
            if not self._delayed_offer and (body is not None or not media.channels):  # else it was agreed early
                media.accept(body or b"")
        except (DecodeError, NoCommonMediaError) as error:
            self._fail_for(error)
        else:
            self._established(media)

    def _confirmed(self, body: bytes | None) -> None:
        session, media = self._require()
        initial = self.call.state is State.CONNECTING
        if body is not None or (initial and self._offer is None and not self._offered_early):
            try:
                media.accept(body or b"")
            except (DecodeError, NoCommonMediaError) as error:
                if initial:
                    self._fail_for(error)
                    return
                logger.info("= call %s: the answer in ACK is of no use: %s", self.call.id, error)
        if initial:
            self._established(media)
        elif body is not None:
            self._changed(media)
        self._renew_offer(session)

    def _info(self, event: events.Info) -> None:
        if event.content_type == sip_info.MEDIA_CONTROL:
            if sip_info.wants_key_frame(event.body):
                self.call.key_frame_requested()
            return
        digit = sip_info.read_digit(event.content_type, event.body)
        if digit is not None:
            self.call.digit_received(digit)

    def _ended(self, event: events.Ended) -> None:
        status = event.status
        words = f"{status} {event.reason}".strip() if status is not None else event.reason
        if event.silent:
            words = self._transport.failure(event.session.flow) or words
        # RFC 3263 4.3: 503, a transport that failed and silence are what the next address is for; once it has rung
        # somewhere, another address would be another telephone.
        if (status == 503 or event.silent) and self.call.state is State.DIALING:
            if status == 408:
                # A host that hears nothing by one transport is not tried by all the others.
                host = event.session.flow.remote[0]
                self._candidates = [each for each in self._candidates if each[1][0] != host]
            if self._candidates:
                logger.info("= call %s: %s, trying the next address", self.call.id, words)
                self._drop_attempt()
                self._try_next(event.session.remote_target, words)
                return
        if status in _NOT_ACCEPTABLE and self.call.state is State.DIALING and self._offer_otherwise(event.session):
            return
        if event.by_far_end and status is not None and status < 600 and self._call_elsewhere(event):
            return
        reason = causes.sip_end_reason(self.call.state, status, event.reason) if event.by_far_end else EndReason.HUNG_UP
        if event.by_far_end and (
            (status, event.reason) == causes.SIP_FAILURES[EndReason.NOT_ENCRYPTED]
            or (status in _NOT_ACCEPTABLE and self._media is not None and self._media.srtp.required)
        ):
            reason = EndReason.NOT_ENCRYPTED
        if event.by_far_end and self._redirection.insecure and status is not None and 300 <= status < 400:
            reason, words = EndReason.NOT_ENCRYPTED, f"{words}, to where SIPS is not wanted"
        self.call.released(reason, words)
        self._finish()

    def _call_elsewhere(self, event: events.Ended) -> bool:
        """Call the next of the addresses that were named; False: it is no call any more, or there is none."""
        if self.call.state not in (State.DIALING, State.ALERTING):
            return False
        self._redirection.add(event.contacts, self._fields, event.session.flow.remote[0])
        target = self._redirection.next()
        if target is None:
            return False
        logger.info("= call %s: %s %s, calling %s", self.call.id, event.status, event.reason, target.uri)
        self.call.media_changed(())  # before their ports are another's
        self._drop_attempt()
        self._exchange.call_again(self, target)
        return True

    # What they share

    def _try_next(self, target: Uri, words: str) -> None:
        reason = EndReason.UNREACHABLE
        while self._candidates:
            candidate = self._candidates.pop(0)
            try:
                flow = self._transport.local_flow(*candidate)
            except FirmwareError as error:
                words = str(error)
                continue
            media = self._make_media(flow)
            if media.srtp.possible:
                self._invite(media, flow, target)
                return
            words, reason = _EXPOSED, EndReason.NOT_ENCRYPTED
        elsewhere = self._redirection.next()
        if elsewhere is not None:
            self._exchange.call_again(self, elsewhere)
        else:
            self.fail(reason, words)

    def _offer_otherwise(self, session: InviteSession) -> bool:
        """Call again with what is left of the ways to encrypt, where the offer was refused; False: nothing is."""
        media = self._media
        if media is None or self._delayed_offer or not media.srtp.offer_otherwise():
            return False
        logger.info("= call %s: our offer was refused; %s is offered now", self.call.id, media.srtp.profile)
        self._invite(media, session.flow, session.remote_target)
        return True

    def _invite(self, media: SipMedia, flow: Flow, target: Uri) -> None:
        self._media = media

        def invite(offer: bytes | None) -> None:
            now = self._transport.now()
            try:
                self._session = self._agent.invite(flow, target, offer, now, account=self._account, fields=self._fields)
            except LocalProtocolError as error:
                failed(error)
                return
            self._on_session(self._session, self)
            self._transport.run()

        def failed(error: FirmwareError) -> None:
            self._drop_attempt()
            self.fail(EndReason.LOCAL_ERROR, str(error))

        if self._delayed_offer:
            invite(None)
        else:
            self._describe(media, None, invite, failed)

    def _established(self, media: SipMedia) -> None:
        self.call.established(media.channels)
        if media.held_by_far_end:
            self._changed(media)
        if self.call.state is State.ACTIVE:
            self._negotiate()  # what early media have found
