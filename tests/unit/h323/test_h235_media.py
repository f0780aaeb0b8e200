"""Session keys from master to slave, and what H.245 says of encrypted channels."""

from __future__ import annotations

import random

import pytest

from firmware.asn1 import Value
from firmware.h323 import h235_media, h245
from firmware.h323.h235_dh import GROUPS, KeyExchange, Secret
from firmware.h323.h235_media import AES_128, AES_256, ALGORITHMS, Algorithm, SessionKey
from firmware.h323.h235_types import H235_KEY

SECRET = Secret(GROUPS[0], int.from_bytes(bytes(range(240)), "big"))
KEY = SessionKey(AES_128, 104, bytes(range(100, 116)))


def agreed() -> tuple[Secret, Secret]:
    caller, called = KeyExchange(random.Random(1)), KeyExchange(random.Random(2))
    caller.finish(called.answer(caller.offer()))
    assert caller.secret is not None
    assert called.secret is not None
    return caller.secret, called.secret


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda algorithm: str(algorithm.key_size))
def test_a_key_reaches_the_other_end(algorithm: Algorithm) -> None:
    ours, theirs = agreed()
    key = SessionKey(algorithm, 105, random.Random(3).randbytes(algorithm.key_size))
    sync = h235_media.write_sync(key, ours)
    assert h235_media.read_sync(sync, theirs, [algorithm]) == key
    assert key.octets not in sync["h235Key"]


def test_the_wire_is_that_of_h3235_6() -> None:
    # FIPS 197 appendix C.1: the last 16 octets of the secret are the key, and the vector of the transport is zero.
    secret = Secret(GROUPS[0], int("ff000102030405060708090a0b0c0d0e0f", 16))
    key = SessionKey(AES_128, 104, bytes.fromhex("00112233445566778899aabbccddeeff"))
    sync = h235_media.write_sync(key, secret)
    assert sync["synchFlag"] == 104
    assert H235_KEY.decode(sync["h235Key"]) == (
        "secureSharedSecret",
        {
            "algorithmOID": "2.16.840.1.101.3.4.1.2",
            "paramS": {},
            "encryptedSessionKey": bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a"),
        },
    )


def test_a_wrong_secret_gives_another_key() -> None:
    sync = h235_media.write_sync(KEY, SECRET)
    read = h235_media.read_sync(sync, Secret(GROUPS[0], SECRET.value + 1), [AES_128])
    assert read is not None
    assert read.octets != KEY.octets


def sync_of(material: Value, flag: int = 104, kind: str = "secureSharedSecret") -> Value:
    return {"synchFlag": flag, "h235Key": H235_KEY.encode((kind, material))}


def material(**more: Value) -> Value:
    octets = {"algorithmOID": AES_128.identifier, "paramS": {}, "encryptedSessionKey": bytes(16), **more}
    return {name: value for name, value in octets.items() if value is not None}


def test_the_vector_and_a_missing_algorithm_are_taken_as_they_come() -> None:
    plain = h235_media.read_sync(sync_of(material()), SECRET, ALGORITHMS)
    unnamed = h235_media.read_sync(sync_of(material(algorithmOID=None)), SECRET, ALGORITHMS)
    other = h235_media.read_sync(sync_of(material(paramS={"iv16": b"\x01" * 16})), SECRET, ALGORITHMS)
    assert plain == unnamed
    assert plain is not None
    assert other is not None
    assert bytes(a ^ 1 for a in plain.octets) == other.octets


@pytest.mark.parametrize(
    "sync",
    [
        {"synchFlag": 104, "h235Key": b"\xff\xff"},
        {"synchFlag": 104, "h235Key": b"\x00"},
        sync_of((0, 128), kind="secureChannel"),
        sync_of(material(), flag=0),
        sync_of(material(), flag=95),
        sync_of(material(), flag=128),
        sync_of(material(encryptedSessionKey=None)),
        sync_of(material(encryptedSessionKey=b"")),
        sync_of(material(encryptedSessionKey=bytes(15))),
        sync_of(material(encryptedSessionKey=bytes(32))),
        sync_of(material(algorithmOID="1.2.3")),
        sync_of(material(algorithmOID=AES_256.identifier, encryptedSessionKey=bytes(32))),  # not of this channel
        sync_of(material(algorithmOID=None, encryptedSessionKey=bytes(5))),
        sync_of(material(paramS={"iv": bytes(5)})),
    ],
    ids=str,
)
def test_what_gives_no_key(sync: Value) -> None:
    assert h235_media.read_sync(sync, SECRET, [AES_128]) is None


def test_the_key_is_not_shown() -> None:
    assert repr(KEY.octets) not in repr(KEY)
    assert KEY.octets.hex() not in repr(KEY)


def test_capabilities_travel() -> None:
    name, content = h235_media.capability(ALGORITHMS, 7)
    table = [{"capabilityTableEntryNumber": 1, "capability": (name, content)}]
    message = (
        "request",
        (
            "terminalCapabilitySet",
            {"sequenceNumber": 1, "protocolIdentifier": h245.IDENTIFIER, "capabilityTable": table},
        ),
    )
    decoded = h245.MESSAGE.decode(h245.MESSAGE.encode(message))
    assert decoded == message
    assert content["mediaCapability"] == 7
    assert h235_media.read_security(content["encryptionAuthenticationAndIntegrity"]) == ALGORITHMS


def test_what_everybody_has_is_named_first() -> None:
    named = h235_media.security(ALGORITHMS)["encryptionCapability"]
    assert named == [("algorithm", AES_128.identifier), ("algorithm", AES_256.identifier)]


def test_other_algorithms_are_passed_over() -> None:
    nonstandard = ("nonStandard", {"nonStandardIdentifier": ("object", "1.2.3"), "data": b""})
    said = [nonstandard, ("algorithm", "1.3.14.3.2.6"), ("algorithm", AES_128.identifier)]
    assert h235_media.read_security({"encryptionCapability": said}) == (AES_128,)
    assert h235_media.read_security({}) == ()


def test_data_types_are_wrapped() -> None:
    data_type = ("audioData", ("g711Ulaw64k", 20))
    wrapped = h235_media.wrap(data_type, AES_128)
    assert wrapped[0] == "h235Media"
    assert h235_media.unwrap(wrapped) == (data_type, (AES_128,))
    assert h235_media.unwrap(data_type) == (data_type, None)


def test_a_long_key_wants_a_large_group() -> None:
    assert h235_media.usable(2048) == (AES_256, AES_128)
    assert h235_media.usable(1536) == h235_media.usable(1024) == (AES_128,)
