"""The encryption of one H.323 call (H.235.6): what both ends agreed, and the keys of its channels.

Rule 1: keys are agreed by Setup and its answer; until then nothing can be encrypted, and without it nothing is.
Rule 2: the master of H.245 makes every session key.  The opener of a channel chooses its algorithm.
Rule 3: in an encrypted channel there is one payload type, so digits go by H.245, not as telephone events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.call.media import Crypto, Encryption, Kind, Suite
from firmware.h323 import h235_media
from firmware.h323.h235_dh import KeyExchange
from firmware.h323.h235_media import AES_128, AES_256, FIRST_DYNAMIC, Algorithm, SessionKey

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence

    from firmware.asn1 import Value

_SUITES: Final = {AES_128: Suite.AES_128_CBC, AES_256: Suite.AES_256_CBC}
PAYLOAD_TYPES: Final = {Kind.AUDIO: (104, 106), Kind.VIDEO: (105, 107)}
"""Payload types of encrypted streams, in turn: another key has another than the one before."""


class H323Crypto:
    """What one call has agreed of encryption; *rng* makes its secrets."""

    def __init__(self, policy: Encryption, rng: random.Random, *, allow_weak: bool = False) -> None:
        self.policy: Final = policy
        self.master = False
        """Whether we are H.245's master."""
        self._rng = rng
        self._exchange = KeyExchange(rng, allow_weak=allow_weak)
        self._offered = False

    # Agreement

    @property
    def required(self) -> bool:
        """Whether nothing may flow in the clear."""
        return self.policy is Encryption.REQUIRED

    @property
    def agreed(self) -> bool:
        """Whether both ends have a secret."""
        return self._exchange.secret is not None

    @property
    def open(self) -> bool:
        """Whether we offered to encrypt, and may still hear that the far end can."""
        return self._offered

    def offer(self) -> list[Value]:
        """Give the ClearTokens of our Setup."""
        if self.policy is Encryption.OFF:
            return []
        self._offered = True
        return self._exchange.offer()

    def suits(self, tokens: Iterable[Value]) -> bool:
        """Whether a call with these tokens in its Setup can be had at all."""
        return not self.required or self._exchange.can_answer(tokens)

    def answer(self, tokens: Iterable[Value]) -> list[Value]:
        """Give the ClearTokens of our Connect, which answer those of the caller; empty: there is no agreement."""
        return self._exchange.answer(tokens) if self.policy is not Encryption.OFF else []

    def learn(self, tokens: Iterable[Value]) -> None:
        """Take what the far end has answered to our offer so far."""
        if self._offered:
            self._exchange.finish(tokens)
            self._offered = not self.agreed

    def finish(self, tokens: Iterable[Value]) -> None:
        """Take the far end's last word on our offer."""
        self.learn(tokens)
        self._offered = False

    # Capabilities

    def capabilities(self, entries: Iterable[int]) -> list[Value]:
        """Give the capabilities that say that these entries of our table can be received encrypted."""
        algorithms = self._algorithms if self.agreed or self._offered else ()
        return [h235_media.capability(algorithms, entry) for entry in entries] if algorithms else []

    def choose(self, algorithms: Sequence[Algorithm]) -> Algorithm | None:
        """Give the best of these that can be used in this call."""
        usable = self._algorithms if self.agreed else ()
        return next((algorithm for algorithm in usable if algorithm in algorithms), None)

    @property
    def _algorithms(self) -> tuple[Algorithm, ...]:
        secret = self._exchange.secret
        return h235_media.usable(secret.group.bits) if secret else h235_media.ALGORITHMS

    @property
    def proposed(self) -> tuple[Algorithm, ...]:
        """Give what a call of ours proposes before anything is agreed, best first."""
        return self._algorithms if self._offered else ()

    # Keys

    def make_key(self, algorithm: Algorithm, kind: Kind, payload_type: int | None = None) -> SessionKey:
        """Make the session key of a channel, for *payload_type* if that can be used."""
        if payload_type is None or payload_type < FIRST_DYNAMIC:
            payload_type = PAYLOAD_TYPES[kind][0]
        return SessionKey(algorithm, payload_type, self._rng.randbytes(algorithm.key_size))

    def make_next_key(self, key: SessionKey, kind: Kind) -> SessionKey:
        """Make the key that comes after another."""
        first, second = PAYLOAD_TYPES[kind]
        return self.make_key(key.algorithm, kind, second if key.payload_type == first else first)

    def write(self, key: SessionKey) -> Value:
        """Give the EncryptionSync of a key.  There must be an agreement."""
        secret = self._exchange.secret
        assert secret is not None
        return h235_media.write_sync(key, secret)

    def read(self, sync: Value | None, algorithms: Iterable[Algorithm]) -> SessionKey | None:
        """Read the key of a channel that may use these algorithms; None: there is none that can be used."""
        secret = self._exchange.secret
        return h235_media.read_sync(sync, secret, algorithms) if sync is not None and secret is not None else None


def crypto(key: SessionKey | None) -> Crypto | None:
    """Give what the media need to know of a key."""
    return Crypto(_SUITES[key.algorithm], key.octets, key.payload_type) if key is not None else None
