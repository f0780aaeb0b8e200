"""The Diffie-Hellman exchange of a call (H.235.6 clause 8): half keys in ClearTokens of Setup and of its answer.

Rule 1: only the groups of the table are used, by their own numbers: what a token says of modulus and generator must be
those of its group, or that token counts for nothing.
Rule 2: an exponent serves one call.
Rule 3: the exchange proves nothing about who is at the other end; it keeps out whoever only listens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from firmware.asn1 import Value

VERSION_3: Final = "0.0.8.235.0.3.24"
"""tokenOID of a token without content: the sender knows V3KeySyncMaterial (H.235.6 8.2)."""
MAX_TOKENS: Final = 16
"""ClearTokens of one message that are looked at; H323Plus sends 8."""
EXPONENT: Final = 256
"""Bits of a secret exponent: twice the strength of the strongest group and more (NIST SP 800-56A 5.6.1.1.1)."""
GENERATOR: Final = 2


@dataclass(frozen=True, slots=True)
class Group:
    """A group of numbers."""

    identifier: str
    """tokenOID (H.235.6 table 4)."""
    bits: int
    prime: int
    weak: bool = False
    """Within reach of those who can spend much: for use only where the administrator allows it."""


def _prime(bits: int, pi: int) -> int:
    """Give the prime of RFC 2409 and RFC 3526 of so many bits, which is made of pi and *pi*, a number of theirs."""
    return (1 << bits) - (1 << bits - 64) - 1 + (1 << 64) * (_pi(bits - 130) + pi)


def _pi(bits: int) -> int:
    """Give 2^bits pi, rounded down (Machin's formula)."""
    guard = bits + 32

    def arctangent(inverse: int) -> int:
        total = term = (1 << guard) // inverse
        divisor, sign = 1, -1
        while term:
            term //= inverse * inverse
            divisor += 2
            total += sign * (term // divisor)
            sign = -sign
        return total

    return 4 * (4 * arctangent(5) - arctangent(239)) >> guard - bits


GROUPS: Final = (
    Group("0.0.8.235.0.3.45", 2048, _prime(2048, 124_476)),  # RFC 3526 clause 3
    Group("0.0.8.235.0.3.44", 1536, _prime(1536, 741_804)),  # RFC 3526 clause 2
    Group("0.0.8.235.0.3.43", 1024, _prime(1024, 129_093), weak=True),  # RFC 2409 6.2
)
"""Best first."""
_OFFERED: Final = (2048, 1024)
"""Bits of the groups that a call of ours offers: what everybody has who has more than one, and what everybody has."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What both ends know, and nobody else."""

    group: Group
    value: int = field(repr=False)

    def key(self, size: int) -> bytes:
        """Give a key of so many octets: the least significant ones (H.235.6 8.4)."""
        return self.value.to_bytes(self.group.bits // 8, "big")[-size:]


class KeyExchange:
    """One end of the exchange of one call: `offer` and `finish` for the caller, `answer` for the called."""

    def __init__(self, rng: random.Random, *, allow_weak: bool = False) -> None:
        self._rng = rng
        self._groups = tuple(group for group in GROUPS if allow_weak or not group.weak)
        self._exponents: dict[str, int] = {}
        self.secret: Secret | None = None
        """None: nothing is agreed."""

    def __repr__(self) -> str:
        return f"<KeyExchange, {'agreed' if self.secret else 'not agreed'}>"

    def offer(self) -> list[Value]:
        """Give the ClearTokens of a Setup, a half key for each group."""
        groups = [group for group in self._groups if group.bits in _OFFERED]
        return [{"tokenOID": VERSION_3}, *(self._token(group) for group in groups)]

    def answer(self, tokens: Iterable[Value]) -> list[Value]:
        """Give the ClearTokens that answer those of a Setup, after which the secret is agreed; empty: it is not."""
        found = self._find(tokens)
        if found is None:
            return []
        group, half_key = found
        token = self._token(group)
        self._agree(group, half_key)
        return [{"tokenOID": VERSION_3}, token]

    def can_answer(self, tokens: Iterable[Value]) -> bool:
        """Whether `answer` would agree."""
        return self._find(tokens) is not None

    def finish(self, tokens: Iterable[Value]) -> None:
        """Take the answer to our offer; one that has nothing of it changes nothing."""
        found = self._find(tokens) if self.secret is None else None
        if found is not None and found[0].identifier in self._exponents:
            self._agree(*found)

    def _token(self, group: Group) -> Value:
        exponent = self._exponents[group.identifier] = self._rng.getrandbits(EXPONENT) | 1 << EXPONENT - 1
        # The widths are H323Plus's, which reads no others.
        generator_bits = group.bits if group.weak else 8
        return {
            "tokenOID": group.identifier,
            "dhkey": {
                "halfkey": (pow(GENERATOR, exponent, group.prime), group.bits),
                "modSize": (group.prime, group.bits),
                "generator": (GENERATOR, generator_bits),
            },
        }

    def _find(self, tokens: Iterable[Value]) -> tuple[Group, int] | None:
        """Give the best group that there is a good half key for."""
        keys = {token["tokenOID"]: token["dhkey"] for token in list(tokens)[:MAX_TOKENS] if "dhkey" in token}
        for group in self._groups:
            half_key = _half_key(group, keys[group.identifier]) if group.identifier in keys else None
            if half_key is not None:
                return group, half_key
        return None

    def _agree(self, group: Group, half_key: int) -> None:
        self.secret = Secret(group, pow(half_key, self._exponents[group.identifier], group.prime))
        self._exponents.clear()


def _half_key(group: Group, key: Value) -> int | None:
    """Read a DHset; None: it is not of this group, or no half key that keeps a secret."""
    prime, generator = key["modSize"], key["generator"]
    # Both may be left out, as an empty string of bits, since the group's name says them.
    if (prime[1] and prime[0] != group.prime) or (generator[1] and generator[0] != GENERATOR):
        return None
    half_key: int = key["halfkey"][0]
    # NIST SP 800-56A 5.6.2.3.1: with 0, 1 and -1 the secret would be known to everybody.
    return half_key if 1 < half_key < group.prime - 1 else None
