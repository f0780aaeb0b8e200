"""Who a terminal is, whom it calls, and how much it takes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.address import Alias
    from firmware.sansio import Address


@dataclass(frozen=True, slots=True)
class Identity:
    """What stands in the messages of one terminal, and its bounds."""

    aliases: tuple[Alias, ...]
    """Names and numbers of ours, the one to show first; calls for any other are taken as well: a room has one door."""
    display_name: str = ""
    """Shown to people at the far end, 82 octets of it."""
    product: str = "Visavis"
    version: str = "0.1"
    vendor: tuple[int, int, int] = (255, 0, 0)
    """T.35 country code and extension, and manufacturer code; these are assigned to nobody."""
    terminal_type: int = 50
    """H.323 table 1 (8.3.2): a terminal without a multipoint controller; the higher number becomes H.245's master."""
    h245_ports: range = range(0)
    """TCP ports that are listened on for H.245 connections; a call that needs one has it alone."""
    bitrate: int = 2_000_000
    """bit/s, said in Bearer capability."""
    tunnelling: bool = True
    """Whether H.245 may be tunnelled in call signalling (H.323 8.2.1)."""
    max_sessions: int = 8
    """Calls at once; one more is answered with "user busy"."""
    max_waiting_per_host: int = 4
    """Calls from one address that are not answered yet; one more is answered with "user busy"."""
    max_streams: int = 64
    """Connections at once, in and out; the driver has its own, finer bounds."""
    max_silent_per_host: int = 8
    """Accepted connections of one address on which no Setup has come yet."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Whom we call, beside the address to which the flow leads."""

    aliases: tuple[Alias, ...] = ()
    """What was dialled, for a far end that is many (a gateway, an MCU, a gatekeeper)."""
    address: Address | None = None
    """Where it was dialled, for a gatekeeper to know; None: by its aliases only."""
    conference_id: bytes | None = None
    """16 octets; None: a new conference (H.225.0 7.3.10)."""


@dataclass(frozen=True, slots=True)
class Party:
    """What a far end says of itself; never trusted, only shown."""

    aliases: tuple[Alias, ...] = ()
    display_name: str = ""
    number: str = ""
    product: str = ""
    """Product and version."""
    address: Address | None = None
    """Where a caller says that it takes calls."""


def endpoint_type(identity: Identity) -> Value:
    """Write the EndpointType that we are (H.225.0 7.6)."""
    country, extension, manufacturer = identity.vendor
    return {
        "vendor": {
            "vendor": {"t35CountryCode": country, "t35Extension": extension, "manufacturerCode": manufacturer},
            "productId": identity.product.encode()[:256],
            "versionId": identity.version.encode()[:256],
        },
        "terminal": {},
        "mc": False,
        "undefinedNode": False,
    }


def product(endpoint: Value) -> str:
    """Read product and version out of an EndpointType, or ""."""
    match endpoint:
        case {"vendor": dict(vendor)}:
            words = [vendor[key] for key in ("productId", "versionId") if isinstance(vendor.get(key), bytes)]
            text = " ".join(word.partition(b"\0")[0].decode("utf-8", "replace") for word in words)
            return "".join(c for c in text if c.isprintable())[:128]
    return ""
