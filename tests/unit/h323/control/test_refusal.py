"""What is answered to all that we have not."""

from __future__ import annotations

import pytest
from h245_bench import Bench, over_the_wire

from firmware.asn1 import Value
from firmware.h323 import h245
from firmware.h323.control.refusal import MAX_RETURNED, not_supported

NON_STANDARD: Value = {"nonStandardData": {"nonStandardIdentifier": ("object", "1.2.3"), "data": b"x"}}
H239: Value = {"messageIdentifier": ("standard", "0.0.8.239.2"), "subMessageIdentifier": 3}
LABEL: Value = {"mcuNumber": 1, "terminalNumber": 2}

REFUSED: list[tuple[str, Value, str, Value]] = [
    (
        "multiplexEntrySend",
        {"sequenceNumber": 3, "multiplexEntryDescriptors": [{"multiplexTableEntryNumber": 7}]},
        "multiplexEntrySendReject",
        {
            "sequenceNumber": 3,
            "rejectionDescriptions": [{"multiplexTableEntryNumber": 7, "cause": ("unspecifiedCause", None)}],
        },
    ),
    (
        "requestMultiplexEntry",
        {"entryNumbers": [1, 2]},
        "requestMultiplexEntryReject",
        {
            "entryNumbers": [1, 2],
            "rejectionDescriptions": [
                {"multiplexTableEntryNumber": number, "cause": ("unspecifiedCause", None)} for number in (1, 2)
            ],
        },
    ),
    (
        "maintenanceLoopRequest",
        {"type": ("mediaLoop", 5)},
        "maintenanceLoopReject",
        {"type": ("mediaLoop", 5), "cause": ("canNotPerformLoop", None)},
    ),
    (
        "logicalChannelRateRequest",
        {"sequenceNumber": 1, "logicalChannelNumber": 5, "maximumBitRate": 100},
        "logicalChannelRateReject",
        {"sequenceNumber": 1, "logicalChannelNumber": 5, "rejectReason": ("undefinedReason", None)},
    ),
    (
        "conferenceRequest",
        ("makeMeChair", None),
        "conferenceResponse",
        ("makeMeChairResponse", ("deniedChairToken", None)),
    ),
    ("conferenceRequest", ("dropTerminal", LABEL), "conferenceResponse", ("terminalDropReject", None)),
    (
        "conferenceRequest",
        ("broadcastMyLogicalChannel", 7),
        "conferenceResponse",
        ("broadcastMyLogicalChannelResponse", ("deniedBroadcastMyLogicalChannel", None)),
    ),
    (
        "conferenceRequest",
        ("makeTerminalBroadcaster", LABEL),
        "conferenceResponse",
        ("makeTerminalBroadcasterResponse", ("deniedMakeTerminalBroadcaster", None)),
    ),
    (
        "conferenceRequest",
        ("sendThisSource", LABEL),
        "conferenceResponse",
        ("sendThisSourceResponse", ("deniedSendThisSource", None)),
    ),
    (
        "conferenceRequest",
        ("remoteMCRequest", ("masterActivate", None)),
        "conferenceResponse",
        ("remoteMCResponse", ("reject", ("functionNotSupported", None))),
    ),
]


@pytest.mark.parametrize(("name", "content", "answer", "refusal"), REFUSED)
def test_request_with_a_refusal_of_its_own(name: str, content: Value, answer: str, refusal: Value) -> None:
    bench = Bench()
    bench.receive(("request", (name, content)))
    assert bench.sent() == [(answer, refusal)]
    assert bench.events() == []


@pytest.mark.parametrize(
    "message",
    [
        ("request", ("genericRequest", H239)),
        ("request", ("conferenceRequest", ("terminalListRequest", None))),
        ("request", ("conferenceRequest", ("enterH243Password", None))),
        ("request", ("communicationModeRequest", {})),
        ("request", ("multilinkRequest", ("callInformation", {"maxNumberOfAdditionalConnections": 1}))),
        ("request", ("+30", b"abc")),
        ("command", ("genericCommand", H239)),
        ("command", ("+30", b"abc")),
    ],
)
def test_what_has_none(message: Value) -> None:
    bench = Bench()
    bench.receive(message)
    returned = {"cause": ("unknownFunction", None), "returnedFunction": h245.MESSAGE.encode(message)}
    assert bench.sent() == [("functionNotSupported", returned)]
    assert bench.events() == []


@pytest.mark.parametrize(
    "message",
    [
        *((kind, ("nonStandard", NON_STANDARD)) for kind in ("request", "response", "command", "indication")),
        ("response", ("genericResponse", H239)),
        ("response", ("+30", b"abc")),
        ("response", ("maintenanceLoopAck", {"type": ("systemLoop", None)})),
        ("command", ("maintenanceLoopOffCommand", {})),
        ("command", ("conferenceCommand", ("cancelSendThisSource", None))),
        ("indication", ("genericIndication", H239)),
        ("indication", ("+30", b"abc")),
        ("indication", ("functionNotSupported", {"cause": ("unknownFunction", None)})),
        ("indication", ("functionNotUnderstood", ("command", ("endSessionCommand", ("disconnect", None))))),
        ("indication", ("openLogicalChannelConfirm", {"forwardLogicalChannelNumber": 4})),
        ("indication", ("conferenceIndication", ("terminalNumberAssign", LABEL))),
        ("indication", ("vendorIdentification", {"vendor": ("object", "1.2.3")})),
        ("indication", ("h2250MaximumSkewIndication", {
            "logicalChannelNumber1": 1, "logicalChannelNumber2": 2, "maximumSkew": 3})),
        ("indication", ("h223SkewIndication", {
            "logicalChannelNumber1": 1, "logicalChannelNumber2": 2, "skew": 3})),
    ],
)  # fmt: skip
def test_what_needs_no_answer(message: Value) -> None:
    bench = Bench()
    bench.receive(message)
    assert bench.sent() == bench.events() == []
    assert bench.control.ignored.total() == 1


def test_kind_of_message_that_nobody_knows() -> None:
    bench = Bench()
    bench.receive(("+3", b"\1\2\3"))
    assert bench.sent() == bench.events() == []


def test_long_message_is_not_returned() -> None:
    parameter = {"parameterIdentifier": ("standard", 1), "parameterValue": ("octetString", bytes(MAX_RETURNED))}
    long: Value = ("request", ("genericRequest", {**H239, "messageContent": [parameter]}))
    assert not_supported(long) == {"cause": ("unknownFunction", None)}
    over_the_wire(long)


def test_two_ends_do_not_answer_each_other_without_end() -> None:
    first, second = Bench(), Bench()
    first.receive(("request", ("genericRequest", H239)))
    second.receive(*first.control.outgoing())
    assert second.sent() == []
