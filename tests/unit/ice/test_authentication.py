"""How a client proves itself to a server with nonces."""

from __future__ import annotations

import base64

import pytest

from firmware.call.ice import Allocation
from firmware.ice.attribute import (
    ERROR_CODE,
    NONCE,
    PASSWORD_ALGORITHM,
    PASSWORD_ALGORITHMS,
    REALM,
    USERNAME,
    ErrorCode,
    Field,
)
from firmware.ice.authentication import MAX_STALE, Authentication
from firmware.ice.credentials import long_term_key
from firmware.ice.message import ALLOCATE, Kind, Message

IDENTIFIER = bytes(range(12))


def refusal(code: int, nonce: bytes = b"one", *more: Field) -> Message:
    fields = ERROR_CODE(ErrorCode(code)), REALM("example.org"), NONCE(nonce), *more
    return Message.decode(Message.of(ALLOCATE, Kind.ERROR, IDENTIFIER, *fields).encode())


def asked(by: Authentication) -> Message:
    return Message.decode(by.request(ALLOCATE, IDENTIFIER))


def test_first_without_then_with_proof() -> None:
    by = Authentication("room", "secret")
    assert not asked(by).signatures
    assert by.learns(refusal(401))
    found = asked(by)
    assert (found.get(USERNAME), found.get(REALM), found.get(NONCE)) == ("room", "example.org", b"one")
    assert found.proves(long_term_key("room", "example.org", "secret"))


def test_a_second_401_is_the_end() -> None:
    by = Authentication("room", "wrong")
    assert by.learns(refusal(401))
    assert not by.learns(refusal(401, b"two"))


def test_stale_nonces_are_followed_but_not_forever() -> None:
    by = Authentication("room", "secret")
    assert by.learns(refusal(401))
    by.succeeded()
    for number in range(MAX_STALE):
        assert by.learns(refusal(438, b"nonce %d" % number))
        assert asked(by).get(NONCE) == b"nonce %d" % number
    assert not by.learns(refusal(438, b"again"))
    by.succeeded()
    assert by.learns(refusal(438, b"much later"))


@pytest.mark.parametrize("code", [400, 403, 437, 486, 508])
def test_other_refusals_teach_nothing(code: int) -> None:
    assert not Authentication("room", "secret").learns(refusal(code))


def test_a_challenge_without_a_nonce_is_none() -> None:
    message = Message.of(ALLOCATE, Kind.ERROR, IDENTIFIER, ERROR_CODE(ErrorCode(401)), REALM("example.org"))
    assert not Authentication("room", "secret").learns(message)


def test_sha256_where_the_server_names_it() -> None:
    by = Authentication("room", "secret")
    assert by.learns(refusal(401, b"one", PASSWORD_ALGORITHMS((2, 1))))
    found = asked(by)
    assert found.get(PASSWORD_ALGORITHMS) == (2, 1)
    assert found.get(PASSWORD_ALGORITHM) == (2,)
    assert found.proves(long_term_key("room", "example.org", "secret", sha256=True), sha256=True)


def test_md5_where_it_names_that_only() -> None:
    by = Authentication("room", "secret")
    assert by.learns(refusal(401, b"one", PASSWORD_ALGORITHMS((1,))))
    assert asked(by).proves(long_term_key("room", "example.org", "secret"), sha256=True)
    assert not Authentication("room", "secret").learns(refusal(401, b"one", PASSWORD_ALGORITHMS((7,))))


@pytest.mark.parametrize(("features", "believed"), [(0x800000, False), (0x000001, False), (0x400000, True)])
def test_nobody_can_leave_out_the_algorithms(features: int, believed: bool) -> None:
    nonce = b"obMatJos2" + base64.b64encode(features.to_bytes(3, "big")) + b"rest"
    assert Authentication("room", "secret").learns(refusal(401, nonce)) is believed


def test_nonces_that_only_look_alike() -> None:
    assert Authentication("room", "secret").learns(refusal(401, b"obMatJos2***"))


def test_only_signed_grants_are_believed() -> None:
    by = Authentication("room", "secret")
    grant = Message.of(ALLOCATE, Kind.SUCCESS, IDENTIFIER)
    key = long_term_key("room", "example.org", "secret")
    assert not by.believes(Message.decode(grant.encode(key))), "who has not asked has no key"
    by.learns(refusal(401))
    assert by.believes(Message.decode(grant.encode(key)))
    assert not by.believes(Message.decode(grant.encode()))
    assert not by.believes(Message.decode(grant.encode(b"another")))
    assert by.believes(refusal(438))
    wrong = Message.of(ALLOCATE, Kind.ERROR, IDENTIFIER, ERROR_CODE(ErrorCode(437)))
    assert not by.believes(Message.decode(wrong.encode(b"another")))


def test_somebody_else_goes_on_with_an_allocation() -> None:
    server = ("192.0.2.9", 3478)
    allocation = Allocation(1, server, ("192.0.2.9", 5), "room", "secret", "example.org", b"last", 9.0, (2,))
    found = asked(Authentication.of(allocation))
    assert found.get(NONCE) == b"last"
    assert found.proves(long_term_key("room", "example.org", "secret", sha256=True), sha256=True)
