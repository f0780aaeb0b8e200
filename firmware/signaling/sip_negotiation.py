"""How both sides of a SIP call describe their media: offers and answers of the call's session.

Rule 1: bodies are answered at once, so that an offer never waits while another event is handled; where it has to be
found out first how we can be reached (ICE), they are answered in the order in which they came.
Rule 2: of our own offers (hold, resume) one is under way at a time; what is wanted meanwhile is offered after it.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from firmware.call.call import EndReason, State
from firmware.errors import CallError, DecodeError, FirmwareError
from firmware.signaling import causes
from firmware.signaling.leg import BaseLeg
from firmware.signaling.sip_media import NoCommonMediaError
from firmware.sip.invite import State as SessionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.call.ice import Selected
    from firmware.call.media import Kind
    from firmware.sansio import Address, Flow
    from firmware.signaling.endpoint import Transport
    from firmware.signaling.sip_media import SipMedia
    from firmware.sip.invite import InviteSession

logger = logging.getLogger(__name__)


class Negotiation(BaseLeg["InviteSession", "SipMedia"]):
    """The part of a leg that describes media."""

    def __init__(
        self, transport: Transport, make_media: Callable[[Flow], SipMedia], on_gone: Callable[[], None]
    ) -> None:
        super().__init__(transport, make_media, on_gone)
        self._offer_wanted = False
        self._offer_out = False
        self._held = False
        """Hold as it was last agreed."""
        self._steps: deque[Callable[[], bool]] = deque()
        """What waits until it is known how we can be reached."""

    def hold(self, on: bool) -> None:
        """Offer that we take nothing more, or that we take it again (RFC 3264 8.4)."""
        _, media = self._require()
        media.held = on
        self._offer_wanted = True
        self._negotiate()

    def fail(self, reason: EndReason, detail: str) -> None:
        """End what has no session yet, or has one that can't go on."""
        self.call.released(reason, detail)
        if self._session is None:
            self._finish()
        else:
            self._command(self._session.end, self._transport.now(), *causes.SIP_FAILURES.get(reason, (None,)))

    def way_found(self, local: Address, selected: tuple[Selected, ...]) -> None:
        """Offer the way where the far end has to know it (RFC 8839 4.3.4), once no other offer is under way."""
        media = self._media
        if media is not None and media.way_found(local, selected):
            logger.debug("= call %s: the way that was found is offered", self.call.id)
            self._offer_wanted = True
            self._negotiate()

    def find_way_again(self) -> None:
        """Restart ICE (RFC 8445 9), from where we are by now."""
        session, media = self._require()
        if session.state is not SessionState.CONFIRMED:
            return
        try:
            flow = self._flow_now(session)
            if not media.restart(flow.local[0]):
                self._offer_restart_again(media)
                return
        except FirmwareError as error:  # no route yet: the media will ask again
            logger.info("= call %s: there is no other way yet: %s", self.call.id, error)
            return
        if flow.local[0] != session.flow.local[0]:
            self._command(session.move, flow)
        logger.info("= call %s: another way is looked for, from %s", self.call.id, flow.local[0])

        def gathered() -> bool:
            if self._media is media and not media.prepare(None, self._go_on):
                return False
            if self._media is media and media.restarting:  # else the far end's own offer has come first
                self._offer_wanted = True
                self._negotiate()
            return True

        self._steps.append(gathered)
        self._go_on()

    def _offer_restart_again(self, media: SipMedia) -> None:
        """Offer what was found for a restart once more, where its offer came to nothing (by a dead connection, say)."""
        if media.restarting and not self._offer_out and not self._steps:
            self._offer_wanted = True
            self._negotiate()

    def network_changed(self) -> None:
        """Restart ICE at once, where our address is another: the far end can't know."""
        session = self._session
        if session is None or session.state is not SessionState.CONFIRMED or self._media is None:
            return
        try:
            moved = self._flow_now(session).local[0] != session.flow.local[0]
        except FirmwareError as error:
            logger.debug("= call %s: %s", self.call.id, error)
            return
        if moved:
            self.find_way_again()

    def _flow_now(self, session: InviteSession) -> Flow:
        """Give the flow by which the far end is called now; our own address may have changed.

        FirmwareError: there is no way to it.
        """
        flow = session.flow
        local = self._transport.local_flow(flow.transport, flow.remote, flow.domain).local
        return replace(flow, local=local) if local[0] != flow.local[0] else flow

    def go_on_without(self, kind: Kind) -> None:
        """Offer to end a medium that finds no way, where that is for us to do (RFC 8839 4.3.4)."""
        media = self._media
        if media is not None and media.drop(kind):
            self._offer_wanted = True
            self._negotiate()

    # Descriptions

    def _describe(
        self,
        media: SipMedia,
        offer: bytes | None,
        then: Callable[[bytes], None],
        failed: Callable[[FirmwareError], None],
        *,
        anew: bool = False,
    ) -> None:
        """Give our answer to an offer, or our offer; at once, but where candidates are gathered first.

        *failed* is called with what `SipMedia.answer` or `SipMedia.offer` raise.
        """

        def describe() -> bool:
            if self._media is not media:
                return True  # nobody needs it any more
            try:
                if not media.prepare(offer, self._go_on, anew=anew):
                    return False
                body = media.offer(anew=anew) if offer is None else media.answer(offer)
            except FirmwareError as error:
                failed(error)
            else:
                then(body)
            return True

        self._steps.append(describe)
        self._go_on()

    def _in_order(self, work: Callable[[], None]) -> None:
        """Do this after what waits to be described."""

        def step() -> bool:
            work()
            return True

        self._steps.append(step)
        self._go_on()

    def _go_on(self) -> None:
        while self._steps and not self._gone and self.call.state not in (State.ENDING, State.ENDED):
            step = self._steps.popleft()
            if not step():
                self._steps.appendleft(step)
                return

    def _prepare(self, media: SipMedia, offer: bytes) -> None:
        """Begin to gather what the answer needs, while it rings here."""
        try:
            media.prepare(offer, self._go_on)
        except FirmwareError as error:  # the answer will say so
            logger.debug("= call %s: %s", self.call.id, error)

    # Changes of a call that is up

    def _renew_offer(self, session: InviteSession) -> None:
        """Offer anew where theirs came between: what was agreed now is the ground of ours (RFC 3261 14.1)."""
        if self._offer_out and not session.negotiating:
            self._offer_out, self._offer_wanted = False, True
        self._negotiate()

    def _answered_early(self, body: bytes | None) -> None:
        """Take the answer to the offer that went with the ringing; nothing flows before we answer."""
        _, media = self._require()
        try:
            media.accept(body or b"")
        except (DecodeError, NoCommonMediaError) as error:
            self._refuse(EndReason.NO_COMMON_MEDIA, str(error))

    def _offered(self, body: bytes | None) -> None:
        session, media = self._require()

        def answer(described: bytes) -> None:
            self._command(session.answer, described, self._transport.now())
            if body is not None and self.call.state is not State.INCOMING:
                self._changed(media)
                self._renew_offer(session)  # after an UPDATE; a re-INVITE waits for its ACK

        def refuse(error: FirmwareError) -> None:
            status = error.status if isinstance(error, DecodeError) else 500 if isinstance(error, CallError) else 488
            logger.info("= call %s: a change is refused: %s", self.call.id, error)
            self._command(session.refuse_offer, status, self._transport.now())

        self._describe(media, body, answer, refuse, anew=body is None)

    def _answered(self, body: bytes | None) -> None:
        _, media = self._require()
        try:
            media.accept(body or b"")
        except (DecodeError, NoCommonMediaError) as error:
            self._offer_refused(str(error))
            return
        self._offer_out = False
        self._held = media.held
        self._changed(media)
        self._negotiate()

    def _offer_refused(self, words: str) -> None:
        _, media = self._require()
        logger.info("= call %s: our offer was refused: %s", self.call.id, words)
        self._offer_out = False
        if not self._offer_wanted and media.held is not self._held:
            media.held = self._held
            self.call.hold_refused(not self._held)
        self._negotiate()

    def _changed(self, media: SipMedia) -> None:
        self.call.media_changed(media.channels, media.held_by_far_end)

    def _negotiate(self) -> None:
        """Send the offer that is wanted, once nothing is under way."""
        session, media = self._require()
        if self._offer_wanted and not session.negotiating and session.state is SessionState.CONFIRMED:
            self._offer_wanted, self._offer_out = False, True
            self._command(session.reinvite, media.offer(), self._transport.now())

    # What can't be agreed

    def _fail_for(self, error: FirmwareError) -> None:
        self.fail(_why(error), str(error))

    def _refuse_for(self, error: FirmwareError) -> None:
        self._refuse(_why(error), str(error))

    def _refuse(self, reason: EndReason, detail: str) -> None:
        session, _ = self._require()
        self.call.released(reason, detail)
        refusal = causes.SIP_FAILURES.get(reason, (causes.SIP_STATUSES[reason],))
        self._command(session.end, self._transport.now(), *refusal)


def _why(error: FirmwareError) -> EndReason:
    if isinstance(error, CallError):
        return EndReason.LOCAL_ERROR
    return error.reason if isinstance(error, NoCommonMediaError) else EndReason.NO_COMMON_MEDIA
