"""The messages of one call as we write them: bodies of H.225.0 7.3 and 7.4 in Q.931 messages.

Every body names the protocol and the call; a function adds what its message has beside that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.h323 import h225, information_element, user_information
from firmware.h323.address import encode_transport, number
from firmware.h323.cause import reason
from firmware.h323.identity import endpoint_type
from firmware.h323.q931 import Element, Message, MessageType
from firmware.h323.ras_alias import encode_aliases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firmware.asn1 import Value
    from firmware.h323.identity import Destination, Identity
    from firmware.sansio import Address, Flow

Body = dict[str, "Value"]

NAMES: Final = {
    MessageType.ALERTING: "alerting",
    MessageType.CALL_PROCEEDING: "callProceeding",
    MessageType.CONNECT: "connect",
    MessageType.FACILITY: "facility",
    MessageType.INFORMATION: "information",
    MessageType.NOTIFY: "notify",
    MessageType.PROGRESS: "progress",
    MessageType.RELEASE_COMPLETE: "releaseComplete",
    MessageType.SETUP: "setup",
    MessageType.SETUP_ACKNOWLEDGE: "setupAcknowledge",
    MessageType.STATUS: "status",
    MessageType.STATUS_INQUIRY: "statusInquiry",
}
"""The alternative of h323-message-body that goes with each type of message."""

_WITH_DISPLAY: Final = (MessageType.SETUP, MessageType.ALERTING, MessageType.CONNECT)
_WITH_CONNECTION: Final = (
    *(MessageType.SETUP, MessageType.CALL_PROCEEDING, MessageType.ALERTING, MessageType.CONNECT),
    *(MessageType.PROGRESS, MessageType.FACILITY),
)
"""Messages that say whether there may be other calls on this connection, and whether it outlives this one (H.225.0 7.3,
7.4).
"""


class CallMessages:
    """Writes the messages of one call."""

    def __init__(
        self,
        identity: Identity,
        call_reference: int,
        call_identifier: bytes,
        *,
        outgoing: bool,
        shared: bool = False,
    ) -> None:
        """*shared* says that the connection is for several calls, and stays."""
        self._identity, self._reference, self._outgoing = identity, call_reference, outgoing
        self._call_identifier, self._shared = call_identifier, shared

    def encode(
        self,
        message_type: MessageType,
        body: Body,
        *,
        elements: Mapping[Element, bytes] | None = None,
        tunnelling: bool,
        control: Sequence[bytes] = (),
        services: Sequence[bytes] = (),
    ) -> bytes:
        """Write one, with what is common to its type added."""
        whole: Body = {
            "protocolIdentifier": h225.IDENTIFIER,
            "callIdentifier": {"guid": self._call_identifier},
            **body,
        }
        if message_type in _WITH_CONNECTION:
            whole |= {"multipleCalls": self._shared, "maintainConnection": self._shared}
        display = {}
        if self._identity.display_name and message_type in _WITH_DISPLAY:
            display = {Element.DISPLAY: information_element.encode_display(self._identity.display_name)}
        octets = user_information.encode(
            NAMES[message_type], whole, tunnelling=tunnelling, control=control, services=services
        )
        elements = {**display, **(elements or {})}
        return Message(message_type, self._reference, not self._outgoing, elements, octets).encode()

    def setup(self, flow: Flow, destination: Destination, conference_id: bytes) -> tuple[Body, dict[Element, bytes]]:
        """Give what a Setup has (H.225.0 7.3.10).  ValueError: an alias can't be written."""
        identity = self._identity
        body: Body = {
            "sourceInfo": endpoint_type(identity),
            "destCallSignalAddress": encode_transport(flow.remote),
            "activeMC": False,
            "conferenceID": conference_id,
            "conferenceGoal": ("create", None),
            "callType": ("pointToPoint", None),
            "sourceCallSignalAddress": encode_transport(flow.local),
            "mediaWaitForConnect": False,
            "canOverlapSend": False,
        }
        if identity.aliases:
            body["sourceAddress"] = encode_aliases(identity.aliases)
        if destination.aliases:
            body["destinationAddress"] = encode_aliases(destination.aliases)
        elements = {Element.BEARER_CAPABILITY: information_element.bearer_capability(identity.bitrate)}
        called, calling = digits(number(destination.aliases)), digits(number(identity.aliases))
        if calling:
            elements[Element.CALLING_PARTY_NUMBER] = information_element.encode_calling_number(calling)
        if called:
            elements[Element.CALLED_PARTY_NUMBER] = information_element.encode_called_number(called)
        return body, elements

    def answer(self) -> Body:
        """Give what CallProceeding, Alerting and Connect have in common (H.225.0 7.3.1 to 7.3.3)."""
        return {"destinationInfo": endpoint_type(self._identity)}

    def release_complete(self, cause: int) -> tuple[Body, dict[Element, bytes]]:
        """Give what a ReleaseComplete has: reason and cause (H.225.0 7.3.9)."""
        return {"reason": (reason(cause), None)}, {Element.CAUSE: information_element.encode_cause(cause)}


def facility(why: str, *, h245_address: Address | None = None) -> Body:
    """Give what a Facility has (H.225.0 7.4.1)."""
    body: Body = {"reason": (why, None)}
    if h245_address is not None:
        body["h245Address"] = encode_transport(h245_address)
    return body


def status(cause: int, state: int) -> dict[Element, bytes]:
    """Give the elements of a Status (H.225.0 7.3.12)."""
    return {
        Element.CAUSE: information_element.encode_cause(cause),
        Element.CALL_STATE: information_element.encode_call_state(state),
    }


def release_stray(message: Message, cause: int, why: str) -> bytes:
    """Write the ReleaseComplete for a message of a call that is none (Q.931 5.8.3.2)."""
    body: Body = {
        "protocolIdentifier": h225.IDENTIFIER,
        "reason": (why, None),
        "callIdentifier": {"guid": bytes(16)},
    }
    octets = user_information.encode("releaseComplete", body, tunnelling=False)
    elements = {Element.CAUSE: information_element.encode_cause(cause)}
    return Message(
        MessageType.RELEASE_COMPLETE, message.call_reference, not message.from_destination, elements, octets
    ).encode()


def called_number(text: str) -> dict[Element, bytes]:
    """Give the element that carries more digits of a number (H.225.0 7.3.6)."""
    return {Element.CALLED_PARTY_NUMBER: information_element.encode_called_number(digits(text))}


def digits(text: str) -> str:
    """Give a number as Q.931 carries it; "" for one that it can't."""
    return text if len(text) <= information_element.MAX_DIGITS and set(text) <= set("0123456789*#") else ""
