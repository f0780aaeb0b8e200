"""Why a call is released: the cause values of Q.850 and the reasons of H.225.0, and how they stand for each other.

A ReleaseComplete carries a Cause information element or a ReleaseCompleteReason (H.225.0 7.3.9: one of them is
mandatory).  We send both, and take the Cause where the far end gave one.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Cause(IntEnum):
    """Q.850 table 1: the values that mean something in a call between packet networks."""

    UNALLOCATED_NUMBER = 1
    NO_ROUTE_TO_DESTINATION = 3
    NORMAL_CALL_CLEARING = 16
    USER_BUSY = 17
    NO_USER_RESPONDING = 18
    NO_ANSWER_FROM_USER = 19
    SUBSCRIBER_ABSENT = 20
    CALL_REJECTED = 21
    NUMBER_CHANGED = 22
    DESTINATION_OUT_OF_ORDER = 27
    INVALID_NUMBER_FORMAT = 28
    FACILITY_REJECTED = 29
    RESPONSE_TO_STATUS_ENQUIRY = 30
    NORMAL_UNSPECIFIED = 31
    NO_CIRCUIT_AVAILABLE = 34
    NETWORK_OUT_OF_ORDER = 38
    TEMPORARY_FAILURE = 41
    SWITCHING_EQUIPMENT_CONGESTION = 42
    RESOURCE_UNAVAILABLE = 47
    BEARER_CAPABILITY_NOT_AUTHORIZED = 57
    BEARER_CAPABILITY_NOT_AVAILABLE = 58
    BEARER_CAPABILITY_NOT_IMPLEMENTED = 65
    INVALID_CALL_REFERENCE = 81
    INCOMPATIBLE_DESTINATION = 88
    MANDATORY_ELEMENT_MISSING = 96
    MESSAGE_TYPE_NOT_IMPLEMENTED = 97
    INVALID_ELEMENT_CONTENTS = 100
    MESSAGE_NOT_COMPATIBLE_WITH_STATE = 101
    RECOVERY_ON_TIMER_EXPIRY = 102
    PROTOCOL_ERROR = 111
    INTERWORKING = 127


CAUSES: Final[dict[str, Cause]] = {
    "noBandwidth": Cause.NO_CIRCUIT_AVAILABLE,
    "gatekeeperResources": Cause.RESOURCE_UNAVAILABLE,
    "unreachableDestination": Cause.NO_ROUTE_TO_DESTINATION,
    "destinationRejection": Cause.NORMAL_CALL_CLEARING,
    "invalidRevision": Cause.INCOMPATIBLE_DESTINATION,
    "noPermission": Cause.INTERWORKING,
    "unreachableGatekeeper": Cause.NETWORK_OUT_OF_ORDER,
    "gatewayResources": Cause.SWITCHING_EQUIPMENT_CONGESTION,
    "badFormatAddress": Cause.INVALID_NUMBER_FORMAT,
    "adaptiveBusy": Cause.TEMPORARY_FAILURE,
    "inConf": Cause.USER_BUSY,
    "undefinedReason": Cause.NORMAL_UNSPECIFIED,
    "facilityCallDeflection": Cause.NORMAL_CALL_CLEARING,
    "securityDenied": Cause.NORMAL_UNSPECIFIED,
    "calledPartyNotRegistered": Cause.SUBSCRIBER_ABSENT,
    "callerNotRegistered": Cause.NORMAL_UNSPECIFIED,
    "newConnectionNeeded": Cause.RESOURCE_UNAVAILABLE,
    "nonStandardReason": Cause.INTERWORKING,
    "replaceWithConferenceInvite": Cause.NORMAL_UNSPECIFIED,
    "genericDataReason": Cause.NORMAL_UNSPECIFIED,
    "neededFeatureNotSupported": Cause.NORMAL_UNSPECIFIED,
    "tunnelledSignallingRejected": Cause.INTERWORKING,
    "invalidCID": Cause.INTERWORKING,
    "securityError": Cause.NORMAL_UNSPECIFIED,
    "hopCountExceeded": Cause.NORMAL_UNSPECIFIED,
}
"""The Cause that stands for each ReleaseCompleteReason (H.225.0 7.2.2, the table at Cause)."""

REASONS: Final[dict[int, str]] = {
    Cause.UNALLOCATED_NUMBER: "calledPartyNotRegistered",
    Cause.NO_ROUTE_TO_DESTINATION: "unreachableDestination",
    Cause.NORMAL_CALL_CLEARING: "undefinedReason",
    Cause.USER_BUSY: "inConf",
    Cause.SUBSCRIBER_ABSENT: "calledPartyNotRegistered",
    Cause.CALL_REJECTED: "destinationRejection",
    Cause.DESTINATION_OUT_OF_ORDER: "unreachableDestination",
    Cause.INVALID_NUMBER_FORMAT: "badFormatAddress",
    Cause.NO_CIRCUIT_AVAILABLE: "noBandwidth",
    Cause.NETWORK_OUT_OF_ORDER: "unreachableGatekeeper",
    Cause.TEMPORARY_FAILURE: "adaptiveBusy",
    Cause.SWITCHING_EQUIPMENT_CONGESTION: "gatewayResources",
    Cause.RESOURCE_UNAVAILABLE: "gatekeeperResources",
    Cause.BEARER_CAPABILITY_NOT_AUTHORIZED: "noPermission",
    Cause.BEARER_CAPABILITY_NOT_AVAILABLE: "securityDenied",
    Cause.INCOMPATIBLE_DESTINATION: "invalidRevision",
}
"""The ReleaseCompleteReason that we send with each Cause; ``undefinedReason`` with all others."""


def reason(cause: int) -> str:
    """Give the ReleaseCompleteReason that goes best with a cause value, known to us or not."""
    return REASONS.get(cause, "undefinedReason")
