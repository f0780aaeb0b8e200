"""One call, as the gatekeeper knows it: what it is told, what it allows, and why it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.address import Alias
    from firmware.h323.ras_reason import Meaning
    from firmware.sansio import Address


@dataclass(frozen=True, slots=True)
class CallInformation:
    """What the gatekeeper is told of a call."""

    call_identifier: bytes
    """16 octets."""
    conference_id: bytes
    """16 octets."""
    call_reference: int
    """Of this leg's Q.931 messages, without the flag: 0 to 32767."""
    answer: bool
    """Whether the far end calls."""
    bandwidth: int
    """bit/s both ways together, without headers (H.225.0 7.11.1)."""
    destination: tuple[Alias, ...] = ()
    """Who is called: by us, or ourselves as the caller named us."""
    destination_address: Address | None = None
    """Where, if that is known: dialled, or the local end of the caller's connection."""
    source: tuple[Alias, ...] = ()
    """The caller as it named itself; our own aliases where we call."""
    source_address: Address | None = None
    """The far end of the caller's connection."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not admitted."""

    reason: str
    """A name of AdmissionRejectReason, or ``noAnswer``."""
    meaning: Meaning
    addresses: tuple[Address, ...] = ()
    """Where the call should go instead: with routeCallToGatekeeper, the gatekeeper's call signalling address."""
    numbers: tuple[str, ...] = ()
    """What to dial instead in the telephone network (routeCallToSCN)."""


class State(Enum):
    """Where an admission stands."""

    REQUESTED = auto()
    SUSPENDED = auto()
    ADMITTED = auto()
    OVER = auto()


class Admission:
    """One call's admission; give it back to the client's commands.  All but `state` is settled once ADMITTED."""

    def __init__(self, call: CallInformation) -> None:
        self.call: Final = call
        self.state = State.REQUESTED
        self.bandwidth = call.bandwidth
        """bit/s that the call may use."""
        self.address = call.destination_address
        """Where Setup goes."""
        self.domain: str | None = None
        """Setup goes by TLS, to somebody with a certificate for this name, or for the address if it is ""; None: it
        does not."""
        self.alternatives: tuple[Address, ...] = ()
        """Where else the called party is, best first."""
        self.routed = False
        """The gatekeeper routes call signalling."""
        self.destination = call.destination
        """Who is called, as Setup should say it: the gatekeeper may have mapped what was dialled."""
        self.extra: tuple[Alias, ...] = ()
        """For Setup's destExtraCallInfo."""
        self.remote_extension: tuple[Alias, ...] = ()
        """For Setup's remoteExtensionAddress, which has room for the first."""
        self.tokens: tuple[Value, ...] = ()
        """ClearTokens for Setup (H.225.0 7.11.2: the gatekeeper's, handed on as they are)."""
        self.report_interval: float | None = None
        """Seconds between two IRRs."""
        self.report_due: float | None = None
        self.acknowledges_reports = False
        self.reporting = False
        """A report of it waits for its answer."""
        self.request = 0
        self.tries = 0
        self.generation = 0
        self.deadline: float | None = None
        self.asked: set[Address] = set()
