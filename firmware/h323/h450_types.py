"""H.450's types: supplementary services (H.450.1), and the operations of transfer, hold and call waiting.

An operation's argument and result are open types inside of an APDU: bytes, to be decoded by the type that `OPERATIONS`
names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from firmware.asn1 import Type

from .h225 import SCHEMA as H225
from .schema import load

SCHEMA: Final = load("h450", h225=H225)
SUPPLEMENTARY_SERVICE: Final = SCHEMA["H4501SupplementaryService"]
"""Each item of ``h4501SupplementaryService`` is one (H.225.0 7.6)."""


@dataclass(frozen=True)
class Operation:
    """A remote operation: ``opcode`` is ``("local", code)``."""

    code: int
    argument: Type
    result: Type | None = None
    """None: nothing is returned."""


OPERATIONS: Final = {
    "callTransferIdentify": Operation(7, SCHEMA["DummyArg"], SCHEMA["CTIdentifyRes"]),
    "callTransferAbandon": Operation(8, SCHEMA["DummyArg"]),
    "callTransferInitiate": Operation(9, SCHEMA["CTInitiateArg"], SCHEMA["DummyRes"]),
    "callTransferSetup": Operation(10, SCHEMA["CTSetupArg"], SCHEMA["DummyRes"]),
    "callTransferActive": Operation(11, SCHEMA["CTActiveArg"]),
    "callTransferComplete": Operation(12, SCHEMA["CTCompleteArg"]),
    "callTransferUpdate": Operation(13, SCHEMA["CTUpdateArg"]),
    "subaddressTransfer": Operation(14, SCHEMA["SubaddressTransferArg"]),
    "holdNotific": Operation(101, SCHEMA["HoldNotificArg"]),
    "retrieveNotific": Operation(102, SCHEMA["RetrieveNotificArg"]),
    "remoteHold": Operation(103, SCHEMA["RemoteHoldArg"], SCHEMA["RemoteHoldRes"]),
    "remoteRetrieve": Operation(104, SCHEMA["RemoteRetrieveArg"], SCHEMA["RemoteRetrieveRes"]),
    "callWaiting": Operation(105, SCHEMA["CallWaitingArg"]),
}
"""H.450.2 and H.450.4 clause 12, H.450.6: the operations in support of each service."""

ERRORS: Final = {
    0: "userNotSubscribed",
    1: "rejectedByNetwork",
    2: "rejectedByUser",
    3: "notAvailable",
    5: "insufficientInformation",
    6: "invalidServedUserNumber",
    7: "invalidCallState",
    8: "basicServiceNotProvided",
    9: "notIncomingCall",
    10: "supplementaryServiceInteractionNotAllowed",
    11: "resourceUnavailable",
    25: "callFailure",
    43: "proceduralError",
    1004: "invalidReroutingNumber",
    1005: "unrecognizedCallIdentity",
    1006: "establishmentFailure",
    1008: "unspecified",
    2002: "undefined",
}
"""What ``("local", code)`` of a ``returnError`` means: H.450.1's general errors, H.450.2's and H.450.4's own."""
