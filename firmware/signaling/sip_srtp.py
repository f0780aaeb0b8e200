"""How a SIP call's lines are encrypted, as both sides agree it in their descriptions (RFC 4568, RFC 5763, RFC 8643).

Keys are told in the descriptions themselves (SDES), or agreed where the packets go (DTLS).

Rule 1: without encryption wanted, nothing is offered, and lines that must be encrypted are refused.  Where it is
preferred, keys and fingerprints stand under ``RTP/AVP`` (RFC 8643): who doesn't know them answers in the clear; and
there is one key only, for the suite that everybody has.  Where encryption is required, and for a far end that refused
the choice, the line is ``RTP/SAVP`` with a key for each suite worth having, and then ``UDP/TLS/RTP/SAVP(F)``.
Rule 2: who offers the same medium twice, encrypted and not, gets it encrypted.
Rule 3: of an offer's keys the first that can be used is taken (RFC 4568 5.1.2).  One with a session parameter that we
don't know, or that would leave something unencrypted, can't be (6.3.7).
Rule 4: our key of a line stays as long as theirs does, for SRTP counts by keys (RFC 3711 3.3.1); a new one of theirs is
answered by a new one of ours: somebody else may be there.
Rule 5: keys that are told in signalling that anybody on its way can read are nobody's secret (RFC 4568 8 requires that
they are protected there): then a handshake is preferred, whatever the settings say, the call says that its keys are
exposed, and where encryption is required, they don't count.
Rule 6: a handshake holds as long as the far end's certificate is the same, whoever offers anew and whatever is said
then of who begins (RFC 5763 6.6, RFC 8842 5.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.call.media import Crypto, Encryption, Handshake, Kind, Suite
from firmware.rtp.srtp_transform import SIZES
from firmware.sdp import crypto, fingerprint
from firmware.sdp.crypto import CryptoAttribute
from firmware.sdp.fingerprint import Setup

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from firmware.sdp.session import Attributes, MediaDescription, SessionDescription
    from firmware.signaling.sip_certificate import Certificate

CLEAR_PROFILES: Final = frozenset({"RTP/AVP", "RTP/AVPF"})
SECURE_PROFILES: Final = frozenset({"RTP/SAVP", "RTP/SAVPF"})
TLS_PROFILES: Final = frozenset({"UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"})
PROFILES: Final = CLEAR_PROFILES | SECURE_PROFILES | TLS_PROFILES
"""RTP profiles that are usable; feedback is taken under all, as everybody does."""
SDES, DTLS = "sdes", "dtls"
WAYS: Final = (SDES, DTLS)
ATTRIBUTES: Final = (crypto.NAME, fingerprint.FINGERPRINT, fingerprint.SETUP)
"""What stands in a line that is encrypted."""
_STRICT_PROFILES: Final = {SDES: ("RTP/SAVP",), DTLS: ("UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF")}
"""What is offered to those who want encryption: some take one of the latter two only."""

_EVERYBODY: Final = (Suite.AES_CM_128_HMAC_SHA1_80,)
_ALL: Final = (
    Suite.AEAD_AES_256_GCM,
    Suite.AES_CM_128_HMAC_SHA1_80,
    Suite.AES_CM_128_HMAC_SHA1_32,
)
_SUITES: Final = {suite.value: suite for suite in SIZES}
MAX_LIFETIME: Final = 1 << 48
"""Packets for one key (RFC 3711 9.2)."""
_LEAST_WINDOW: Final = 64
"""RFC 4568 6.3.5."""
_WINDOW: Final = re.compile(r"WSH=([0-9]{2,5})", re.ASCII | re.IGNORECASE)
_NO_DERIVATION: Final = "KDR=0"
"""RFC 4568 6.3.1 has 1 to 24 only; some write the default."""


@dataclass(frozen=True, slots=True)
class Secured:
    """What a line's packets are encrypted with, each way; without anything, they are not."""

    send: Crypto | None = None
    receive: Crypto | None = None
    handshake: Handshake | None = None


CLEAR: Final = Secured()


class SipSrtp:
    """What one call has agreed of encryption.

    *rng* makes its keys, *certificate* gives ours; *ways* of agreeing on keys, the preferred one first;
    *clear_signalling*: descriptions can be read on their way.
    """

    def __init__(
        self,
        policy: Encryption,
        rng: random.Random,
        certificate: Callable[[], Certificate],
        ways: tuple[str, ...] = WAYS,
        *,
        clear_signalling: bool = False,
    ) -> None:
        self._policy = policy
        self._rng = rng
        self._certificate = certificate
        self._clear_signalling = clear_signalling
        if clear_signalling:
            kept = () if policy is Encryption.REQUIRED else (SDES,)
            ways = tuple(way for order in ((DTLS,), kept) for way in order if way in ways)
        self._ways = ways if policy is not Encryption.OFF else ()
        # Who takes RTP/SAVP may answer either way; what is under TLS has no keys in descriptions.
        under = {SDES: self._ways, DTLS: (DTLS,)}
        strict = [(profile, under[way]) for way in self._ways for profile in _STRICT_PROFILES[way]]
        self._forms = strict if self.required else [("RTP/AVP", self._ways), *strict]
        """Profiles, and ways under them, in which we may offer: the first one, then, to who refuses it, the next.

        Four at most: 488 comes before it rings there, so that all of them take some round trips, and nobody hears."""
        self._agreed: dict[Kind, Secured] = {}

    @property
    def required(self) -> bool:
        """Whether nothing may flow in the clear."""
        return self._policy is Encryption.REQUIRED

    @property
    def possible(self) -> bool:
        """Whether there is anything to offer or to take: keys must be secret, and may have no way to be agreed so."""
        return bool(self._forms)

    # Offering

    @property
    def profile(self) -> str:
        """The RTP profile of a line that is offered first."""
        return self._forms[0][0]

    def offer_otherwise(self) -> bool:
        """Offer in another form from now on, to a far end that refused this one; False: there is no other."""
        if len(self._forms) > 1:
            del self._forms[0]
            return True
        return False

    def offer(self) -> Attributes:
        """Give what a new line of an offer says, with keys of its own."""
        profile, ways = self._forms[0]
        said: Attributes = ()
        if SDES in ways:
            suites = _EVERYBODY if profile in CLEAR_PROFILES else _ALL
            lines = (CryptoAttribute(tag, suite.value, self._new(suite)) for tag, suite in enumerate(suites, 1))
            said += tuple(map(_attribute, lines))
        if DTLS in ways:
            said += self._identity(Setup.ACTPASS)  # RFC 5763 5
        return said

    def accept(
        self, kind: Kind, said: MediaDescription, answer: SessionDescription, media: MediaDescription
    ) -> Secured | None:
        """Give what an answer's line comes to, where ours said this; None: it is not what was offered."""
        if said.attribute(fingerprint.FINGERPRINT) is not None and (DTLS in self._ways[:1] or not crypto.read(media)):
            handshake = self._handshake(kind, answer, media, (Setup.ACTIVE, Setup.PASSIVE))
            if handshake is not None:
                return self._keep(kind, Secured(handshake=handshake[0]))
        ours = {line.tag: line for line in crypto.read(said)}
        for line in crypto.read(media):
            mine, theirs = ours.get(line.tag), self._usable(line)
            if mine is not None and theirs is not None and mine.suite == line.suite:
                return self._keep(kind, Secured(self._usable(mine), theirs))
        return self._keep(kind, CLEAR) if self._may_be_clear(media) and said.protocol in CLEAR_PROFILES else None

    # Answering

    def choose(
        self, kind: Kind, offer: SessionDescription, media: MediaDescription
    ) -> tuple[Secured, Attributes] | None:
        """Give what an offered line comes to and what our answer says of it; None: the line is of no use.

        Nothing is agreed before `agree`.
        """
        for way in self._ways:
            if way == DTLS:
                found = self._choose_handshake(kind, offer, media)
            else:
                found = self._choose_key(kind, media) if media.protocol not in TLS_PROFILES else None
            if found is not None:
                return found
        return (CLEAR, ()) if self._may_be_clear(media) else None

    def agree(self, kind: Kind, secured: Secured) -> None:
        """Take what was chosen as agreed."""
        self._agreed[kind] = secured

    def _choose_key(self, kind: Kind, media: MediaDescription) -> tuple[Secured, Attributes] | None:
        for line in crypto.read(media):
            theirs = self._usable(line)
            if theirs is not None:
                ours = self._answer_with(kind, theirs)
                said = CryptoAttribute(line.tag, theirs.suite.value, ours.key + ours.salt)
                return Secured(ours, theirs), (_attribute(said),)
        return None

    def _answer_with(self, kind: Kind, theirs: Crypto) -> Crypto:
        before = self._agreed.get(kind, CLEAR)
        if before.send is not None and before.receive == theirs:
            return before.send
        octets, size = self._new(theirs.suite), SIZES[theirs.suite].key
        return Crypto(theirs.suite, octets[:size], salt=octets[size:], exposed=self._clear_signalling)

    def _choose_handshake(
        self, kind: Kind, offer: SessionDescription, media: MediaDescription
    ) -> tuple[Secured, Attributes] | None:
        found = self._handshake(kind, offer, media, (Setup.ACTPASS, Setup.ACTIVE, Setup.PASSIVE))
        if found is None:
            return None
        handshake, theirs = found
        begins = handshake.begins
        if theirs is not Setup.ACTPASS:  # they leave no choice, whatever was agreed before
            begins = theirs is Setup.PASSIVE
        return Secured(handshake=handshake), self._identity(Setup.ACTIVE if begins else Setup.PASSIVE)

    # What both do

    def _handshake(
        self, kind: Kind, session: SessionDescription, media: MediaDescription, may: tuple[Setup, ...]
    ) -> tuple[Handshake, Setup] | None:
        """Give the handshake with the one who describes himself so, and who begins by his words."""
        fingerprints = fingerprint.read(session, media)
        # RFC 4145 4.1: who says nothing, begins.
        theirs = fingerprint.read_setup(session, media) or Setup.ACTIVE
        if not fingerprints or theirs not in may:
            return None
        before = self._agreed.get(kind, CLEAR).handshake
        if before is not None and before.fingerprints == fingerprints:
            return before, theirs
        own = self._certificate()
        # RFC 5763 5: the one who answers should begin; so packets flow soonest.
        return Handshake(theirs is not Setup.ACTIVE, own.der, own.private_key, fingerprints), theirs

    def _identity(self, setup: Setup) -> Attributes:
        value = fingerprint.write(self._certificate().fingerprint)
        return (fingerprint.FINGERPRINT, value), (fingerprint.SETUP, setup.value)

    def _usable(self, line: CryptoAttribute) -> Crypto | None:
        """Give the key of a line; None: we can't do as it says."""
        suite = _SUITES.get(line.suite)
        if suite is None or line.lifetime > MAX_LIFETIME or not all(map(_is_harmless, line.parameters)):
            return None
        sizes, octets = SIZES[suite], line.key_and_salt
        if len(octets) != sizes.key + sizes.salt:
            return None
        key, salt = octets[: sizes.key], octets[sizes.key :]
        return Crypto(suite, key, salt=salt, key_identifier=line.identifier, exposed=self._clear_signalling)

    def _may_be_clear(self, media: MediaDescription) -> bool:
        return not self.required and media.protocol in CLEAR_PROFILES

    def _keep(self, kind: Kind, secured: Secured) -> Secured:
        self._agreed[kind] = secured
        return secured

    def _new(self, suite: Suite) -> bytes:
        return self._rng.randbytes(SIZES[suite].key + SIZES[suite].salt)


def offered_again(attributes: Attributes) -> Attributes:
    """Give what a line says of encryption that is offered again: it is for the other to say who begins (RFC 5763 5)."""
    return tuple((name, Setup.ACTPASS.value if name == fingerprint.SETUP else value) for name, value in attributes)


def _attribute(line: CryptoAttribute) -> tuple[str, str]:
    return crypto.NAME, str(line)


def _is_harmless(parameter: str) -> bool:
    """Whether nothing else has to be done for a session parameter."""
    window = _WINDOW.fullmatch(parameter)
    if window is not None:
        return int(window[1]) >= _LEAST_WINDOW  # a hint: ours is larger than anybody asks for
    # RFC 4568 6.3.7: what begins with "-" may be passed over.
    return parameter.startswith("-") or parameter.upper() == _NO_DERIVATION
