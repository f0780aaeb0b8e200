"""Digest authentication (RFC 7616), as SIP uses it (RFC 3261 22.4, RFC 8760): challenges read, answers written.

- Realm, nonce and opaque stay as they stood between their quotes, escapes and all: so they are hashed (RFC 7616 3.3:
  "unq(X) denotes the value of the quoted-string X without the surrounding quotes") and so they go back.
- Of several challenges for one realm the strongest that we know is answered (RFC 8760 2.4 leaves that to a policy of
  ours; otherwise it would be the topmost).
- A challenge that can't be answered (another scheme, an unknown algorithm, a qop that is neither ``auth`` nor
  ``auth-int``) is as if it were not there.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.sip.grammar import TOKEN, quote

if TYPE_CHECKING:
    from firmware.sip.message import Headers

MAX_CHALLENGES: Final = 8
"""Of one response that are looked at: a few realms, each with the algorithms of RFC 8760."""
MAX_PARAMETERS: Final = 32
"""Of one challenge; the standard knows nine."""
MAX_VALUE: Final = 1024
"""Characters of one value, which we have to send back; servers take about 60 for a nonce."""

_HASHES: Final = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
"""RFC 8760 2.1, the weakest first: the name on the wire, and hashlib's."""
_SESSION: Final = "-SESS"
_AUTH, _AUTH_INT = "auth", "auth-int"

_SCHEME: Final = re.compile(rf"[ \t]*+({TOKEN}++)[ \t]++")
_PARAMETER: Final = re.compile(
    rf'[ \t,]*+({TOKEN}++)[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.)*+)"|([^ \t,"]*+))[ \t]*+(?=,|\Z)', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server wants to see a password's digest over (RFC 7616 3.3)."""

    realm: str
    nonce: str
    algorithm: str = ""
    """As it was written; "" where nothing was: MD5 then."""
    qop: tuple[str, ...] = ()
    """In lower case; none from a server of RFC 2069."""
    opaque: str | None = None
    stale: bool = False
    """The digest before was right, but its nonce is too old."""
    proxy: bool = False
    """Of a proxy (407), not of a user agent server or registrar (401)."""

    @classmethod
    def parse(cls, text: str, *, proxy: bool = False) -> Challenge:
        """Read a WWW-Authenticate or Proxy-Authenticate; DecodeError: it is none of Digest."""
        scheme = _SCHEME.match(text)
        if scheme is None or scheme[1].lower() != "digest":
            raise DecodeError(f"{text[:20]!r} is no challenge of Digest")
        values = _parameters(text, scheme.end())
        if "realm" not in values or "nonce" not in values:
            raise DecodeError("a challenge without realm or nonce")
        qop = tuple(part.strip(" \t").lower() for part in values.get("qop", "").split(",") if part.strip(" \t"))
        stale = values.get("stale", "").lower() == "true"
        algorithm = values.get("algorithm", "")
        return cls(values["realm"], values["nonce"], algorithm, qop, values.get("opaque"), stale, proxy)

    @property
    def strength(self) -> int:
        """How much its algorithm is worth; -1 where it can't be answered."""
        if self.qop and not {_AUTH, _AUTH_INT}.intersection(self.qop):
            return -1
        name = _base(self.algorithm)
        known = name in _HASHES and _HASHES[name] in hashlib.algorithms_available
        return list(_HASHES).index(name) if known else -1


def read_challenges(headers: Headers) -> list[Challenge]:
    """Give the challenges of a 401 or 407 that can be answered: for each realm the strongest, in their order."""
    found: dict[tuple[bool, str], Challenge] = {}
    for name in ("WWW-Authenticate", "Proxy-Authenticate"):
        for text in headers.lines(name)[:MAX_CHALLENGES]:
            try:
                challenge = Challenge.parse(text, proxy=name.startswith("Proxy"))
            except DecodeError:
                continue
            key = (challenge.proxy, challenge.realm)
            if challenge.strength > (found[key].strength if key in found else -1):
                found[key] = challenge
    return list(found.values())


@dataclass(slots=True)
class Answers:
    """The answers to one challenge: the digest of each request that is sent with its nonce (RFC 7616 3.4)."""

    challenge: Challenge
    cnonce: str
    """RFC 7616 3.4: the same for all of them, because ``-sess`` hashes it with the password."""
    count: int = field(default=0, init=False)
    """Requests that had this nonce."""

    @property
    def field_name(self) -> str:
        """The header field that an answer stands in."""
        return "Proxy-Authorization" if self.challenge.proxy else "Authorization"

    def answer(self, user: str, password: str, method: str, uri: str, body: bytes) -> str:
        """Write the credentials for one request; each call is one more request with this nonce."""
        challenge, name = self.challenge, _base(self.challenge.algorithm)
        self.count += 1
        user = quote(user)[1:-1]
        secret = _hash(name, f"{user}:{challenge.realm}:{password}")
        if challenge.algorithm.upper().endswith(_SESSION):
            # RFC 7616 3.4.2
            secret = _hash(name, f"{secret}:{challenge.nonce}:{self.cnonce}")
        qop = next((known for known in (_AUTH, _AUTH_INT) if known in challenge.qop), "")
        # RFC 7616 3.4.3; RFC 3261 22.4: the hash of an empty body is that of the empty string.
        asked = f"{method}:{uri}" + (f":{_hash(name, body)}" if qop == _AUTH_INT else "")
        count = f"{self.count:08x}"
        middle = f"{challenge.nonce}:{count}:{self.cnonce}:{qop}" if qop else challenge.nonce
        response = _hash(name, f"{secret}:{middle}:{_hash(name, asked)}")
        written = [
            f'username="{user}"',
            f'realm="{challenge.realm}"',
            f'nonce="{challenge.nonce}"',
            f'uri="{uri}"',
            f'response="{response}"',
        ]
        if challenge.algorithm:
            written.append(f"algorithm={challenge.algorithm}")
        if qop or challenge.algorithm.upper().endswith(_SESSION):
            written.append(f'cnonce="{self.cnonce}"')
        if qop:
            # RFC 7616 3.4: qop and nc stand without quotes, and only where the challenge had a qop.
            written += [f"qop={qop}", f"nc={count}"]
        if challenge.opaque is not None:
            written.append(f'opaque="{challenge.opaque}"')
        return f"Digest {', '.join(written)}"


def _base(algorithm: str) -> str:
    """The name of the hash in an algorithm's name."""
    return algorithm.upper().removesuffix(_SESSION) or "MD5"


def _hash(name: str, data: str | bytes) -> str:
    octets = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    # The far end chooses; RFC 8760 2.4 keeps MD5 for those who know nothing else.
    return hashlib.new(_HASHES[name], octets, usedforsecurity=False).hexdigest()


def _parameters(text: str, position: int) -> dict[str, str]:
    values: dict[str, str] = {}
    end = len(text.rstrip(" \t,"))
    while position < end:
        match = _PARAMETER.match(text, position)
        if match is None:
            raise DecodeError(f"{text[position : position + 20]!r} is no parameter of a challenge")
        name, quoted, bare = match.groups()
        value = bare if quoted is None else quoted
        if name.lower() in values or len(values) >= MAX_PARAMETERS or len(value) > MAX_VALUE:
            raise DecodeError(f"the parameter {name[:20]!r} of a challenge is repeated, too long or one too many")
        values[name.lower()] = value
        position = match.end()
    return values
