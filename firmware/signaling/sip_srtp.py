"""How a SIP call's lines are encrypted, as both sides agree it in their descriptions (RFC 4568; RFC 8643).

Rule 1: without encryption wanted, nothing is offered, and lines that must be encrypted are refused.  Where it is
preferred, the key stands under ``RTP/AVP`` (RFC 8643): who doesn't know it answers in the clear, and there is one key
only, for the suite that everybody has, so that an INVITE is not torn apart on its way.  Where it is required, the line
is ``RTP/SAVP``, with all suites worth having; a line in the clear is refused.
Rule 2: who offers the same medium twice, encrypted and not, gets it encrypted.
Rule 3: of an offer's keys the first that can be used is taken (RFC 4568 5.1.2).  One with a session parameter that we
don't know, or that would leave something unencrypted, can't be (6.3.7).
Rule 4: our key of a line stays as long as theirs does, for SRTP counts by keys (RFC 3711 3.3.1); a new one of theirs is
answered by a new one of ours: somebody else may be there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.call.media import Crypto, Encryption, Kind, Suite
from firmware.rtp.srtp_transform import SIZES
from firmware.sdp import crypto
from firmware.sdp.crypto import CryptoAttribute

if TYPE_CHECKING:
    import random

    from firmware.sdp.session import Attributes, MediaDescription

CLEAR_PROFILES: Final = frozenset({"RTP/AVP", "RTP/AVPF"})
SECURE_PROFILES: Final = frozenset({"RTP/SAVP", "RTP/SAVPF"})
PROFILES: Final = CLEAR_PROFILES | SECURE_PROFILES
"""RTP profiles that are usable; feedback is taken under all, as everybody does."""

_EVERYBODY: Final = (Suite.AES_CM_128_HMAC_SHA1_80,)
_ALL: Final = (
    Suite.AEAD_AES_256_GCM,
    Suite.AES_CM_128_HMAC_SHA1_80,
    Suite.AES_CM_128_HMAC_SHA1_32,
)
MAX_LIFETIME: Final = 1 << 48
"""Packets for one key (RFC 3711 9.2)."""
_LEAST_WINDOW: Final = 64
"""RFC 4568 6.3.5."""
_WINDOW: Final = re.compile(r"WSH=([0-9]{2,5})", re.ASCII | re.IGNORECASE)
_NO_DERIVATION: Final = "KDR=0"
"""RFC 4568 6.3.1 has 1 to 24 only; some write the default."""


@dataclass(frozen=True, slots=True)
class Secured:
    """What a line's packets are encrypted with, each way; None: they are not."""

    send: Crypto | None = None
    receive: Crypto | None = None


CLEAR: Final = Secured()


class SipSrtp:
    """What one call has agreed of encryption; *rng* makes its keys."""

    def __init__(self, policy: Encryption, rng: random.Random) -> None:
        self._policy = policy
        self._rng = rng
        self._insists = policy is Encryption.REQUIRED
        self._agreed: dict[Kind, Secured] = {}

    @property
    def required(self) -> bool:
        """Whether nothing may flow in the clear."""
        return self._policy is Encryption.REQUIRED

    def insist(self) -> bool:
        """Offer from now on nothing but encrypted media, for a far end that did not take the choice; False: no use."""
        if self._insists or self._policy is Encryption.OFF:
            return False
        self._insists = True
        return True

    # Offering

    @property
    def profile(self) -> str:
        """The RTP profile of a line that is offered first."""
        return "RTP/SAVP" if self._insists else "RTP/AVP"

    def offer(self) -> Attributes:
        """Give what a new line of an offer says, with keys of its own."""
        if self._policy is Encryption.OFF:
            return ()
        suites = _ALL if self._insists else _EVERYBODY
        return tuple(
            _attribute(CryptoAttribute(tag, suite.value, self._new(suite))) for tag, suite in enumerate(suites, 1)
        )

    def accept(self, kind: Kind, said: MediaDescription, media: MediaDescription) -> Secured | None:
        """Give what an answer's line comes to, where ours said this; None: it is not what was offered."""
        ours = {line.tag: line for line in crypto.read(said)}
        for line in crypto.read(media):
            mine, theirs = ours.get(line.tag), _usable(line)
            if mine is not None and theirs is not None and mine.suite == line.suite:
                return self._keep(kind, Secured(_usable(mine), theirs))
        return self._keep(kind, CLEAR) if self._may_be_clear(media) and said.protocol in CLEAR_PROFILES else None

    # Answering

    def choose(self, kind: Kind, media: MediaDescription) -> tuple[Secured, Attributes] | None:
        """Give what an offered line comes to and what our answer says of it; None: the line is of no use.

        Nothing is agreed before `agree`.
        """
        if self._policy is not Encryption.OFF:
            for line in crypto.read(media):
                theirs = _usable(line)
                if theirs is not None:
                    ours = self._answer_with(kind, theirs)
                    said = CryptoAttribute(line.tag, theirs.suite.value, ours.key + ours.salt)
                    return Secured(ours, theirs), (_attribute(said),)
        return (CLEAR, ()) if self._may_be_clear(media) else None

    def agree(self, kind: Kind, secured: Secured) -> None:
        """Take what was chosen as agreed."""
        self._agreed[kind] = secured

    def _answer_with(self, kind: Kind, theirs: Crypto) -> Crypto:
        before = self._agreed.get(kind, CLEAR)
        if before.send is not None and before.receive == theirs:
            return before.send
        octets, size = self._new(theirs.suite), SIZES[theirs.suite].key
        return Crypto(theirs.suite, octets[:size], salt=octets[size:])

    # What both do

    def _may_be_clear(self, media: MediaDescription) -> bool:
        return self._policy is not Encryption.REQUIRED and media.protocol in CLEAR_PROFILES

    def _keep(self, kind: Kind, secured: Secured) -> Secured:
        self._agreed[kind] = secured
        return secured

    def _new(self, suite: Suite) -> bytes:
        return self._rng.randbytes(SIZES[suite].key + SIZES[suite].salt)


def _attribute(line: CryptoAttribute) -> tuple[str, str]:
    return crypto.NAME, str(line)


_SUITES: Final = {suite.value: suite for suite in SIZES}


def _usable(line: CryptoAttribute) -> Crypto | None:
    """Give the key of a line; None: we can't do as it says."""
    suite = _SUITES.get(line.suite)
    if suite is None or line.lifetime > MAX_LIFETIME or not all(map(_is_harmless, line.parameters)):
        return None
    sizes, octets = SIZES[suite], line.key_and_salt
    if len(octets) != sizes.key + sizes.salt:
        return None
    return Crypto(suite, octets[: sizes.key], salt=octets[sizes.key :], key_identifier=line.identifier)


def _is_harmless(parameter: str) -> bool:
    """Whether nothing else has to be done for a session parameter."""
    window = _WINDOW.fullmatch(parameter)
    if window is not None:
        return int(window[1]) >= _LEAST_WINDOW  # a hint: ours is larger than anybody asks for
    # RFC 4568 6.3.7: what begins with "-" may be passed over.
    return parameter.startswith("-") or parameter.upper() == _NO_DERIVATION
