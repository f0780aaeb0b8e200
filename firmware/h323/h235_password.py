"""Tokens that only show that their sender knew the password: MD5 over a ClearToken, and CAT.

Rule: gatekeepers that ask for these compute them as Cisco's do, which is a detail wider than the Recommendation says:
the strings under the MD5 end with a NUL character, and so does a CAT's generalID.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h235 import CAT, MD5, OneWay
from firmware.h323.h235_types import CLEAR_TOKEN
from firmware.h323.ras_alias import encode_alias, guess

if TYPE_CHECKING:
    import random

    from firmware.h323.ras_message import Body

_NO_TOKEN: Final = "0.0"
"""tokenOID under an MD5: it is never sent."""


def password_digest(user: str, password: str, time: int) -> bytes:
    """Give the MD5 of cryptoEPPwdHash (H.225.0: over a ClearToken with name, password and time)."""
    token = {"tokenOID": _NO_TOKEN, "timeStamp": time, "password": f"{password}\0", "generalID": f"{user}\0"}
    return hashlib.md5(CLEAR_TOKEN.encode(token), usedforsecurity=False).digest()


def cat_challenge(password: str, random: int, time: int) -> bytes:
    """Give the challenge of a CAT: the MD5 of one random octet, the password and the time."""
    octets = bytes([random]) + password.encode() + time.to_bytes(4, "big")
    return hashlib.md5(octets, usedforsecurity=False).digest()


class PasswordHash(OneWay):
    """cryptoEPPwdHash with MD5, in every message."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password

    def protect(self, name: str, body: Body, *, sender: str, recipient: str, time: int) -> bytes:  # noqa: ARG002
        """Encode a message with its token; what names the sender in it is the user."""
        digest = password_digest(self._user, self._password, time)
        token: Body = {
            "alias": encode_alias(guess(self._user)),
            "timeStamp": time,
            "token": {"algorithmOID": MD5, "paramS": {}, "hash": (int.from_bytes(digest, "big"), 128)},
        }
        return RAS_MESSAGE.encode((name, {**body, "cryptoTokens": [("cryptoEPPwdHash", token)]}))


class CallAccessToken(OneWay):
    """CAT, the Cisco access token, in every message."""

    def __init__(self, user: str, password: str, rng: random.Random) -> None:
        self._user = user
        self._password = password
        self._random = rng.getrandbits(8)

    def protect(self, name: str, body: Body, *, sender: str, recipient: str, time: int) -> bytes:  # noqa: ARG002
        """Encode a message with its token; what names the sender in it is the user."""
        self._random = self._random + 1 & 0xFF
        token: Body = {
            "tokenOID": CAT,
            "timeStamp": time,
            "challenge": cat_challenge(self._password, self._random, time),
            "random": self._random,
            "generalID": f"{self._user}\0",
        }
        return RAS_MESSAGE.encode((name, {**body, "tokens": [token]}))
