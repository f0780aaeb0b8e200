"""What the room keeps of one call: how far it has been dealt with, and the timers that run for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Literal

from firmware.call.call import EndReason
from firmware.call.media import Direction, Kind
from firmware.media import message
from firmware.room.state import CallView

if TYPE_CHECKING:
    import asyncio

    from firmware.call.call import Call
    from firmware.call.media import Channel
    from firmware.sansio import Address

logger = logging.getLogger(__name__)

Timer = Literal["ring", "answer", "silence"]

MAX_DIGITS: Final = 32
"""Digits of a far end that are kept."""


class Line:
    """What the room keeps of one call."""

    def __init__(self, call: Call) -> None:
        self.call: Final = call
        self.seen = call.state
        self.applied: tuple[Channel, ...] = ()
        self.active_since: float | None = None
        self.expected_since = 0.0
        """Since when the far end ought to send: since it answered, or since nobody holds the call any more, s."""
        self.held = False
        """Whether either side had the call on hold when it was last looked at."""
        self.held_by_room = False
        """On hold because another call became active, not because somebody asked."""
        self.instead_of: Call | None = None
        """The call in the place of which this one is made, once it is up."""
        self.hops = 0
        """How many far ends have passed us on, one to the other, to come to this call."""
        self._ways: set[Address | None] = set()
        """Our addresses whose media have found a way, where they were to look for one."""
        self._digits = ""
        self._timers: dict[Timer, asyncio.TimerHandle] = {}

    def start_timer(self, name: Timer, handle: asyncio.TimerHandle) -> None:
        """Keep a timer that was just started, and stop the one of that name before."""
        self.stop_timers(name)
        self._timers[name] = handle

    def stop_timers(self, *names: Timer) -> None:
        """Stop these timers, or without a name all."""
        for name in names or tuple(self._timers):
            if name in self._timers:
                self._timers.pop(name).cancel()

    def add_digit(self, digit: str) -> None:
        """Keep a digit that the far end has keyed."""
        self._digits = (self._digits + digit)[-MAX_DIGITS:]

    def take(self, report: message.Report) -> None:
        """Take what the media process says of the call."""
        match report:
            case message.Secured(local=local, handshake=handshake):
                self.call.secured(local, handshake)
            case message.NotSecured(reason=reason, stranger=stranger):
                # To go on in the clear would be what somebody in between wants.
                self.call.hang_up(EndReason.NOT_TRUSTED if stranger else EndReason.NOT_ENCRYPTED, reason)
            case message.WayFound(local=local, selected=selected):
                self._ways.add(local)
                self.call.way_found(local, selected)
            case message.WayDoubtful():
                self.call.find_way_again()
            case message.WayLost(kind=kind, reason=reason, found=False) if self._another_has_way(kind):
                logger.warning("= call %s: %s finds no way: %s", self.call.id, kind.value, reason)
                self.call.go_on_without(kind)
            case message.WayLost(kind=kind, reason=reason, found=found):
                self.call.hang_up(EndReason.LOST if found or self._had_way(kind) else EndReason.NO_WAY, reason)
            case message.KeyFrameWanted():
                self.call.request_key_frame()

    @property
    def has_way(self) -> bool:
        """Whether all media know where to go, or have known it before another way was looked for."""
        return all(
            channel.ice is None or not self._ways.isdisjoint((channel.local, channel.moved_from))
            for channel in self.call.channels
        )

    def _had_way(self, kind: Kind) -> bool:
        return any(channel.kind is kind and channel.moved_from in self._ways for channel in self.call.channels)

    def _another_has_way(self, kind: Kind) -> bool:
        return any(channel.kind is not kind and channel.local in self._ways for channel in self.call.channels)

    def view(self) -> CallView:
        """The call as others may see it."""
        call = self.call
        received = [c for c in call.channels if c.direction is Direction.RECEIVE]
        return CallView(
            id=call.id,
            remote=call.remote,
            remote_name=call.remote_name,
            incoming=call.incoming,
            state=call.state,
            held=call.held,
            held_by_far_end=call.held_by_far_end,
            active_since=self.active_since,
            sees=any(c.kind is Kind.VIDEO for c in received),
            codecs=tuple(dict.fromkeys(c.codec.name for c in call.channels if c.direction is not Direction.NEITHER)),
            digits=self._digits,
            encrypted=call.encrypted,
            exposed=call.exposed,
            waiting=call.waiting,
            transferring=call.transferring,
        )
