"""What stands in the User-user element."""

from __future__ import annotations

import pytest
from h323_terminals import proposal

from firmware.asn1 import Value
from firmware.errors import DecodeError
from firmware.h323 import h225, h245
from firmware.h323 import user_information as u
from firmware.h323.address import encode_transport
from firmware.h323.identity import Identity, endpoint_type

IDENTIFIER = bytes(range(16))


def facility(**more: Value) -> dict[str, Value]:
    return {
        "protocolIdentifier": h225.IDENTIFIER,
        "reason": ("undefinedReason", None),
        "callIdentifier": {"guid": IDENTIFIER},
        "multipleCalls": False,
        "maintainConnection": False,
        **more,
    }


def there_and_back(name: str, body: Value, **how: Value) -> u.UserInformation:
    return u.decode(u.encode(name, body, **{"tunnelling": True, **how}))


def test_what_every_body_may_have() -> None:
    got = there_and_back(
        "facility",
        facility(
            h245Address=encode_transport(("192.0.2.1", 30000)),
            fastStart=u.encode_channels([proposal(1, 5000), proposal(2, 5002)]),
            fastConnectRefused=None,
        ),
        control=[b"one", b"two"],
    )
    assert (got.name, got.reason, got.tunnelling) == ("facility", "undefinedReason", True)
    assert got.control == (b"one", b"two")
    assert got.fast_start == (proposal(1, 5000), proposal(2, 5002))
    assert got.h245_address == ("192.0.2.1", 30000)
    assert got.call_identifier == IDENTIFIER
    assert got.fast_connect_refused


def test_what_is_not_there() -> None:
    got = there_and_back("facility", facility(), tunnelling=False)
    assert (got.tunnelling, got.control, got.fast_start, got.h245_address) == (False, (), (), None)
    assert not got.fast_connect_refused
    empty = there_and_back("empty", None, control=[b"x"])
    assert (empty.name, empty.body, empty.reason, empty.call_identifier) == ("empty", {}, "", None)
    assert empty.control == (b"x",)
    assert u.decode(None) is u.NOTHING
    assert u.NOTHING.tunnelling is None


def test_parallel_h245_of_a_setup() -> None:
    setup = {
        "protocolIdentifier": h225.IDENTIFIER,
        "sourceInfo": endpoint_type(Identity(())),
        "activeMC": False,
        "conferenceID": bytes(16),
        "conferenceGoal": ("create", None),
        "callType": ("pointToPoint", None),
        "callIdentifier": {"guid": IDENTIFIER},
        "mediaWaitForConnect": False,
        "canOverlapSend": False,
        "multipleCalls": False,
        "maintainConnection": False,
        "parallelH245Control": [b"beside"],
    }
    assert there_and_back("setup", setup).control == (b"beside",)


def test_provisional_answer_says_nothing_of_tunnelling() -> None:
    pdu = {
        "h323-message-body": ("empty", None),
        "h245Tunnelling": False,
        "provisionalRespToH245Tunnelling": None,
    }
    octets = h225.USER_INFORMATION.encode({"h323-uu-pdu": pdu})
    assert u.decode(octets).tunnelling is None


def test_proposals_that_can_not_be_read_are_not_there() -> None:
    good = h245.OPEN_LOGICAL_CHANNEL.encode(proposal(1, 5000))
    got = there_and_back("facility", facility(fastStart=[b"", b"\xff\xff\xff", good[:7], good]))
    assert got.fast_start == (proposal(1, 5000),)


def test_no_more_than_a_bound_is_looked_at() -> None:
    good = h245.OPEN_LOGICAL_CHANNEL.encode(proposal(1, 5000))
    got = there_and_back("facility", facility(fastStart=[good] * (u.MAX_FAST_START + 5)), control=[b"x"] * 100)
    assert len(got.fast_start) == u.MAX_FAST_START
    assert len(got.control) == u.MAX_CONTROL


@pytest.mark.parametrize("octets", [b"", b"\xff" * 40, b"\x20"])
def test_what_is_none(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        u.decode(octets)
