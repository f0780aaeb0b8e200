"""H.235: how a message shows who sent it, by a password that both sides know.

Three ways, strongest first: the baseline profile of H.235.1 (`h235_baseline`), which protects every message both
ways against change and replay; and two older tokens that only show that the sender knew the password
(`h235_password`): MD5 over a ClearToken (cryptoEPPwdHash of H.225.0), and the CAT of Cisco's access servers.

Rule 1: a password is never in a message, in a text, or in the representation of an object.
Rule 2: one `Security` serves one registration with one gatekeeper, both directions.
Rule 3: time is Unix time in whole seconds, as H.235.0's TimeStamp is.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from firmware.h323.h225 import RAS_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Collection

    from firmware.h323.ras_message import Body

# Object identifiers of H.235.1 clause 10 (version 2 on) and of the older tokens
HASHED_MESSAGE: Final = "0.0.8.235.0.2.1"
""""A": the token covers the whole message (procedure I)."""
HASHED_TOKEN: Final = "0.0.8.235.0.2.5"
""""T": the ClearToken inside a hashed token."""
HMAC_SHA1_96: Final = "0.0.8.235.0.2.6"
""""U": HMAC-SHA1, of which 96 bits are sent."""
MD5: Final = "1.2.840.113549.2.5"
CAT: Final = "1.2.840.113548.10.1.2.1"

MISSING: Final = "securityTokenMissing"
"""What `Security.verify` says of a message without a token; the other words are those of SecurityErrors2."""


class Method(enum.Enum):
    """A way to show who we are."""

    BASELINE = "h235.1"
    MD5 = "md5"
    CAT = "cat"


OFFERS: Final = {
    # H.225.0: a GRQ's authenticationCapability and algorithmOIDs, and a GCF's choice of them
    Method.BASELINE: (("pwdHash", None), HMAC_SHA1_96),
    Method.MD5: (("pwdHash", None), MD5),
    Method.CAT: (("authenticationBES", ("radius", None)), CAT),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a gatekeeper, and how we may show it."""

    user: str
    password: str = field(repr=False)
    methods: tuple[Method, ...] = (Method.BASELINE,)
    """Allowed ways, best first; the gatekeeper chooses among them, and its silence means the first."""


class Security(Protocol):
    """One way, in use with one gatekeeper."""

    def protect(self, name: str, body: Body, *, sender: str, recipient: str, time: int) -> bytes:
        """Encode a message with the tokens that it needs; sender and recipient are their identifiers."""

    def verify(
        self, body: Body, data: bytes, *, senders: Collection[str], recipients: Collection[str], time: int
    ) -> str:
        """Say what is wrong with a received message: "" nothing, else `MISSING` or a name of SecurityErrors2.

        No senders: the far end's name is not known yet, any will do.
        """

    @property
    def mutual(self) -> bool:
        """Whether the far end's messages are protected too; if not, `verify` finds nothing wrong."""


class OneWay:
    """The far end's messages are not protected."""

    mutual = False

    def verify(
        self,
        body: Body,  # noqa: ARG002
        data: bytes,  # noqa: ARG002
        *,
        senders: Collection[str],  # noqa: ARG002
        recipients: Collection[str],  # noqa: ARG002
        time: int,  # noqa: ARG002
    ) -> str:
        """Find nothing wrong: there is nothing to look at."""
        return ""


class NoSecurity(OneWay):
    """Nothing is shown, nothing is checked."""

    def protect(self, name: str, body: Body, *, sender: str, recipient: str, time: int) -> bytes:  # noqa: ARG002
        """Encode a message as it is."""
        return RAS_MESSAGE.encode((name, body))
