"""The television as the firmware knows it: a playback device on whatever adapter is there, in a thread of its own.

Rule 1: an adapter that is missing, busy or pulled out is looked for again and again; nobody is told more than once.
Rule 2: of several adapters the one counts at which something is plugged in, as long as something is.
Rule 3: commands only leave a note and wake the thread, so they never wait; the last one counts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from board.cec.message import decode
from board.cec.playback import PlaybackDevice
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from firmware.ports import TelevisionStatus

logger = logging.getLogger(__name__)

LOOK_TIME = 3.0
"""Seconds between two looks for an adapter, or for a better one."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """An adapter has other addresses."""

    logical: int | None
    physical: int


@dataclass(frozen=True, slots=True)
class Received:
    """Somebody sent this."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of this, which was to be sent."""

    data: bytes
    acknowledged: bool


Event = Addresses | Received | Sent


class Adapter(Protocol):
    """What is plugged into the wire.  DeviceError from any method but close: it has failed or is gone."""

    def events(self, timeout: float) -> list[Event]:
        """Wait, s, until something happens or `interrupt` is called, and give what has happened."""

    def transmit(self, data: bytes) -> None:
        """Send a message by and by; `Sent` says what became of it."""

    def interrupt(self) -> None:
        """Let `events` return; may be called by any thread."""

    def close(self) -> None:
        """Release it."""


class Adapters(Protocol):
    """Where adapters are found."""

    def best(self) -> str:
        """The one to be used.  DeviceError: there is none."""

    def open(self, which: str) -> Adapter:
        """Take it into use.  DeviceError: it is missing or busy."""


class CecTelevision:
    """A `firmware.ports.Television`."""

    def __init__(self, adapters: Adapters) -> None:
        self.when_changed: Callable[[], None] | None = None
        self.when_key_pressed: Callable[[str], None] | None = None
        self.status: TelevisionStatus
        self._adapters = adapters
        self._device = PlaybackDevice()
        self.status = self._device.status
        self._adapter: Adapter | None = None
        self._wanted: Literal["", "wake", "standby"] = ""
        self._complaint = ""
        self._using = threading.Lock()
        """The adapter, by another thread."""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="television", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Switch it on and have it show this unit; returns at once."""
        self._want("wake")

    def standby(self) -> None:
        """Switch it off, unless it shows, or may show, something else; returns at once."""
        self._want("standby")

    def close(self) -> None:
        """Leave it alone from now on."""
        self._closing.set()
        self._interrupt()
        if threading.current_thread() is not self._thread:
            self._thread.join(LOOK_TIME)

    def _want(self, what: Literal["wake", "standby"]) -> None:
        self._wanted = what
        self._interrupt()

    def _interrupt(self) -> None:
        with self._using:
            if self._adapter is not None:
                self._adapter.interrupt()

    # In the thread

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                which = self._adapters.best()
                adapter = self._adapters.open(which)
            except DeviceError as error:
                self._complain(str(error))
                self._wanted = ""
                self._closing.wait(LOOK_TIME)
                continue
            self._complaint = ""
            self._adapter = adapter
            try:
                self._serve(adapter, which)
            except DeviceError as error:
                self._complain(str(error))
                self._closing.wait(LOOK_TIME / 10)
            finally:
                with self._using:
                    self._adapter = None
                adapter.close()
                self._device = PlaybackDevice()
                self._report()

    def _complain(self, reason: str) -> None:
        if reason != self._complaint:
            self._complaint = reason
            logger.info("no television can be switched: %s", reason)

    def _serve(self, adapter: Adapter, which: str) -> None:
        device = self._device
        there = False
        look_at = time.monotonic() + LOOK_TIME
        while not self._closing.is_set():
            timer = device.timer()
            until = look_at if timer is None else min(timer, look_at)
            events = [] if self._wanted else adapter.events(max(0.0, until - time.monotonic()))
            now = time.monotonic()
            for event in events:
                match event:
                    case Addresses(logical=logical, physical=physical):
                        there = logical is not None
                        device.addresses_changed(logical, physical, now)
                    case Received(data=data):
                        self._receive(data, now)
                    case Sent(data=data, acknowledged=acknowledged):
                        message = decode(data)
                        if message is not None:
                            device.sent(message, acknowledged=acknowledged)
            self._obey(now)
            device.handle_timer(now)
            for message in device.messages():
                logger.debug("> %s", message)
                adapter.transmit(message.encode())
            self._report()
            if now >= look_at:
                look_at = now + LOOK_TIME
                if not there and self._adapters.best() != which:
                    return

    def _receive(self, data: bytes, now: float) -> None:
        message = decode(data)
        if message is not None:
            logger.debug("< %s", message)
            self._device.receive(message, now)

    def _obey(self, now: float) -> None:
        wanted, self._wanted = self._wanted, ""
        if wanted == "wake":
            self._device.wake(now)
        elif wanted == "standby":
            self._device.standby(now)

    def _report(self) -> None:
        for key in self._device.pressed_keys():
            if self.when_key_pressed is not None:
                self.when_key_pressed(key)
        if self._device.status != self.status:
            self.status = self._device.status
            if self.when_changed is not None:
                self.when_changed()
