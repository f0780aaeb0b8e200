"""Why a gatekeeper says no, and what to do then: every reason of H.225.0, as tables.

A reason is the name of the alternative in the reject; a newer one, which we don't know, counts as undefinedReason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from firmware.h323.cause import Cause

NO_ANSWER: Final = "noAnswer"
"""Our word for a gatekeeper that stays silent; it stands where a reason stands."""
NOT_REGISTERED: Final = "callerNotRegistered"
"""AdmissionRejectReason for a call while we are with no gatekeeper."""


class Recovery(Enum):
    """What comes after a refused registration or discovery, or after the end of a registration."""

    DISCOVER = auto()
    """Look for the gatekeeper again, at once."""
    REGISTER = auto()
    """Register in full, at once."""
    ALTERNATE = auto()
    """Go to another gatekeeper if there is one, else wait a little."""
    WAIT = auto()
    """Try again in a little while: the gatekeeper may have changed its mind."""
    REFUSED = auto()
    """Try again in a long while: somebody has to change a setting, here or there."""


REGISTRATION: Final = {
    # H.225.0 7.9.3: RegistrationRejectReason
    "discoveryRequired": Recovery.DISCOVER,
    "invalidRevision": Recovery.REFUSED,
    "invalidCallSignalAddress": Recovery.REFUSED,
    "invalidRASAddress": Recovery.REFUSED,
    # Often our own registration of before a restart, with another address, that has not run out yet.
    "duplicateAlias": Recovery.WAIT,
    "invalidTerminalType": Recovery.REFUSED,
    "undefinedReason": Recovery.WAIT,
    "transportNotSupported": Recovery.REFUSED,
    "transportQOSNotSupported": Recovery.REFUSED,
    "resourceUnavailable": Recovery.ALTERNATE,
    "invalidAlias": Recovery.REFUSED,
    "securityDenial": Recovery.REFUSED,
    "fullRegistrationRequired": Recovery.REGISTER,
    "additiveRegistrationNotSupported": Recovery.REGISTER,
    "invalidTerminalAliases": Recovery.REFUSED,
    "genericDataReason": Recovery.REFUSED,
    "neededFeatureNotSupported": Recovery.REFUSED,
    "securityError": Recovery.REFUSED,
    "registerWithAssignedGK": Recovery.ALTERNATE,
    NO_ANSWER: Recovery.ALTERNATE,
}

DISCOVERY: Final = {
    # H.225.0 7.8.3: GatekeeperRejectReason
    "resourceUnavailable": Recovery.ALTERNATE,
    "terminalExcluded": Recovery.REFUSED,
    "invalidRevision": Recovery.REFUSED,
    "undefinedReason": Recovery.WAIT,
    "securityDenial": Recovery.REFUSED,
    "genericDataReason": Recovery.REFUSED,
    "neededFeatureNotSupported": Recovery.REFUSED,
    "securityError": Recovery.REFUSED,
    NO_ANSWER: Recovery.ALTERNATE,
}

UNREGISTRATION: Final = {
    # H.225.0 7.10.1: UnregRequestReason of a gatekeeper
    "reregistrationRequired": Recovery.REGISTER,
    "ttlExpired": Recovery.REGISTER,
    "securityDenial": Recovery.WAIT,
    "undefinedReason": Recovery.WAIT,
    "maintenance": Recovery.ALTERNATE,
    "securityError": Recovery.WAIT,
    "registerWithAssignedGK": Recovery.ALTERNATE,
}


class Failure(Enum):
    """What a refused admission means for the call."""

    UNREACHABLE = auto()
    """Nobody of that name is there."""
    INCOMPLETE = auto()
    """More digits are wanted."""
    FORBIDDEN = auto()
    """This unit may not make, or take, this call."""
    BUSY = auto()
    """No bandwidth, or no room for one more call."""
    REDIRECTED = auto()
    """The call has to go another way; where, stands in the `Refusal`."""
    GATEKEEPER = auto()
    """The gatekeeper does not answer, or we are not registered."""
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    """One reason's kind and Q.850 cause."""

    failure: Failure
    cause: Cause


ADMISSION: Final = {
    # H.225.0 7.11.3: AdmissionRejectReason; the causes are those of the like-named ReleaseCompleteReason, where there
    # is one (H.225.0 7.2.2), else of H.246 annex C's table for the rejects of a gatekeeper.
    "calledPartyNotRegistered": Meaning(Failure.UNREACHABLE, Cause.SUBSCRIBER_ABSENT),
    "invalidPermission": Meaning(Failure.FORBIDDEN, Cause.CALL_REJECTED),
    "requestDenied": Meaning(Failure.BUSY, Cause.NO_CIRCUIT_AVAILABLE),
    "undefinedReason": Meaning(Failure.OTHER, Cause.NORMAL_UNSPECIFIED),
    "callerNotRegistered": Meaning(Failure.GATEKEEPER, Cause.NORMAL_UNSPECIFIED),
    "routeCallToGatekeeper": Meaning(Failure.REDIRECTED, Cause.NORMAL_UNSPECIFIED),
    "invalidEndpointIdentifier": Meaning(Failure.GATEKEEPER, Cause.NORMAL_UNSPECIFIED),
    "resourceUnavailable": Meaning(Failure.BUSY, Cause.RESOURCE_UNAVAILABLE),
    "securityDenial": Meaning(Failure.FORBIDDEN, Cause.CALL_REJECTED),
    "qosControlNotSupported": Meaning(Failure.OTHER, Cause.RESOURCE_UNAVAILABLE),
    "incompleteAddress": Meaning(Failure.INCOMPLETE, Cause.INVALID_NUMBER_FORMAT),
    "aliasesInconsistent": Meaning(Failure.UNREACHABLE, Cause.INVALID_NUMBER_FORMAT),
    "routeCallToSCN": Meaning(Failure.REDIRECTED, Cause.NO_ROUTE_TO_DESTINATION),
    "exceedsCallCapacity": Meaning(Failure.BUSY, Cause.SWITCHING_EQUIPMENT_CONGESTION),
    "collectDestination": Meaning(Failure.INCOMPLETE, Cause.INVALID_NUMBER_FORMAT),
    "collectPIN": Meaning(Failure.FORBIDDEN, Cause.CALL_REJECTED),
    "genericDataReason": Meaning(Failure.OTHER, Cause.NORMAL_UNSPECIFIED),
    "neededFeatureNotSupported": Meaning(Failure.OTHER, Cause.NORMAL_UNSPECIFIED),
    "securityError": Meaning(Failure.FORBIDDEN, Cause.CALL_REJECTED),
    "securityDHmismatch": Meaning(Failure.FORBIDDEN, Cause.CALL_REJECTED),
    "noRouteToDestination": Meaning(Failure.UNREACHABLE, Cause.NO_ROUTE_TO_DESTINATION),
    "unallocatedNumber": Meaning(Failure.UNREACHABLE, Cause.UNALLOCATED_NUMBER),
    "registerWithAssignedGK": Meaning(Failure.GATEKEEPER, Cause.NETWORK_OUT_OF_ORDER),
    NO_ANSWER: Meaning(Failure.GATEKEEPER, Cause.NETWORK_OUT_OF_ORDER),
}

FORGOTTEN: Final = frozenset({"callerNotRegistered", "invalidEndpointIdentifier", "registerWithAssignedGK", NO_ANSWER})
"""Reasons of a refused admission that mean: the registration is gone; after a new one, the call may be asked for again.
"""

BANDWIDTH: Final = {
    # H.225.0 7.12.3: BandRejectReason; whether it is the call that the gatekeeper does not know
    "notBound": True,
    "invalidConferenceID": True,
    "invalidPermission": False,
    "insufficientResources": False,
    "invalidRevision": False,
    "undefinedReason": False,
    "securityDenial": False,
    "securityError": False,
    NO_ANSWER: False,
}
