"""The room's television: on when somebody wants to see the room, and off when nobody has for a while.

Rule 1: it is woken by what happens (a call rings, a button is pressed), never because it ought to be on: who turns to
another source in a call is left alone.
Rule 2: it is put to standby only while it shows this room and there is no call, by a timer that every call, button
and key, and the television itself when it is switched on, start anew.
Rule 3: the device has a thread of its own; all here happens on the room's event loop.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from firmware.call.call import State
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from firmware import config, ports
    from firmware.room.room import Room
    from firmware.room.state import RoomState

logger = logging.getLogger(__name__)

Occasion = Literal["ring", "call", "button"]

_OCCASIONS: dict[State, Occasion] = {
    State.INCOMING: "ring",
    State.DIALING: "call",
    State.ALERTING: "call",
    State.CONNECTING: "call",
    State.ACTIVE: "call",
}
"""What a call that comes to a state is a reason for."""


class Television:
    """Switches a television as the room wants.  Made on the event loop on which the room runs."""

    def __init__(self, device: ports.Television, settings: config.Television, room: Room) -> None:
        self._device = device
        self._settings = settings
        self._room = room
        self._loop = asyncio.get_running_loop()
        self._seen: dict[str, Occasion] = {}
        """The calls that there are, by number, and what the last occasion of each was."""
        self._standby_timer: asyncio.TimerHandle | None = None
        self.status = device.status
        device.when_changed = self._when_changed
        room.television = self
        room.when_touched.add(self.touched)
        self._unsubscribe = room.subscribe(self._update)

    def close(self) -> None:
        """Leave the television as it is."""
        self._device.when_changed = None
        self._unsubscribe()
        self._room.television = None
        self._room.when_touched.discard(self.touched)
        self._stop_timer()

    def touched(self) -> None:
        """Hear that somebody in the room has pressed a button or a key."""
        self._wake_for("button")
        self._idle_anew()

    def switch(self, on: bool) -> None:
        """Switch it on and show this room, or off.  DeviceError: it can't be reached, or shows something else."""
        if on:  # one that can't be reached may be asleep
            self._device.wake()
            self._idle_anew()
        elif not self.status.reachable:
            raise DeviceError("there is no television that could be switched")
        elif self.status.shows_room is not True:
            raise DeviceError("the television does not show this room, as far as it says")
        else:
            self._device.standby()

    def _wake_for(self, occasion: Occasion) -> None:
        if occasion in self._settings.wake_for:
            self._device.wake()

    def _update(self, state: RoomState) -> None:
        before, self._seen = (
            self._seen,
            {call.id: _OCCASIONS[call.state] for call in state.calls if call.state in _OCCASIONS},
        )
        for occasion in sorted({now for call_id, now in self._seen.items() if before.get(call_id) != now}):
            self._wake_for(occasion)
        if self._seen != before:
            self._idle_anew()

    def _when_changed(self) -> None:
        """In the board's thread."""
        with suppress(RuntimeError):  # the loop is closed: the unit stops
            self._loop.call_soon_threadsafe(self._status_changed)

    def _status_changed(self) -> None:
        before, self.status = self.status, self._device.status
        if self.status == before:
            return
        if (self.status.on, self.status.reachable) != (before.on, before.reachable):
            logger.info("= the television is %s", _words(self.status))
        self._idle_anew()
        self._room.device_changed()

    def _idle_anew(self) -> None:
        self._stop_timer()
        if self._settings.standby_time > 0 and not self._seen and self.status.shows_room is True:
            self._standby_timer = self._loop.call_later(self._settings.standby_time, self._device.standby)

    def _stop_timer(self) -> None:
        if self._standby_timer is not None:
            self._standby_timer.cancel()
            self._standby_timer = None


def _words(status: ports.TelevisionStatus) -> str:
    if not status.reachable:
        return "not to be reached"
    return {True: "on", False: "in standby", None: "there"}[status.on]
