"""Long-term credentials: how a client proves itself to a server that gives nonces (RFC 8489 9.2).

Rule 1: the first request goes without proof; what the server says in its 401 is used from then on.
Rule 2: 438 says a new nonce, and the request goes again; a 401 to a request that was signed is the end of it.
Rule 3: a server that names password algorithms gets SHA-256 if it can, and each request repeats what it named, so that
nobody on the way can leave the better one out (RFC 8489 9.2.1).
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from firmware.call.ice import Allocation
from firmware.ice.attribute import (
    ERROR_CODE,
    MD5,
    NONCE,
    PASSWORD_ALGORITHM,
    PASSWORD_ALGORITHMS,
    REALM,
    SHA256,
    USERNAME,
    Field,
)
from firmware.ice.credentials import long_term_key
from firmware.ice.error import STALE_NONCE, UNAUTHENTICATED
from firmware.ice.message import Kind, Message

MAX_STALE: Final = 3
"""Nonces that one request is sent with, one after the other."""
_COOKIE: Final = b"obMatJos2"
"""RFC 8489 9.2: with it a nonce begins that tells features of the server."""
_ALGORITHMS: Final = 0x800001
"""Bit 0 of these features; in the standard's own example it is counted from the right."""


class Authentication:
    """Who we are to one server."""

    def __init__(self, username: str, password: str) -> None:
        self.realm = ""
        self.nonce = b""
        self.algorithms: tuple[int, ...] = ()
        self._username = username
        self._password = password
        self._key = b""
        self._stale = 0

    @classmethod
    def of(cls, allocation: Allocation) -> Authentication:
        """Go on as whoever made the allocation."""
        self = cls(allocation.username, allocation.password)
        self._use(allocation.realm, allocation.nonce, allocation.algorithms)
        return self

    def request(self, method: int, identifier: bytes, *fields: Field) -> bytes:
        """Give the octets of a request, signed if we know how."""
        if not self._key:
            return Message.of(method, Kind.REQUEST, identifier, *fields).encode()
        known = [USERNAME(self._username), REALM(self.realm), NONCE(self.nonce)]
        if self.algorithms:  # RFC 8489 9.2.3.1
            known += [PASSWORD_ALGORITHMS(self.algorithms), PASSWORD_ALGORITHM((self._algorithm,))]
        message = Message.of(method, Kind.REQUEST, identifier, *fields, *known)
        return message.encode(self._key, sha256=bool(self.algorithms))

    def believes(self, message: Message) -> bool:
        """Whether an answer is the server's: signed, as all are that matter but the errors that ask for a proof."""
        if message.kind is Kind.ERROR and not message.signatures:
            return True  # RFC 8489 9.2.5: 401 and 438 can't be signed, and servers sign few of the others
        return bool(self._key) and message.proves(self._key, sha256=bool(self.algorithms))

    def learns(self, message: Message) -> bool:
        """Take what a 401 or 438 says; False: asking again is no use."""
        error, realm, nonce = message.get(ERROR_CODE), message.get(REALM), message.get(NONCE)
        if error is None or nonce is None or error.code not in (UNAUTHENTICATED, STALE_NONCE):
            return False
        self._stale += 1
        if self._stale > MAX_STALE or (error.code == UNAUTHENTICATED and self._key):
            return False
        named = message.get(PASSWORD_ALGORITHMS)
        algorithms = named if named is not None else ()
        if not algorithms and _names_algorithms(nonce):
            return False  # RFC 8489 9.2.5: somebody has left them out
        if algorithms and not {MD5, SHA256} & set(algorithms):
            return False
        self._use(realm or self.realm, nonce, algorithms)
        return True

    def succeeded(self) -> None:
        """A request was granted: the nonce is good."""
        self._stale = 0

    @property
    def _algorithm(self) -> int:
        return SHA256 if SHA256 in self.algorithms else MD5

    def _use(self, realm: str, nonce: bytes, algorithms: tuple[int, ...]) -> None:
        self.realm, self.nonce, self.algorithms = realm, nonce, algorithms
        self._key = long_term_key(self._username, realm, self._password, sha256=self._algorithm == SHA256)


def _names_algorithms(nonce: bytes) -> bool:
    if not nonce.startswith(_COOKIE):
        return False
    try:
        features = base64.b64decode(nonce[len(_COOKIE) : len(_COOKIE) + 4], validate=True)
    except binascii.Error:
        return False
    return bool(int.from_bytes(features, "big") & _ALGORITHMS)
