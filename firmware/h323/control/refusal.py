"""What we answer to requests for what we have not: the refusal that H.245 has for it, or functionNotSupported.

Rule 1: a request or a command is answered, a response or an indication never: two ends must not answer each other
without end.
Rule 2: a command that we know and need not obey is silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.h323 import h245

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.asn1 import Value

    Answer = tuple[str, Value]
    """Name and content of a ResponseMessage."""


def _multiplex_entry_send(content: Value) -> Answer:
    # C.7: multiplex tables are H.223's; H.323 has none.
    descriptions = [
        {"multiplexTableEntryNumber": entry["multiplexTableEntryNumber"], "cause": ("unspecifiedCause", None)}
        for entry in content["multiplexEntryDescriptors"]
    ]
    reject = {"sequenceNumber": content["sequenceNumber"], "rejectionDescriptions": descriptions}
    return ("multiplexEntrySendReject", reject)


def _request_multiplex_entry(content: Value) -> Answer:
    # C.8.
    descriptions = [
        {"multiplexTableEntryNumber": number, "cause": ("unspecifiedCause", None)} for number in content["entryNumbers"]
    ]
    reject = {"entryNumbers": content["entryNumbers"], "rejectionDescriptions": descriptions}
    return ("requestMultiplexEntryReject", reject)


def _maintenance_loop(content: Value) -> Answer | None:
    # C.11.
    if content["type"][0].startswith("+"):
        return None
    return ("maintenanceLoopReject", {"type": content["type"], "cause": ("canNotPerformLoop", None)})


def _logical_channel_rate(content: Value) -> Answer:
    # B.12: what we send is limited by flowControlCommand.
    reject = {
        "sequenceNumber": content["sequenceNumber"],
        "logicalChannelNumber": content["logicalChannelNumber"],
        "rejectReason": ("undefinedReason", None),
    }
    return ("logicalChannelRateReject", reject)


_CONFERENCE: Final[dict[str, Value]] = {
    "makeMeChair": ("makeMeChairResponse", ("deniedChairToken", None)),
    "dropTerminal": ("terminalDropReject", None),
    "broadcastMyLogicalChannel": (
        "broadcastMyLogicalChannelResponse",
        ("deniedBroadcastMyLogicalChannel", None),
    ),
    "makeTerminalBroadcaster": ("makeTerminalBroadcasterResponse", ("deniedMakeTerminalBroadcaster", None)),
    "sendThisSource": ("sendThisSourceResponse", ("deniedSendThisSource", None)),
    "remoteMCRequest": ("remoteMCResponse", ("reject", ("functionNotSupported", None))),
}
"""The refusals of a terminal that is no MC, by ConferenceRequest (B.10)."""


def _conference(content: Value) -> Answer | None:
    refusal = _CONFERENCE.get(content[0])
    return None if refusal is None else ("conferenceResponse", refusal)


_REFUSALS: Final[dict[str, Callable[[Value], Answer | None]]] = {
    "multiplexEntrySend": _multiplex_entry_send,
    "requestMultiplexEntry": _request_multiplex_entry,
    "maintenanceLoopRequest": _maintenance_loop,
    "logicalChannelRateRequest": _logical_channel_rate,
    "conferenceRequest": _conference,
}

SILENT_COMMANDS: Final = frozenset(
    {
        "nonStandard",
        "maintenanceLoopOffCommand",  # no loop is ever made
        "encryptionCommand",  # H.233; H.323 has H.235
        "communicationModeCommand",  # an MC's word on sessions: our channels are negotiated one by one
        "conferenceCommand",
        "h223MultiplexReconfiguration",
        "newATMVCCommand",
        "mobileMultilinkReconfigurationCommand",
    }
)
"""Commands that we know and need not obey."""

MAX_RETURNED: Final = 256
"""Octets; a message longer than that is refused without being returned."""


def not_supported(message: Value) -> Value:
    """Give the functionNotSupported for a message that has no refusal of its own (B.14), as H.239's have not."""
    content: dict[str, Value] = {"cause": ("unknownFunction", None)}
    returned = h245.MESSAGE.encode(message)
    if len(returned) <= MAX_RETURNED:
        content["returnedFunction"] = returned
    return content


def refusal(name: str, content: Value) -> Answer | None:
    """Give the response that refuses this request; None: it has none, answer `NOT_SUPPORTED`."""
    make = _REFUSALS.get(name)
    return None if make is None else make(content)
