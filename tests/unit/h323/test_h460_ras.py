"""RAS messages in call signalling (H.460.17)."""

from __future__ import annotations

import pytest

from firmware.errors import DecodeError
from firmware.h323 import h225, q931
from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h460_feature import encode_feature
from firmware.h323.h460_ras import encode_facility, read_facility
from firmware.h323.q931 import Message, MessageType

CONFIRM = RAS_MESSAGE.encode(("unregistrationConfirm", {"requestSeqNum": 7}))


def facility(generic: object) -> Message:
    pdu = {"h323-message-body": ("empty", None), "h245Tunnelling": True, "genericData": generic}
    return Message(MessageType.FACILITY, 0, True, {}, h225.USER_INFORMATION.encode({"h323-uu-pdu": pdu}))


def test_it_is_a_facility_of_no_call_without_a_body() -> None:
    message = q931.decode(encode_facility(CONFIRM))
    assert (message.type, message.call_reference, message.from_destination) == (MessageType.FACILITY, 0, False)
    assert message.elements == {q931.Element.FACILITY: b""}
    assert message.user_information is not None
    assert h225.USER_INFORMATION.decode(message.user_information) == {
        "h323-uu-pdu": {
            "h323-message-body": ("empty", None),
            "h245Tunnelling": True,
            "genericData": [
                {"id": ("standard", 17), "parameters": [{"id": ("standard", 1), "content": ("raw", CONFIRM)}]}
            ],
        }
    }
    assert read_facility(message) == [CONFIRM]


def test_one_may_carry_several() -> None:
    raw = [(1, ("raw", b"one")), (2, ("raw", b"other")), (1, ("bool", True)), (1, None), (1, ("raw", b"two"))]
    assert read_facility(facility([encode_feature(18), encode_feature(17, raw)])) == [b"one", b"two"]


@pytest.mark.parametrize("generic", [[], [encode_feature(18, [(1, ("raw", b"x"))])], [encode_feature(17)]])
def test_one_may_carry_none(generic: object) -> None:
    assert read_facility(facility(generic)) == []


@pytest.mark.parametrize("octets", [None, b"", b"\xff\xff"])
def test_what_is_none_of_h323_is_said(octets: bytes | None) -> None:
    with pytest.raises(DecodeError):
        read_facility(Message(MessageType.FACILITY, 0, True, {}, octets))


def test_a_message_that_is_too_long_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="USER_USER"):
        encode_facility(bytes(70_000))
