"""The messages that we write."""

from __future__ import annotations

import pytest

from firmware.h323 import call_message as c
from firmware.h323 import information_element, q931, user_information
from firmware.h323.cause import Cause
from firmware.h323.identity import Destination, Identity
from firmware.h323.q931 import Element, MessageType
from firmware.sansio import Flow

FLOW = Flow("tcp", ("192.0.2.1", 1720), ("192.0.2.2", 1720))
IDENTITY = Identity((("h323-ID", "room"), ("dialledDigits", "100")), display_name="A room", bitrate=384_000)
GUID = bytes(range(16))


def messages(identity: Identity = IDENTITY, *, outgoing: bool = True) -> c.CallMessages:
    return c.CallMessages(identity, 7, GUID, outgoing=outgoing)


def read(octets: bytes) -> tuple[q931.Message, user_information.UserInformation]:
    message = q931.decode(octets)
    return message, user_information.decode(message.user_information)


def test_setup() -> None:
    destination = Destination((("h323-ID", "mcu"), ("dialledDigits", "300")))
    body, elements = messages().setup(FLOW, destination, bytes(16))
    message, contents = read(messages().encode(MessageType.SETUP, body, elements=elements, tunnelling=True))
    assert (message.type, message.call_reference, message.from_destination) == (MessageType.SETUP, 7, False)
    assert contents.body["sourceAddress"] == list(IDENTITY.aliases)
    assert contents.body["destinationAddress"] == list(destination.aliases)
    assert contents.call_identifier == GUID
    assert contents.body["maintainConnection"] is False
    number = information_element.decode_number
    assert number(message.elements[Element.CALLED_PARTY_NUMBER]) == "300"
    assert number(message.elements[Element.CALLING_PARTY_NUMBER]) == "100"
    assert message.elements[Element.DISPLAY] == b"A room"
    assert message.elements[Element.BEARER_CAPABILITY].hex() == "889886a5"


def test_setup_of_somebody_without_names_to_somebody_without() -> None:
    anonymous = messages(Identity(()))
    body, elements = anonymous.setup(FLOW, Destination(), bytes(16))
    message, contents = read(anonymous.encode(MessageType.SETUP, body, elements=elements, tunnelling=False))
    assert not contents.body.keys() & {"sourceAddress", "destinationAddress"}
    assert set(message.elements) == {Element.BEARER_CAPABILITY}


def test_alias_that_can_not_be_written() -> None:
    with pytest.raises(ValueError, match="dialledDigits"):
        messages().setup(FLOW, Destination((("dialledDigits", "abc"),)), bytes(16))


@pytest.mark.parametrize("message_type", [MessageType.CALL_PROCEEDING, MessageType.ALERTING, MessageType.CONNECT])
def test_answers(message_type: MessageType) -> None:
    called = messages(outgoing=False)
    body = {**called.answer(), **({"conferenceID": bytes(16)} if message_type == MessageType.CONNECT else {})}
    message, contents = read(called.encode(message_type, body, tunnelling=True, control=[b"x"]))
    assert (message.type, message.from_destination) == (message_type, True)
    assert contents.name == c.NAMES[message_type]
    assert contents.control == (b"x",)
    assert (Element.DISPLAY in message.elements) is (message_type != MessageType.CALL_PROCEEDING)


@pytest.mark.parametrize(
    "message_type",
    [
        MessageType.INFORMATION,
        MessageType.NOTIFY,
        MessageType.STATUS,
        MessageType.STATUS_INQUIRY,
        MessageType.SETUP_ACKNOWLEDGE,
    ],
)
def test_messages_that_only_name_the_call(message_type: MessageType) -> None:
    _, contents = read(messages().encode(message_type, {}, tunnelling=False))
    assert (contents.name, contents.call_identifier) == (c.NAMES[message_type], GUID)


@pytest.mark.parametrize("cause", Cause)
def test_release_complete_says_why_twice(cause: Cause) -> None:
    body, elements = messages().release_complete(cause)
    message, contents = read(messages().encode(MessageType.RELEASE_COMPLETE, body, elements=elements, tunnelling=True))
    assert information_element.decode_cause(message.elements[Element.CAUSE]) == cause
    assert contents.reason


def test_facility() -> None:
    body = c.facility("startH245", h245_address=("192.0.2.1", 30000))
    _, contents = read(messages().encode(MessageType.FACILITY, body, tunnelling=False))
    assert (contents.reason, contents.h245_address) == ("startH245", ("192.0.2.1", 30000))
    assert "h245Address" not in c.facility("transportedInformation")


def test_status() -> None:
    elements = c.status(Cause.RESPONSE_TO_STATUS_ENQUIRY, 10)
    assert (elements[Element.CAUSE].hex(), elements[Element.CALL_STATE].hex()) == ("809e", "0a")


def test_release_of_a_call_that_is_none() -> None:
    stray = q931.Message(MessageType.ALERTING, 99, True)
    message, contents = read(c.release_stray(stray, Cause.INVALID_CALL_REFERENCE, "undefinedReason"))
    assert (message.type, message.call_reference, message.from_destination) == (MessageType.RELEASE_COMPLETE, 99, False)
    assert contents.reason == "undefinedReason"


@pytest.mark.parametrize(("text", "written"), [("12#*", "12#*"), ("1,2", ""), ("1" * 200, ""), ("", "")])
def test_digits_that_q931_carries(text: str, written: str) -> None:
    assert c.digits(text) == written


def test_called_number() -> None:
    assert c.called_number("12") == {Element.CALLED_PARTY_NUMBER: b"\x8112"}
