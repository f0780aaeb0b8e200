"""What the User-user element of a message carries, read alike out of every kind of message (H.225.0 7.3, 7.6).

Most components mean the same wherever they stand: fastStart, h245Address, callIdentifier, destinationInfo.  So they are
looked for in each body, whatever its name.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.h323 import h225, h245
from firmware.h323.address import decode_transport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware.asn1 import Value
    from firmware.sansio import Address

MAX_FAST_START: Final = 128
"""OpenLogicalChannel structures that are looked at; H323Plus sends 40."""
MAX_CONTROL: Final = 32
"""H.245 messages in one message that are looked at."""
MAX_SERVICES: Final = 8
"""Supplementary services in one message that are looked at."""


@dataclass(frozen=True, slots=True)
class UserInformation:
    """One decoded H323-UserInformation."""

    name: str = "empty"
    """The alternative of h323-message-body."""
    body: dict[str, Value] = field(default_factory=dict)
    tunnelling: bool | None = None
    """h245Tunnelling; None: this message does not say (H.323 8.2.1)."""
    control: tuple[bytes, ...] = ()
    """H.245 messages: h245Control, or in a Setup parallelH245Control (H.323 8.2.4)."""
    h245_address: Address | None = None
    services: tuple[bytes, ...] = ()
    """h4501SupplementaryService: items of H.450.1."""

    @property
    def fast_start(self) -> tuple[Value, ...]:
        """OpenLogicalChannel values; one that can't be read is not there.  Each time it is asked for, they are read."""
        channels: list[Value] = []
        for octets in _octet_strings(self.body.get("fastStart"), MAX_FAST_START):
            with suppress(DecodeError):
                channels.append(h245.OPEN_LOGICAL_CHANNEL.decode(octets))
        return tuple(channels)

    @property
    def fast_connect_refused(self) -> bool:
        """Whether the message says so (H.323 8.1.7.1)."""
        return "fastConnectRefused" in self.body

    @property
    def call_identifier(self) -> bytes | None:
        """16 octets, or None (H.225.0 version 1)."""
        match self.body.get("callIdentifier"):
            case {"guid": bytes(guid)}:
                return guid
        return None

    @property
    def tokens(self) -> tuple[Value, ...]:
        """ClearTokens (H.235.0)."""
        return tuple(self.body.get("tokens", ()))

    @property
    def reason(self) -> str:
        """Name of the reason of a ReleaseComplete or Facility, or ""."""
        match self.body.get("reason"):
            case (str(name), _):
                return name
        return ""


NOTHING: Final = UserInformation()
"""What a message without the element carries."""


def decode(octets: bytes | None) -> UserInformation:
    """Read the contents of a User-user element.  DecodeError: they are no H323-UserInformation."""
    if octets is None:
        return NOTHING
    pdu: dict[str, Value] = h225.USER_INFORMATION.decode(octets)["h323-uu-pdu"]
    name, contents = pdu["h323-message-body"]
    body = contents if isinstance(contents, dict) else {}
    control = pdu.get("h245Control") or body.get("parallelH245Control")
    return UserInformation(
        name,
        body,
        _tunnelling(pdu),
        _octet_strings(control, MAX_CONTROL),
        decode_transport(body.get("h245Address")),
        _octet_strings(pdu.get("h4501SupplementaryService"), MAX_SERVICES),
    )


def encode(
    name: str, body: Value, *, tunnelling: bool, control: Sequence[bytes] = (), services: Sequence[bytes] = ()
) -> bytes:
    """Write an H323-UserInformation; ``empty`` has None as its body."""
    pdu: dict[str, Value] = {"h323-message-body": (name, body), "h245Tunnelling": tunnelling}
    if control:
        pdu["h245Control"] = list(control)
    if services:
        pdu["h4501SupplementaryService"] = list(services)
    return h225.USER_INFORMATION.encode({"h323-uu-pdu": pdu})


def encode_channels(channels: Sequence[Value]) -> list[Value]:
    """Write OpenLogicalChannel values as a fastStart component."""
    return [h245.OPEN_LOGICAL_CHANNEL.encode(channel) for channel in channels]


def _tunnelling(pdu: dict[str, Value]) -> bool | None:
    # H.323 8.2.2: a gatekeeper that does not know yet sets provisionalRespToH245Tunnelling; the flag then says nothing.
    if "provisionalRespToH245Tunnelling" in pdu:
        return None
    return pdu.get("h245Tunnelling") is True


def _octet_strings(values: Value, most: int) -> tuple[bytes, ...]:
    return tuple(v for v in values[:most] if isinstance(v, bytes)) if isinstance(values, list) else ()
