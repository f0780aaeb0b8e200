"""The baseline security profile of H.235.1, procedure I: HMAC-SHA1-96 over the whole message.

Rule 1: the key is the SHA-1 of the password (H.235.1 7.1); the hash covers the encoded message, in which the 96 bits
of the hash itself are zero (H.235.1 7.2).
Rule 2: nothing in a token is believed before its hash is right.
Rule 3: a message counts once: its time stamp and random number together are not accepted again (H.235.1 7.1).
"""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from typing import TYPE_CHECKING, Final

from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h235 import HASHED_MESSAGE, HASHED_TOKEN, HMAC_SHA1_96, MISSING
from firmware.h323.ras_message import text

if TYPE_CHECKING:
    import random
    from collections.abc import Collection

    from firmware.h323.ras_message import Body

WINDOW: Final = 2 * 3600
"""Seconds that two clocks may differ: rooms without NTP exist, and a replay is found by `Replays` all the same."""
HASH_LENGTH: Final = 12
"""Octets of the truncated HMAC (RFC 2404)."""
_OIDS: Final = (HASHED_MESSAGE, HASHED_TOKEN, HMAC_SHA1_96)
_MAX_PLACES: Final = 8
"""How many places in a message are tried that look like the hash."""


class Replays:
    """Remembers the marks of accepted messages, the last *most* of them; what is older than all is refused."""

    def __init__(self, most: int = 512) -> None:
        self._most = most
        self._seen: set[tuple[int, int]] = set()
        self._order: deque[tuple[int, int]] = deque()
        self._floor = 0

    def accept(self, time: int, random: int) -> bool:
        """Take a message's mark; False if it may have been there before."""
        mark = (time, random)
        if time < self._floor or mark in self._seen:
            return False
        self._seen.add(mark)
        self._order.append(mark)
        if len(self._order) > self._most:
            old = self._order.popleft()
            self._seen.discard(old)
            self._floor = max(self._floor, old[0] + 1)
        return True


class Baseline:
    """Protects what we send and checks what we get, with one key."""

    mutual = True

    def __init__(self, password: str, rng: random.Random) -> None:
        self._key = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
        self._random = rng.getrandbits(30)
        self._replays = Replays()

    def protect(self, name: str, body: Body, *, sender: str, recipient: str, time: int) -> bytes:
        """Encode a message with its token; an empty *recipient* (not known yet) is left out."""
        self._random = self._random + 1 & 0x7FFFFFFF
        clear: Body = {"tokenOID": HASHED_TOKEN, "timeStamp": time, "random": self._random, "sendersID": sender}
        if recipient:
            clear["generalID"] = recipient
        hashed: Body = {"algorithmOID": HMAC_SHA1_96, "paramS": {}, "hash": (0, 8 * HASH_LENGTH)}
        token: Body = {"tokenOID": HASHED_MESSAGE, "hashedVals": clear, "token": hashed}
        message: tuple[str, Body] = (
            name,
            {**body, "cryptoTokens": [("nestedcryptoToken", ("cryptoHashedToken", token))]},
        )
        digest = self._digest(RAS_MESSAGE.encode(message))
        hashed["hash"] = (int.from_bytes(digest, "big"), 8 * HASH_LENGTH)
        return RAS_MESSAGE.encode(message)

    def verify(
        self, body: Body, data: bytes, *, senders: Collection[str], recipients: Collection[str], time: int
    ) -> str:
        """Say what is wrong with a received message, in the words of SecurityErrors2."""
        token = hashed_token(body)
        if token is None:
            return MISSING
        hashed, clear = token["token"], token["hashedVals"]
        if (token["tokenOID"], clear["tokenOID"], hashed["algorithmOID"]) != _OIDS:
            return "securityWrongOID"
        if not self._matches(data, hashed["hash"]):
            return "securityIntegrityFailed"
        if abs(clear.get("timeStamp", 0) - time) > WINDOW:
            return "securityWrongSyncTime"
        if text(clear, "generalID") not in recipients:
            return "securityWrongGeneralID"
        if senders and text(clear, "sendersID") not in senders:
            return "securityWrongSendersID"
        if not self._replays.accept(clear.get("timeStamp", 0), clear.get("random", 0)):
            return "securityReplay"
        return ""

    def _digest(self, data: bytes) -> bytes:
        return hmac.new(self._key, data, hashlib.sha1).digest()[:HASH_LENGTH]

    def _matches(self, data: bytes, value: tuple[int, int]) -> bool:
        """Whether this hash stands in the message, and is the hash of the message without it.

        The hash is looked for in the octets as they came: a message of a newer version, encoded again by us, would not
        be the same.  A BIT STRING of this length begins on an octet (X.691 16.10).
        """
        if value[1] != 8 * HASH_LENGTH:
            return False
        received = value[0].to_bytes(HASH_LENGTH, "big")
        at = data.find(received)
        for _ in range(_MAX_PLACES):
            if at < 0:
                return False
            zeroed = data[:at] + bytes(HASH_LENGTH) + data[at + HASH_LENGTH :]
            if hmac.compare_digest(self._digest(zeroed), received):
                return True
            at = data.find(received, at + 1)
        return False


def hashed_token(body: Body) -> Body | None:
    """Give the first cryptoHashedToken of a message."""
    for value in body.get("cryptoTokens", ()):
        match value:
            case ("nestedcryptoToken", ("cryptoHashedToken", dict(token))):
                return token
    return None
