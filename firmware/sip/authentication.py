"""What one account shows where it is challenged (RFC 3261 22): its password's digests, realm by realm.

- What is shown is enough to try passwords on, and far ends challenge what we send in a call to get it.  So it goes to
  the hosts of the account's own servers only (`Account.hosts`), and for realms that they have named: to whoever
  challenges a REGISTER, to proxies (407), and to a user agent server (401) only where its realm is one of those or the
  account's domain, and not one of which a proxy has asked.  A realm that the settings name is the only one.
- A nonce that was taken is used again without being asked (RFC 7616 3.6), by requests of the same kind: those to the
  registrar, and all others.  What a refused request had shown is forgotten.
- A challenge is answered once for each request, and once more where only the nonce was too old (RFC 7616 3.3, stale).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from firmware.sip.digest import Answers, Challenge, read_challenges

if TYPE_CHECKING:
    import random
    from collections import Counter

    from firmware.sip.message import Request, Response

CHALLENGES: Final = frozenset((401, 407))
MAX_SPACES: Final = 8
"""Protection spaces that are remembered; a phone system has one or two realms."""
MAX_ANSWERS: Final = 2
"""Answers to one protection space for one request: the first, and one for a stale nonce."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A name and a password."""

    user: str
    password: str = field(repr=False)
    realm: str = ""
    """The only realm that the password is for; "": those of the account's own servers."""


class Space(NamedTuple):
    """A protection space (RFC 7616 3.3): where the same credentials are good."""

    registrar: bool
    proxy: bool
    realm: str


class Authenticator:
    """The answers of one account to challenges."""

    def __init__(self, credential: Credential, domain: str, rng: random.Random) -> None:
        """*domain* is the account's."""
        self._credential = credential
        self._domain = domain
        self._rng = rng
        self._answers: dict[Space, Answers] = {}
        self._realms: set[str] = set()
        """What the account's own servers call themselves."""
        self._proxied: set[str] = set()
        """The realms of calls that are a proxy's: whoever asks for one as a user agent server is somebody behind it."""

    def authorize(self, request: Request) -> None:
        """Add the credentials that this request will probably be asked for, in the place of those that it has."""
        for name in ("Authorization", "Proxy-Authorization"):
            request.headers.remove(name)
        credential = self._credential
        for space, answers in self._answers.items():
            if space.registrar is (request.method == "REGISTER"):
                # RFC 3261 22.4: the URI is the Request-URI as it is sent.
                uri = str(request.uri)
                value = answers.answer(credential.user, credential.password, request.method, uri, request.body)
                request.headers.add(answers.field_name, value)

    def challenged(self, request: Request, response: Response, answered: Counter[Space]) -> bool:
        """Take the 401 or 407 that a request got; whether it should be sent again, with `authorize`.

        *answered* is kept by the caller from the first to the last sending of a request, and counted up here.
        """
        again = False
        for challenge in read_challenges(response.headers):
            space = Space(request.method == "REGISTER", challenge.proxy, challenge.realm)
            if not self._trusts(space):
                continue
            if answered[space] and not (challenge.stale and answered[space] < MAX_ANSWERS):
                # The answer to its own challenge was wrong: so would be any other with this nonce.
                self._answers.pop(space, None)
                continue
            answered[space] += 1
            self._learn(space, challenge)
            again = True
        return again

    def _trusts(self, space: Space) -> bool:
        if self._credential.realm:
            return space.realm == self._credential.realm
        if space.registrar or space.proxy:
            return True
        if space.realm in self._proxied:
            return False
        return not self._realms or space.realm in self._realms or space.realm.lower() == self._domain.lower()

    def _learn(self, space: Space, challenge: Challenge) -> None:
        self._answers.pop(space, None)
        self._answers[space] = Answers(challenge, f"{self._rng.getrandbits(128):032x}")
        if len(self._answers) > MAX_SPACES:
            del self._answers[next(iter(self._answers))]
        if (space.registrar or space.proxy) and len(self._realms) < MAX_SPACES:
            self._realms.add(space.realm)
            if not space.registrar:
                self._proxied.add(space.realm)
