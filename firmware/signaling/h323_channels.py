"""What H.245 says of the logical channels of one call, done: taken, opened, closed, limited, given other keys.

Rule: a channel that the far end wants gone stays so until it says anew what it can receive, unless it wants another in
its place.
"""

from __future__ import annotations

import logging
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from firmware.call.media import Kind
from firmware.errors import CallError
from firmware.h323.control import events
from firmware.signaling.h323_media import ChannelRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firmware.asn1 import Value
    from firmware.h323.session import Session
    from firmware.signaling.h323_media import H323Media

logger = logging.getLogger(__name__)


class Done(Enum):
    """What has come of an event."""

    NOTHING = "nothing flows otherwise than before"
    CHANGED = "something does"
    MORE = "something may, and there may be channels to open"


class LogicalChannels:
    """The channels of a session and its media at a time; *command* gives the session a command that may be late."""

    def __init__(
        self, session: Session, media: H323Media, command: Callable[..., None], now: float, call_id: str
    ) -> None:
        self._control = session.control
        self._tokens = session.tokens
        self._media = media
        self._command = command
        self._now = now
        self._id = call_id

    def close(self, numbers: Iterable[int]) -> None:
        """Close channels of ours."""
        for number in list(numbers):
            self._command(self._control.close_channel, number, self._now)
            self._media.closed(number, ours=True)

    def limit(self, bitrate: int) -> None:
        """Keep to what the gatekeeper allows in either direction, bit/s, and have the far end keep to it."""
        selection = self._media.selection
        before = selection.video_bitrate
        selection.take_bandwidth(bitrate)
        self.close(self._media.outdated)
        if selection.video_bitrate != before:
            for number, kind in self._media.receiving.items():
                if kind is Kind.VIDEO:
                    # H.323 8.4.1: who wants less of what the far end sends says so by flowControlCommand.
                    self._command(self._control.limit, number, selection.video_bitrate, self._now)

    def take(self, event: events.Event) -> Done:
        """Do what an event asks for."""
        match event:
            case events.ChannelRequested(number=number, parameters=request):
                return self._requested(number, request)
            case events.ChannelOpened(number=number, ack=ack):
                self._opened(number, ack)
                return Done.MORE
            case events.ChannelRefused(number=number, cause=cause):
                logger.info("= call %s: the far end takes no %s: %s", self._id, self._media.sending.get(number), cause)
                self._media.refused(number, cause)
                return Done.MORE
            case events.ChannelClosed(number=number, ours=ours):
                self._media.closed(number, ours=ours)
                return Done.CHANGED
            case events.CloseRequested(number=number, reason=reason):
                return self._close_requested(number, reason)
            case events.ModeRequested(mode=mode):
                self._media.selection.take_mode(mode)
                self.close(self._media.outdated)
                return Done.MORE
            case events.Limited(number=number, bitrate=bitrate):
                self._media.limited(number, bitrate)
                return Done.CHANGED
            case events.KeyRequested(number=number, ours=ours):
                return self._key_requested(number, ours=ours)
            case events.KeyGiven(number=number, ours=ours, sync=sync):
                return self._key_given(number, sync, ours=ours)
        return Done.NOTHING

    def _requested(self, number: int, request: Value) -> Done:
        media = self._media
        media.crypto.learn(self._tokens)
        try:
            parameters = media.take_channel(number, request)
        except ChannelRefusedError as refusal:
            logger.info("= call %s: a channel is refused: %s", self._id, refusal.cause)
            self._command(self._control.reject_channel, number, refusal.cause, self._now)
        except CallError as error:
            logger.warning("= call %s: a channel is refused: %s", self._id, error)
            self._command(self._control.reject_channel, number, "unspecified", self._now)
        else:
            accept = partial(self._control.accept_channel, encryption_sync=media.sync(number))
            self._command(accept, number, parameters, self._now)
            if media.selection.is_limited and media.receiving.get(number) is Kind.VIDEO:
                self._command(self._control.limit, number, media.selection.video_bitrate, self._now)
            return Done.MORE
        return Done.NOTHING

    def _opened(self, number: int, ack: Value) -> None:
        try:
            self._media.opened(number, ack)
        except ChannelRefusedError as refusal:
            logger.info("= call %s: the far end does not say where or how it takes a channel: %s", self._id, refusal)
            self._command(self._control.close_channel, number, self._now)

    def _close_requested(self, number: int, reason: str) -> Done:
        kind = self._media.sending.get(number)
        self.close([number])
        if reason == "reopen":
            return Done.MORE
        if kind is not None:
            self._media.selection.refuse(kind)
        return Done.CHANGED

    def _key_requested(self, number: int, *, ours: bool) -> Done:
        sync = self._media.renew_key(number, ours=ours)
        if sync is None:
            return Done.NOTHING
        self._command(partial(self._control.give_key, ours=ours), number, sync, self._now)
        return Done.CHANGED

    def _key_given(self, number: int, sync: Value, *, ours: bool) -> Done:
        if not self._media.take_key(number, sync, ours=ours):
            return Done.NOTHING
        self._command(partial(self._control.acknowledge_key, ours=ours), number, sync["synchFlag"], self._now)
        return Done.CHANGED
