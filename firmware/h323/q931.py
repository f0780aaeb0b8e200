"""Messages of call signalling: Q.931 as H.225.0 clause 7 uses it.

::

    08 | 02 | call reference, its first bit the flag | message type | information element ... | User-user

Rule 1: elements that are not in the table, stand in another codeset than Q.931's or have a length that the table does
not allow are passed over (Q.931 5.8.7.1, 5.8.7.2); of one that comes twice the first counts (Q.931 5.8.5.2).
Rule 2: a length that goes past the end of the message makes it no message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from firmware.errors import DecodeError

PROTOCOL_DISCRIMINATOR: Final = 0x08
"""Q.931 4.2: user-network call control messages."""
USER_DISCRIMINATOR: Final = 0x05
"""H.225.0 7.2.2, User-user: what follows is coded by X.208 and X.209 (in truth by aligned PER)."""
MAX_CALL_REFERENCE: Final = 0x7FFF
"""H.225.0 7.2.2, Call reference: two octets, the first bit of which is the flag; 0 is the global one."""
MAX_USER_INFORMATION: Final = 0xFFFE


class MessageType(IntEnum):
    """Q.931 table 4-2 and H.225.0 table 4: the messages that H.225.0 uses or names."""

    ALERTING = 0x01
    CALL_PROCEEDING = 0x02
    PROGRESS = 0x03
    SETUP = 0x05
    CONNECT = 0x07
    SETUP_ACKNOWLEDGE = 0x0D
    CONNECT_ACKNOWLEDGE = 0x0F
    DISCONNECT = 0x45
    RELEASE = 0x4D
    RELEASE_COMPLETE = 0x5A
    FACILITY = 0x62
    NOTIFY = 0x6E
    STATUS_INQUIRY = 0x75
    INFORMATION = 0x7B
    STATUS = 0x7D


class Element(IntEnum):
    """Information element identifiers (Q.931 table 4-3, H.225.0 7.2.2); from 0x80 on they are one octet long."""

    SEGMENTED_MESSAGE = 0x00
    BEARER_CAPABILITY = 0x04
    CAUSE = 0x08
    EXTENDED_FACILITY = 0x0D
    CALL_IDENTITY = 0x10
    CALL_STATE = 0x14
    CHANNEL_IDENTIFICATION = 0x18
    FACILITY = 0x1C
    PROGRESS_INDICATOR = 0x1E
    NETWORK_SPECIFIC_FACILITIES = 0x20
    NOTIFICATION_INDICATOR = 0x27
    DISPLAY = 0x28
    DATE_TIME = 0x29
    KEYPAD_FACILITY = 0x2C
    SIGNAL = 0x34
    CONNECTED_NUMBER = 0x4C
    CONNECTED_SUBADDRESS = 0x4D
    CALLING_PARTY_NUMBER = 0x6C
    CALLING_PARTY_SUBADDRESS = 0x6D
    CALLED_PARTY_NUMBER = 0x70
    CALLED_PARTY_SUBADDRESS = 0x71
    REDIRECTING_NUMBER = 0x74
    TRANSIT_NETWORK_SELECTION = 0x78
    RESTART_INDICATOR = 0x79
    LOW_LAYER_COMPATIBILITY = 0x7C
    HIGH_LAYER_COMPATIBILITY = 0x7D
    USER_USER = 0x7E
    MORE_DATA = 0xA0
    SENDING_COMPLETE = 0xA1
    CONGESTION_LEVEL = 0xB0
    REPEAT_INDICATOR = 0xD0


LENGTHS: Final[dict[Element, tuple[int, int]]] = {
    Element.SEGMENTED_MESSAGE: (2, 2),
    Element.BEARER_CAPABILITY: (2, 11),
    Element.CAUSE: (2, 30),
    Element.EXTENDED_FACILITY: (1, 255),
    Element.CALL_IDENTITY: (0, 8),
    Element.CALL_STATE: (1, 1),
    Element.CHANNEL_IDENTIFICATION: (1, 32),
    # H.225.0 7.4.1: the contents stand in the User-user element, so this one is often empty.
    Element.FACILITY: (0, 255),
    Element.PROGRESS_INDICATOR: (2, 2),
    Element.NETWORK_SPECIFIC_FACILITIES: (0, 255),
    Element.NOTIFICATION_INDICATOR: (1, 255),
    Element.DISPLAY: (0, 255),
    Element.DATE_TIME: (5, 6),
    Element.KEYPAD_FACILITY: (0, 32),
    Element.SIGNAL: (1, 1),
    Element.CONNECTED_NUMBER: (1, 255),
    Element.CONNECTED_SUBADDRESS: (0, 21),
    Element.CALLING_PARTY_NUMBER: (1, 255),
    Element.CALLING_PARTY_SUBADDRESS: (0, 21),
    Element.CALLED_PARTY_NUMBER: (1, 255),
    Element.CALLED_PARTY_SUBADDRESS: (0, 21),
    Element.REDIRECTING_NUMBER: (1, 255),
    Element.TRANSIT_NETWORK_SELECTION: (0, 255),
    Element.RESTART_INDICATOR: (1, 1),
    Element.LOW_LAYER_COMPATIBILITY: (0, 16),
    Element.HIGH_LAYER_COMPATIBILITY: (0, 3),
    Element.USER_USER: (1, MAX_USER_INFORMATION + 1),
}
"""Octets of contents, least and most, of the elements that have contents (H.225.0 7.2.2, Q.931 table 4-3)."""

_SINGLE: Final = 0x80
"""Q.931 4.5.1: an element of one octet has this bit."""
_SHIFT: Final = 0x90
"""Q.931 4.5.2: the lower four bits are 8 where only the next element is meant (non-locking), and the codeset."""
_HALF_OCTET: Final = (0x80, 0x90, 0xB0, 0xD0)
"""Identifiers of one octet whose lower four bits are their contents."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    type: int
    """A `MessageType`, or a number that H.225.0 does not know."""
    call_reference: int
    """1 to 32,767, chosen by the calling side; 0 is the global one (Q.931 4.3)."""
    from_destination: bool
    """Q.931 4.3, the flag: whether the called side sends this."""
    elements: Mapping[Element, bytes] = field(default_factory=dict)
    """Contents of the elements other than User-user; of one of one octet its lower four bits, if they are contents."""
    user_information: bytes | None = None
    """Contents of the User-user element without the protocol discriminator: an H323-UserInformation."""

    def encode(self) -> bytes:
        """Write it.  ValueError: an element has a length that it can't have."""
        flag = MAX_CALL_REFERENCE + 1 if self.from_destination else 0
        out = bytearray((PROTOCOL_DISCRIMINATOR, 2))
        out += (self.call_reference | flag).to_bytes(2, "big")
        out.append(self.type)
        # Q.931 4.5.1: elements of more than one octet stand in ascending order.
        for element, contents in sorted(self.elements.items()):
            out += _encode_element(element, contents)
        if self.user_information is not None:
            _check_length(Element.USER_USER, len(self.user_information) + 1)
            out.append(Element.USER_USER)
            # H.225.0 7.2.2, User-user: unlike in Q.931 the length has two octets.
            out += (len(self.user_information) + 1).to_bytes(2, "big")
            out.append(USER_DISCRIMINATOR)
            out += self.user_information
        return bytes(out)


def decode(data: bytes) -> Message:
    """Read a message.  DecodeError: it is none."""
    if len(data) < 5:
        raise DecodeError(f"{len(data)} octets are too few for a Q.931 message")
    if data[0] != PROTOCOL_DISCRIMINATOR:
        raise DecodeError(f"protocol discriminator {data[0]:#04x} at octet 0 is not Q.931's")
    if data[1] != 2:
        raise DecodeError(f"call reference of {data[1]} octets at octet 1")
    reference = int.from_bytes(data[2:4], "big")
    elements, user_information = _decode_elements(data)
    return Message(data[4], reference & MAX_CALL_REFERENCE, reference > MAX_CALL_REFERENCE, elements, user_information)


def _decode_elements(data: bytes) -> tuple[dict[Element, bytes], bytes | None]:
    elements: dict[Element, bytes] = {}
    user_information: bytes | None = None
    codeset = locked = 0
    at = 5
    while at < len(data):
        identifier = data[at]
        at += 1
        if identifier & 0xF0 == _SHIFT:
            # Q.931 4.5.3, 4.5.4: what another codeset means is not ours to know.
            codeset = identifier & 7
            locked = locked if identifier & 8 else codeset
            continue
        here, codeset = codeset, locked
        if identifier & _SINGLE:
            half = identifier & 0xF0 in _HALF_OCTET
            contents = bytes((identifier & 0x0F,)) if half else b""
            identifier = identifier & 0xF0 if half else identifier
        else:
            # H.225.0 7.2.2, User-user: its length has two octets.
            width = 2 if identifier == Element.USER_USER and here == 0 else 1
            length = int.from_bytes(data[at : at + width], "big")
            end = at + width + length
            if at + width > len(data) or end > len(data):
                raise DecodeError(f"information element {identifier:#04x} at octet {at - 1} goes past the end")
            contents, at = data[at + width : end], end
        if here or not _is_allowed(identifier, len(contents)):
            continue
        element = Element(identifier)
        if element is not Element.USER_USER:
            elements.setdefault(element, contents)
        elif contents[0] == USER_DISCRIMINATOR and user_information is None:
            user_information = contents[1:]
    return elements, user_information


def _is_allowed(identifier: int, length: int) -> bool:
    if identifier not in _ELEMENTS:
        return False
    least, most = LENGTHS.get(Element(identifier), (0, 1))
    return least <= length <= most


def _encode_element(element: Element, contents: bytes) -> bytes:
    if element & _SINGLE:
        return bytes((element | (contents[0] & 0x0F if contents else 0),))
    _check_length(element, len(contents))
    return bytes((element, len(contents))) + contents


def _check_length(element: Element, length: int) -> None:
    least, most = LENGTHS[element]
    if not least <= length <= most:
        raise ValueError(f"{length} octets of {element.name}, which has {least} to {most}")


_ELEMENTS: Final = frozenset(element.value for element in Element)
