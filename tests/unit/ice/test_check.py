"""Checks as messages: RFC 8445 7.1, 7.3."""

from __future__ import annotations

import pytest

from firmware.call.ice import Credentials
from firmware.ice import check
from firmware.ice.attribute import (
    ERROR_CODE,
    FINGERPRINT,
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    PRIORITY,
    UNKNOWN_ATTRIBUTES,
    USE_CANDIDATE,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    Field,
)
from firmware.ice.message import BINDING, Kind, Message

OURS, THEIRS = Credentials("ours", "o" * 22), Credentials("them", "t" * 22)
IDENTIFIER = bytes(range(12))


def asked(*, controlling: bool = True, nominate: bool = False) -> Message:
    """A check of theirs to us."""
    return Message.decode(
        check.request(IDENTIFIER, THEIRS, OURS, 1845494271, 7, controlling=controlling, nominate=nominate)
    )


def made(*fields: Field, key: str = OURS.password) -> Message:
    return Message.decode(Message.of(BINDING, Kind.REQUEST, IDENTIFIER, *fields).encode(key.encode()))


def test_a_check_of_ours() -> None:
    data = check.request(IDENTIFIER, OURS, THEIRS, 1845494271, 7, controlling=True)
    found = Message.decode(data)
    assert found.get(USERNAME) == "them:ours"
    assert found.get(PRIORITY) == 1845494271
    assert found.get(ICE_CONTROLLING) == 7
    assert not found.has(ICE_CONTROLLED)
    assert not found.has(USE_CANDIDATE)
    assert found.proves(THEIRS.password.encode())
    assert data[-8:-6] == FINGERPRINT.type.to_bytes(2, "big")


def test_roles_and_nomination() -> None:
    assert asked(controlling=False).get(ICE_CONTROLLED) == 7
    assert asked(nominate=True).has(USE_CANDIDATE)


def test_an_answer() -> None:
    found = Message.decode(check.success(asked(), ("192.0.2.2", 4000), OURS))
    assert (found.kind, found.transaction) == (Kind.SUCCESS, IDENTIFIER)
    assert found.get(XOR_MAPPED_ADDRESS) == ("192.0.2.2", 4000)
    assert found.proves(OURS.password.encode())


@pytest.mark.parametrize("signed", [True, False])
def test_a_refusal(signed: bool) -> None:
    found = Message.decode(check.refusal(asked(), 487, OURS if signed else None))
    error = found.get(ERROR_CODE)
    assert error is not None
    assert (error.code, error.reason) == (487, "Role Conflict")
    assert found.proves(OURS.password.encode()) is signed


def test_what_is_not_understood_is_told() -> None:
    request = made(USERNAME("ours:them"), PRIORITY(1), lambda _: (0x77, b""))
    assert check.objection(request, OURS) == 420
    assert Message.decode(check.refusal(request, 420)).get(UNKNOWN_ATTRIBUTES) == (0x77,)


OBJECTIONS: dict[str, tuple[Message, int]] = {
    "none": (asked(), 0),
    "no signature": (Message.decode(Message.of(BINDING, Kind.REQUEST, IDENTIFIER).encode()), 400),
    "no name": (made(PRIORITY(1)), 400),
    "no priority": (made(USERNAME("ours:them")), 400),
    "another password": (made(USERNAME("ours:them"), PRIORITY(1), key="x"), 401),
    "another name": (made(USERNAME("else:them"), PRIORITY(1)), 401),
    "a name that begins alike": (made(USERNAME("ours2:them"), PRIORITY(1)), 401),
}


@pytest.mark.parametrize(("message", "code"), OBJECTIONS.values(), ids=OBJECTIONS)
def test_objections(message: Message, code: int) -> None:
    assert check.objection(message, OURS) == code
