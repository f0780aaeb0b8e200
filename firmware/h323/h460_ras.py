"""RAS messages in call signalling: H.460.17, by which one connection to the gatekeeper carries all signalling.

::

    TPKT ── Facility, call reference 0 ── h323-message-body empty ── genericData 17 ── parameter 1: a RasMessage

Rule: a message may carry several; what else it carries is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.h323 import h225
from firmware.h323.h460_feature import encode_feature, find_generic
from firmware.h323.q931 import Element, Message, MessageType

if TYPE_CHECKING:
    from firmware.asn1 import Value

FEATURE: Final = 17
"""H.460.17, RAS over H.225.0."""
_RAS_MESSAGE: Final = 1
"""The parameter that holds one."""


def encode_facility(ras: bytes) -> bytes:
    """Write the Facility that carries an encoded RasMessage.  ValueError: it is too long for one."""
    pdu: dict[str, Value] = {
        "h323-message-body": ("empty", None),
        "h245Tunnelling": True,
        "genericData": [encode_feature(FEATURE, [(_RAS_MESSAGE, ("raw", ras))])],
    }
    octets = h225.USER_INFORMATION.encode({"h323-uu-pdu": pdu})
    # H.225.0 7.4.1: the Facility element is there, and empty: what it would say stands in the User-user element.
    return Message(MessageType.FACILITY, 0, False, {Element.FACILITY: b""}, octets).encode()


def read_facility(message: Message) -> list[bytes]:
    """Give the encoded RasMessages that a Facility carries.  DecodeError: it is none of H.323."""
    if message.user_information is None:
        raise DecodeError("there is no User-user element")
    pdu: dict[str, Value] = h225.USER_INFORMATION.decode(message.user_information)["h323-uu-pdu"]
    parameters = find_generic(pdu.get("genericData", ()), FEATURE) or []
    contents = [content for number, content in parameters if number == _RAS_MESSAGE and content is not None]
    return [content[1] for content in contents if content[0] == "raw"]
