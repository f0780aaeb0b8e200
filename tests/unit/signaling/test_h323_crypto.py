"""What one call agrees of encryption: policies, keys from master to slave, and what is said of it."""

from __future__ import annotations

import random

import pytest

from firmware.call.media import Crypto, Encryption, Kind, Suite
from firmware.h323.h235_dh import VERSION_3
from firmware.h323.h235_media import AES_128, AES_256, SessionKey
from firmware.signaling.h323_crypto import PAYLOAD_TYPES, H323Crypto, crypto

OFF, PREFERRED, REQUIRED = Encryption


def make(policy: Encryption = PREFERRED, seed: int = 1) -> H323Crypto:
    return H323Crypto(policy, random.Random(seed))


def pair() -> tuple[H323Crypto, H323Crypto]:
    """A caller, which is the master, and whom it called."""
    caller, called = make(), make(seed=2)
    caller.finish(called.answer(caller.offer()))
    caller.master = True
    return caller, called


def test_both_ends_agree() -> None:
    caller, called = make(), make(seed=2)
    offer = caller.offer()
    assert (caller.open, caller.agreed) == (True, False)
    answer = called.answer(offer)
    assert called.agreed
    caller.learn(())
    assert caller.open, "the answer may be in a later message"
    caller.learn(answer)
    assert (caller.open, caller.agreed) == (False, True)


def test_without_an_answer_there_is_no_agreement() -> None:
    caller = make()
    caller.offer()
    caller.finish(())
    assert (caller.open, caller.agreed) == (False, False)
    caller.finish(make(seed=2).answer(make().offer()))
    assert not caller.agreed, "too late"
    assert caller.capabilities([1]) == []


def test_who_wants_none_says_nothing() -> None:
    off = make(OFF)
    assert off.offer() == off.answer(make().offer()) == off.capabilities([1]) == []
    assert not off.open
    assert not off.agreed
    assert off.suits(())


@pytest.mark.parametrize(("policy", "suits"), [(OFF, True), (PREFERRED, True), (REQUIRED, False)])
def test_calls_without_keys_suit_who_need_not_have_them(policy: Encryption, suits: bool) -> None:
    assert make(policy).suits(()) is suits
    assert make(policy).suits([{"tokenOID": VERSION_3}]) is suits
    assert make(policy).suits(make().offer())


def test_capabilities_follow_what_is_agreed() -> None:
    caller, _ = pair()
    names = [(name, content["mediaCapability"]) for name, content in caller.capabilities([3, 5])]
    assert names == [("h235SecurityCapability", 3), ("h235SecurityCapability", 5)]
    assert make().capabilities([3]) == [], "nothing is offered and nothing agreed"


def test_the_best_algorithm_that_both_have() -> None:
    caller, _ = pair()
    assert caller.choose([AES_128, AES_256]) == AES_256
    assert caller.choose([AES_128]) == AES_128
    assert caller.choose([]) is None
    assert make().choose([AES_128]) is None, "nothing is agreed"


@pytest.mark.parametrize("algorithm", [AES_128, AES_256])
def test_a_key_goes_from_master_to_slave(algorithm: object) -> None:
    caller, called = pair()
    key = caller.make_key(algorithm, Kind.VIDEO)  # type: ignore[arg-type]
    assert called.read(caller.write(key), [algorithm]) == key  # type: ignore[list-item]
    assert called.read(None, [AES_128]) is None
    assert make().read(caller.write(key), [AES_128, AES_256]) is None


def test_the_payload_type_that_was_asked_for_where_it_can_be() -> None:
    caller, _ = pair()
    assert caller.make_key(AES_128, Kind.AUDIO, 97).payload_type == 97
    for asked in (None, 0, 34):
        assert caller.make_key(AES_128, Kind.AUDIO, asked).payload_type == PAYLOAD_TYPES[Kind.AUDIO][0]


def test_the_next_key_is_another_under_another_payload_type() -> None:
    caller, _ = pair()
    keys = [caller.make_key(AES_256, Kind.AUDIO)]
    for _ in range(3):
        keys.append(caller.make_next_key(keys[-1], Kind.AUDIO))
        assert keys[-1].payload_type != keys[-2].payload_type
        assert keys[-1].algorithm == AES_256
    assert len({key.octets for key in keys}) == 4


def test_what_the_media_get() -> None:
    key = SessionKey(AES_256, 106, bytes(32))
    assert crypto(key) == Crypto(Suite.AES_256_CBC, bytes(32), 106)
    assert crypto(None) is None
