"""Diffie-Hellman by ClearTokens: the groups, the agreement, and tokens that would give the secret away."""

from __future__ import annotations

import random

import pytest

from firmware.asn1 import Value
from firmware.h323.h235_dh import GENERATOR, GROUPS, MAX_TOKENS, VERSION_3, KeyExchange
from firmware.h323.h235_types import CLEAR_TOKEN

ENDS = {
    2048: "98fa051015728e5a8aacaa68ffffffffffffffff",
    1536: "670c354e4abc9804f1746c08ca237327ffffffffffffffff",
    1024: "ae9f24117c4b1fe649286651ece65381ffffffffffffffff",
}
"""As RFC 3526 clauses 2 and 3 and RFC 2409 6.2 print them."""
BEGINNING = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd1"


def exchange(seed: int, *, allow_weak: bool = False) -> KeyExchange:
    return KeyExchange(random.Random(seed), allow_weak=allow_weak)


def carried(tokens: list[Value]) -> list[Value]:
    """As the far end decodes them."""
    return [CLEAR_TOKEN.decode(CLEAR_TOKEN.encode(token)) for token in tokens]


def named(tokens: list[Value]) -> list[str]:
    return [token["tokenOID"] for token in tokens]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.bits))
def test_groups_are_those_of_the_rfcs(group: object) -> None:
    text = f"{group.prime:x}"  # type: ignore[attr-defined]
    assert len(text) * 4 == group.bits  # type: ignore[attr-defined]
    assert text.startswith(BEGINNING)
    assert text.endswith(ENDS[group.bits])  # type: ignore[attr-defined]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.bits))
def test_primes_are_safe(group: object) -> None:
    prime = group.prime  # type: ignore[attr-defined]
    half = (prime - 1) // 2
    assert pow(3, prime - 1, prime) == pow(3, half - 1, half) == 1


@pytest.mark.parametrize("allow_weak", [False, True])
def test_both_ends_get_one_secret(allow_weak: bool) -> None:
    caller, called = exchange(1, allow_weak=allow_weak), exchange(2, allow_weak=allow_weak)
    caller.finish(carried(called.answer(carried(caller.offer()))))
    assert caller.secret is not None
    assert caller.secret == called.secret
    assert caller.secret.group.bits == 2048
    assert caller.secret.key(16) == caller.secret.key(32)[16:]
    assert len(caller.secret.key(32)) == 32


def test_other_calls_have_other_secrets() -> None:
    secrets = set()
    for seed in range(3):
        caller, called = exchange(seed), exchange(seed + 100)
        called.answer(caller.offer())
        secrets.add(called.secret)
    assert len(secrets) == 3


def test_the_offer_names_version_and_groups() -> None:
    assert named(exchange(1).offer()) == [VERSION_3, "0.0.8.235.0.3.45"]
    assert named(exchange(1, allow_weak=True).offer()) == [VERSION_3, "0.0.8.235.0.3.45", "0.0.8.235.0.3.43"]


def test_half_keys_are_as_wide_as_their_group() -> None:
    for token in exchange(1, allow_weak=True).offer()[1:]:
        group = next(group for group in GROUPS if group.identifier == token["tokenOID"])
        key = token["dhkey"]
        assert key["halfkey"][1] == key["modSize"][1] == group.bits
        assert key["generator"][0] == GENERATOR


def test_the_weak_group_only_where_it_is_allowed() -> None:
    weak_only = [token for token in exchange(1, allow_weak=True).offer() if token["tokenOID"] != GROUPS[0].identifier]
    strict, lax = exchange(2), exchange(3, allow_weak=True)
    assert strict.answer(weak_only) == []
    assert strict.secret is None
    assert named(lax.answer(weak_only)) == [VERSION_3, "0.0.8.235.0.3.43"]
    assert lax.secret is not None
    assert lax.secret.group.weak


def token_of(index: int, half_key: int, **more: Value) -> Value:
    group = GROUPS[index]
    key = {
        "halfkey": (half_key, group.bits),
        "modSize": (group.prime, group.bits),
        "generator": (GENERATOR, 8),
        **more,
    }
    return {"tokenOID": group.identifier, "dhkey": key}


def test_the_group_between_is_answered() -> None:
    called = exchange(1)
    assert named(called.answer([token_of(1, 4711)])) == [VERSION_3, "0.0.8.235.0.3.44"]


def test_modulus_and_generator_may_be_left_out() -> None:
    called = exchange(1)
    assert called.answer([token_of(0, 4711, modSize=(0, 0), generator=(0, 0))])


PRIME = GROUPS[0].prime


@pytest.mark.parametrize(
    "token",
    [
        token_of(0, 0),
        token_of(0, 1),
        token_of(0, PRIME - 1),
        token_of(0, PRIME),
        token_of(0, 2**2048 - 1),
        token_of(0, 4711, modSize=(PRIME - 2, 2048)),  # a modulus of somebody's own
        token_of(0, 4711, modSize=(15, 4)),
        token_of(0, 4711, generator=(1, 8)),
        token_of(0, 4711, generator=(PRIME - 1, 2048)),
        {"tokenOID": GROUPS[0].identifier},
        {"tokenOID": "0.0.8.235.0.3.40", "dhkey": token_of(0, 4711)["dhkey"]},  # 512 bits
        {"tokenOID": VERSION_3},
    ],
)
def test_tokens_that_give_no_secret(token: Value) -> None:
    called = exchange(1)
    assert called.answer([token]) == []
    assert called.secret is None


def test_an_answer_in_a_group_that_was_not_offered_is_none() -> None:
    caller = exchange(1)
    caller.offer()
    caller.finish([token_of(1, 4711)])
    assert caller.secret is None


def test_the_first_answer_counts() -> None:
    caller = exchange(1)
    caller.offer()
    caller.finish([token_of(0, 4711)])
    secret = caller.secret
    caller.finish([token_of(0, 4712)])
    assert caller.secret is secret


def test_not_more_tokens_are_looked_at_than_makes_sense() -> None:
    called = exchange(1)
    assert called.answer([{"tokenOID": VERSION_3}] * MAX_TOKENS + [token_of(0, 4711)]) == []


def test_secrets_are_not_shown() -> None:
    caller, called = exchange(1), exchange(2)
    called.answer(caller.offer())
    assert called.secret is not None
    shown = repr(called) + repr(called.secret) + repr(caller)
    assert str(called.secret.value) not in shown
    assert not any(str(exponent) in shown for exponent in caller._exponents.values())
