"""The playback device that this unit is for the television: what it says by itself, and what it answers.

A core without I/O, in the manner of `firmware.sansio`: messages and the time in, messages, keys and a deadline out.

Rule 1: the television is woken by One Touch Play (CEC 13.1): <Image View On>, then <Active Source>, and once more when
it says that it is on, since many listen to nothing while they start.
Rule 2: it is put to standby only while it shows this unit, and after everybody was asked whether that is so.
Rule 3: who is shown is known from what is said on the wire only; without a word it is not known.
Rule 4: what is addressed to this unit alone and not understood is answered <Feature Abort> (CEC 12.3).  Version, name,
vendor and physical address are asked often, and answered by the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from board.cec.message import (
    BROADCAST,
    DECK_OTHER_STATUS,
    INVALID_OPERAND,
    MENU_ACTIVATED,
    NO_ADDRESS,
    ROOT,
    STATUS_REQUEST_OFF,
    STATUS_REQUEST_ON,
    STATUS_REQUEST_ONCE,
    TELEVISION,
    UI_COMMANDS,
    UNRECOGNIZED_OPCODE,
    UNREGISTERED,
    Message,
    Opcode,
    Power,
)
from firmware.ports import TelevisionStatus

RELEASE_TIME = 0.55
"""Seconds after which a key that is not pressed again counts as released (CEC 13.13.3, follower safety timeout)."""
ANSWER_TIME = 1.0
"""Seconds within which a device has to answer (CEC 9.2, maximum response time)."""
WAKE_TIME = 20.0
"""Seconds that a television is given to start."""
ASK_TIME = 60.0
"""Seconds between two questions whether the television is on: not every one says so by itself."""
REPEAT_TIME = 2.0
"""Seconds within which the television is not woken twice."""
MAX_WAITING = 32
"""Messages that may wait to be sent; the oldest goes first."""

_REPEATING = frozenset({"volume_up", "volume_down"})
"""Keys that act again while they are held."""


class PlaybackDevice:
    """One device, before and after it has an address."""

    def __init__(self) -> None:
        self.status = TelevisionStatus()
        self._address: int | None = None
        """Logical."""
        self._physical = NO_ADDRESS
        self._reachable = False
        self._on: bool | None = None
        self._shown: bool | None = None
        self._messages: list[Message] = []
        self._keys: list[str] = []
        self._held: tuple[int, float] | None = None
        """The key that is down, and until when that is believed."""
        self._woken = float("-inf")
        self._waking_until: float | None = None
        self._standby_at: float | None = None
        """When the question who is shown has been answered, or will not be any more."""
        self._ask_at: float | None = None

    # What the parent does

    def addresses_changed(self, logical: int | None, physical: int, now: float) -> None:
        """Take the addresses that were claimed: None and NO_ADDRESS, when there is nothing at the other end."""
        if (logical, physical) == (self._address, self._physical):
            return
        self._address, self._physical = logical, physical
        self._on = self._shown = self._ask_at = self._standby_at = None
        self._reachable = False
        self._held = None
        self._messages.clear()
        if logical is not None:
            if self._waking_until is not None and now < self._waking_until:
                self._show()
            self._ask(now)
        self._look()

    def wake(self, now: float) -> None:
        """Switch the television on and have it show this unit."""
        self._standby_at = None
        told = self._address is None or (self._shown is True and self._on is not False)
        if told and now < self._woken + REPEAT_TIME:
            return
        self._woken, self._waking_until = now, now + WAKE_TIME
        if self._address is None:
            # Some televisions in standby look unplugged.  One may be told to wake even so (CEC 11.3.2 allows no other
            # message from an unregistered device, and the kernel neither); the rest is said when it is back.
            self._say(UNREGISTERED, TELEVISION, Opcode.IMAGE_VIEW_ON)
            return
        self._show()
        self._ask(now)
        self._look()

    def standby(self, now: float) -> None:
        """Switch the television off if it shows this unit."""
        if self._address is None or self._shown is not True or self._on is False or self._standby_at is not None:
            return
        self._tell(BROADCAST, Opcode.REQUEST_ACTIVE_SOURCE)
        self._standby_at = now + ANSWER_TIME

    def receive(self, message: Message, now: float) -> None:
        """Take a message that somebody else has sent."""
        handle = self._HANDLERS.get(message.opcode)
        if handle is not None:
            handle(self, message, now)
        elif message.destination != BROADCAST and message.initiator != UNREGISTERED:
            self._refuse(message, UNRECOGNIZED_OPCODE)
        self._look()

    def sent(self, message: Message, *, acknowledged: bool) -> None:
        """Hear what became of a message that was to be sent; a broadcast says nothing of the television."""
        if message.destination == TELEVISION and message.initiator != UNREGISTERED:
            self._reachable = acknowledged
            if not acknowledged:
                self._on = None
            self._look()

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        if self._standby_at is not None and now >= self._standby_at:
            self._standby_at = None
            if self._shown is True:
                self._tell(TELEVISION, Opcode.STANDBY)
                self._on, self._shown = False, None
                self._waking_until = None
                self._ask_at = now + WAKE_TIME / 2
        if self._ask_at is not None and now >= self._ask_at:
            self._ask(now)
        if self._waking_until is not None and now >= self._waking_until:
            self._waking_until = None
        self._look()

    def timer(self) -> float | None:
        """When `handle_timer` is wanted; None: not at all."""
        times = (self._standby_at, self._ask_at, self._waking_until)
        return min((time for time in times if time is not None), default=None)

    def messages(self) -> list[Message]:
        """What is to be sent, in order; clears."""
        messages, self._messages = self._messages, []
        return messages

    def pressed_keys(self) -> list[str]:
        """Keys that were pressed, in order; clears."""
        keys, self._keys = self._keys, []
        return keys

    # What the television and the others say

    def _source_announced(self, message: Message, _now: float) -> None:
        self._shown = message.address() == self._physical
        self._on = True if message.initiator == TELEVISION else self._on

    def _source_left(self, _message: Message, _now: float) -> None:
        self._shown = None

    def _path_set(self, message: Message, _now: float) -> None:
        """The television, or a switch before it, turns to an address: the device there answers (CEC 13.2.2)."""
        place = 2 if message.opcode == Opcode.ROUTING_CHANGE else 0
        self._shown = message.address(place) == self._physical
        self._on = True if message.initiator == TELEVISION else self._on
        if self._shown:
            self._announce()

    def _source_requested(self, _message: Message, _now: float) -> None:
        if self._shown is True:
            self._announce()

    def _goes_to_standby(self, message: Message, _now: float) -> None:
        if message.initiator == TELEVISION:
            self._on, self._shown = False, None
            self._waking_until = self._standby_at = None

    def _power_asked(self, message: Message, _now: float) -> None:
        self._tell(message.initiator, Opcode.REPORT_POWER_STATUS, Power.ON)

    def _power_reported(self, message: Message, now: float) -> None:
        if message.initiator != TELEVISION or not message.operands:
            return
        power = message.operands[0]
        was_off = self._on is not True
        self._on = power == Power.ON if power in tuple(Power) else None
        if self._on and self._waking_until is not None:
            self._waking_until = None
            if was_off and self._shown is True:
                self._announce()
        elif self._on is False:
            self._shown = self._shown if self._waking_until is not None else None
        self._ask_at = now + (ASK_TIME if self._waking_until is None else ANSWER_TIME)

    def _deck_asked(self, message: Message, _now: float) -> None:
        # Not played from: but without an answer some televisions keep the keys to themselves.
        request = message.operands[0] if message.operands else 0
        if request in (STATUS_REQUEST_ON, STATUS_REQUEST_ONCE):
            self._tell(message.initiator, Opcode.DECK_STATUS, DECK_OTHER_STATUS)
        elif request != STATUS_REQUEST_OFF:
            self._refuse(message, INVALID_OPERAND)

    def _menu_asked(self, message: Message, _now: float) -> None:
        self._tell(message.initiator, Opcode.MENU_STATUS, MENU_ACTIVATED)

    def _key_pressed(self, message: Message, now: float) -> None:
        code = message.operands[0] if message.operands else -1
        held, self._held = self._held, (code, now + RELEASE_TIME)
        again = held is not None and held[0] == code and now < held[1]
        key = UI_COMMANDS.get(code)
        if key is not None and (not again or key in _REPEATING) and len(self._keys) < MAX_WAITING:
            self._keys.append(key)

    def _key_released(self, _message: Message, _now: float) -> None:
        self._held = None

    def _ignored(self, _message: Message, _now: float) -> None:
        """Taken note of by nobody, and no reason for a <Feature Abort>."""

    _HANDLERS: ClassVar[dict[int, Callable[[PlaybackDevice, Message, float], None]]] = {
        Opcode.FEATURE_ABORT: _ignored,
        Opcode.ACTIVE_SOURCE: _source_announced,
        Opcode.INACTIVE_SOURCE: _source_left,
        Opcode.ROUTING_CHANGE: _path_set,
        Opcode.ROUTING_INFORMATION: _path_set,
        Opcode.SET_STREAM_PATH: _path_set,
        Opcode.REQUEST_ACTIVE_SOURCE: _source_requested,
        Opcode.STANDBY: _goes_to_standby,
        Opcode.GIVE_DEVICE_POWER_STATUS: _power_asked,
        Opcode.REPORT_POWER_STATUS: _power_reported,
        Opcode.GIVE_DECK_STATUS: _deck_asked,
        Opcode.MENU_REQUEST: _menu_asked,
        Opcode.USER_CONTROL_PRESSED: _key_pressed,
        Opcode.USER_CONTROL_RELEASED: _key_released,
    }

    # Help

    def _show(self) -> None:
        self._tell(TELEVISION, Opcode.IMAGE_VIEW_ON)
        self._announce()
        self._shown = True

    def _announce(self) -> None:
        self._tell(BROADCAST, Opcode.ACTIVE_SOURCE, *divmod(self._physical, 256))

    def _ask(self, now: float) -> None:
        self._tell(TELEVISION, Opcode.GIVE_DEVICE_POWER_STATUS)
        self._ask_at = now + (ASK_TIME if self._waking_until is None else ANSWER_TIME)

    def _refuse(self, message: Message, reason: int) -> None:
        self._tell(message.initiator, Opcode.FEATURE_ABORT, message.opcode, reason)

    def _tell(self, destination: int, opcode: int, *operands: int) -> None:
        if self._address is not None:
            self._say(self._address, destination, opcode, *operands)

    def _say(self, initiator: int, destination: int, opcode: int, *operands: int) -> None:
        if len(self._messages) >= MAX_WAITING:
            del self._messages[0]
        self._messages.append(Message(initiator, destination, opcode, bytes(operands)))

    def _look(self) -> None:
        self.status = TelevisionStatus(self._reachable, self._on, self._shown)


def is_source(physical: int) -> bool:
    """Whether a physical address is that of a device that is plugged into a television."""
    return physical not in (NO_ADDRESS, ROOT)
