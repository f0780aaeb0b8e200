"""CEC messages: who says what to whom (CEC 12: header block, opcode, operands; at most 16 bytes)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

TELEVISION = 0
"""Logical address of the television."""
UNREGISTERED = BROADCAST = 15
"""Logical address of whoever has none, as an initiator; of everybody, as a destination."""
NO_ADDRESS = 0xFFFF
"""Physical address (F.F.F.F) where nothing is plugged in."""
ROOT = 0x0000
"""Physical address (0.0.0.0) of the television."""
MAX_SIZE = 16


class Opcode(IntEnum):
    """What a message is about (CEC table 8 to 27)."""

    FEATURE_ABORT = 0x00
    IMAGE_VIEW_ON = 0x04
    GIVE_DECK_STATUS = 0x1A
    DECK_STATUS = 0x1B
    STANDBY = 0x36
    USER_CONTROL_PRESSED = 0x44
    USER_CONTROL_RELEASED = 0x45
    ROUTING_CHANGE = 0x80
    ROUTING_INFORMATION = 0x81
    ACTIVE_SOURCE = 0x82
    REQUEST_ACTIVE_SOURCE = 0x85
    SET_STREAM_PATH = 0x86
    MENU_REQUEST = 0x8D
    MENU_STATUS = 0x8E
    GIVE_DEVICE_POWER_STATUS = 0x8F
    REPORT_POWER_STATUS = 0x90
    INACTIVE_SOURCE = 0x9D


class Power(IntEnum):
    """Operand [Power Status]."""

    ON = 0
    STANDBY = 1
    STANDBY_TO_ON = 2
    ON_TO_STANDBY = 3


DECK_OTHER_STATUS = 0x1F
"""Operand [Deck Info] of a device that plays nothing from a medium."""
STATUS_REQUEST_ON, STATUS_REQUEST_OFF, STATUS_REQUEST_ONCE = 1, 2, 3
"""Operand [Status Request]: report now and at every change, no more, once."""
MENU_ACTIVATED = 0
"""Operand [Menu State]: send the keys here."""
UNRECOGNIZED_OPCODE, INVALID_OPERAND = 0, 3
"""Operand [Abort Reason]."""

UI_COMMANDS = {
    0x00: "select",
    0x0D: "back",
    0x2B: "select",  # Enter, below the digits of some remote controls
    **{0x20 + digit: str(digit) for digit in range(10)},
    0x41: "volume_up",
    0x42: "volume_down",
    0x43: "mute",
    0x65: "mute",  # Mute Function
    0x72: "red",
    0x73: "green",
}
"""Operand [UI Command] (CEC table 30) -> key, by names of `firmware.ports.KEYS`."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; a poll, which has no opcode, is none."""

    initiator: int
    destination: int
    opcode: int
    operands: bytes = b""

    def encode(self) -> bytes:
        """As it is sent."""
        return bytes((self.initiator << 4 | self.destination, self.opcode)) + self.operands

    def address(self, place: int = 0) -> int | None:
        """The physical address that is the operand at this place, in bytes; None: it is cut short."""
        operand = self.operands[place : place + 2]
        return int.from_bytes(operand, "big") if len(operand) == 2 else None


def decode(data: bytes) -> Message | None:
    """Read a message; None: it is a poll, or nothing that CEC has."""
    if not 2 <= len(data) <= MAX_SIZE:
        return None
    return Message(data[0] >> 4, data[0] & 0x0F, data[1], data[2:])
