"""A television with a remote control, at the other end of the simulated board's CEC wire.

Rule 1: it starts in standby, needs a moment to start, and answers as a television does.
Rule 2: a key of the remote control reaches the unit only while the television is on and shows it.
Rule 3: it has its own programme besides; whoever turns to that is told so by nobody but the wire.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from board.cec.message import BROADCAST, ROOT, TELEVISION, UI_COMMANDS, Message, Opcode, Power, decode
from board.cec.television import Addresses, Event, Received, Sent
from firmware.errors import DeviceError
from firmware.ports import KEYS, TELEVISION_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

START_TIME = 0.3
"""Seconds from standby until there is a picture."""
UNIT = 4
"""Logical address of the unit: playback device 1."""
INPUT = 0x1000
"""Physical address of the unit: the first input (1.0.0.0)."""

_UI_CODES = {key: code for code, key in reversed(UI_COMMANDS.items())}
_MOST_WAITING = 64


class SimTelevision:
    """The television, and both `board.cec.television.Adapters` and the only ``Adapter``."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: deque[Event] = deque(maxlen=_MOST_WAITING)
        self._interrupted = False
        self._on_at = float("inf")
        """Since when it is on, or will be, s; infinity: it is in standby."""
        self._source = ROOT

    # The adapter

    def best(self) -> str:
        """The only one."""
        return "simulated"

    def open(self, which: str) -> SimTelevision:  # noqa: ARG002
        """Plug the unit in."""
        self._happened(Addresses(UNIT, INPUT))
        return self

    def events(self, timeout: float) -> list[Event]:
        """Wait, s, until something happens, and give it."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._interrupted, timeout)
            self._interrupted = False
            events = list(self._events)
            self._events.clear()
            return events

    def transmit(self, data: bytes) -> None:
        """Let the television have a message."""
        message = decode(data)
        if message is None:
            return
        self._happened(Sent(data, acknowledged=message.destination in (TELEVISION, BROADCAST)))
        if message.destination in (TELEVISION, BROADCAST):
            answer = self._ANSWERS.get(message.opcode)
            if answer is not None:
                answer(self, message)

    def interrupt(self) -> None:
        """Let `events` return."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def close(self) -> None:
        """Pull the unit's plug."""
        with self._changed:
            self._events.clear()

    # The television

    @property
    def on(self) -> bool:
        """Whether there is a picture."""
        return time.monotonic() >= self._on_at

    @property
    def shows_unit(self) -> bool:
        """Whether that is the unit's."""
        return self.on and self._source == INPUT

    def press_key(self, key: str) -> None:
        """Press and release a key of the remote control.  DeviceError: it has no such key."""
        if key in self._OWN_KEYS:
            self._OWN_KEYS[key](self)
        elif key not in _UI_CODES:
            raise DeviceError(f"there is no key {key!r}; there are {', '.join((*KEYS, *TELEVISION_KEYS))}")
        elif self.shows_unit:
            self._say(UNIT, Opcode.USER_CONTROL_PRESSED, _UI_CODES[key])
            self._say(UNIT, Opcode.USER_CONTROL_RELEASED)

    def _switch(self) -> None:
        if self._on_at < float("inf"):
            self._stand_by()
            self._say(BROADCAST, Opcode.STANDBY)
        else:
            self._start()
            if self._source == INPUT:
                self._say(BROADCAST, Opcode.SET_STREAM_PATH, *divmod(INPUT, 256))
            else:
                self._say(BROADCAST, Opcode.ACTIVE_SOURCE, *divmod(ROOT, 256))

    def _turn(self) -> None:
        """Turn to the other source."""
        if not self.on:
            return
        before, self._source = self._source, INPUT if self._source == ROOT else ROOT
        self._say(BROADCAST, Opcode.ROUTING_CHANGE, *divmod(before, 256), *divmod(self._source, 256))
        if self._source == ROOT:
            self._say(BROADCAST, Opcode.ACTIVE_SOURCE, *divmod(ROOT, 256))

    def _start(self) -> None:
        if self._on_at == float("inf"):
            self._on_at = time.monotonic() + START_TIME

    def _stand_by(self) -> None:
        self._on_at = float("inf")

    def _told_to_start(self, _message: Message) -> None:
        self._start()

    def _told_the_source(self, message: Message) -> None:
        # What is said to one that just starts goes unheard.
        if self.on:
            self._source = message.address() or ROOT

    def _told_to_stand_by(self, _message: Message) -> None:
        self._stand_by()

    def _asked_for_power(self, _message: Message) -> None:
        off = Power.STANDBY if self._on_at == float("inf") else Power.STANDBY_TO_ON
        self._say(UNIT, Opcode.REPORT_POWER_STATUS, Power.ON if self.on else off)

    def _asked_for_source(self, _message: Message) -> None:
        if self.on and self._source == ROOT:
            self._say(BROADCAST, Opcode.ACTIVE_SOURCE, *divmod(ROOT, 256))

    _OWN_KEYS: ClassVar[dict[str, Callable[[SimTelevision], None]]] = {"power": _switch, "source": _turn}
    _ANSWERS: ClassVar[dict[int, Callable[[SimTelevision, Message], None]]] = {
        Opcode.IMAGE_VIEW_ON: _told_to_start,
        Opcode.ACTIVE_SOURCE: _told_the_source,
        Opcode.STANDBY: _told_to_stand_by,
        Opcode.GIVE_DEVICE_POWER_STATUS: _asked_for_power,
        Opcode.REQUEST_ACTIVE_SOURCE: _asked_for_source,
    }

    def _say(self, destination: int, opcode: int, *operands: int) -> None:
        self._happened(Received(Message(TELEVISION, destination, opcode, bytes(operands)).encode()))

    def _happened(self, event: Event) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()
