"""What far ends offer and say that this unit has not (H.239, H.224, T.120, MCUs' words): no call suffers from it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from conformance.h323_capture import CAPTURES, captured
from h323_bench import FAR, H323Bench
from parties import ALL, accept, channel, check_agreement, directions, established, settle

from firmware.asn1 import Value
from firmware.call.call import Call, State
from firmware.call.media import Direction, Kind
from firmware.h323 import h245
from firmware.sansio import Flow
from firmware.signaling.h323_leg import H323Leg

H2250 = {
    "sessionID": 3,
    "mediaControlChannel": (
        "unicastAddress",
        ("iPAddress", {"network": bytes((192, 0, 2, 2)), "tsapIdentifier": 5001}),
    ),
}
H224: Value = {"application": ("h224", ("hdlcFrameTunnelling", None)), "maxBitRate": 64}
H224_MODE: Value = {"application": H224["application"], "bitRate": 64}
T120: Value = {"application": ("t120", ("separateLANStack", None)), "maxBitRate": 640}
H239_CONTROL: Value = {"capabilityIdentifier": ("standard", "0.0.8.239.1.1")}
"""H.239: the capability to manage roles."""
ROLE: Value = {
    "capabilityIdentifier": ("standard", "0.0.8.239.1.2"),
    "nonCollapsing": [{"parameterIdentifier": ("standard", 1), "parameterValue": ("booleanArray", 1)}],
}
"""H.239: this video is a presentation."""
H264: Value = {
    "capabilityIdentifier": ("standard", "0.0.8.241.0.0.1"),
    "maxBitRate": 5120,
    "collapsing": [
        {"parameterIdentifier": ("standard", 41), "parameterValue": ("booleanArray", 64)},
        {"parameterIdentifier": ("standard", 42), "parameterValue": ("unsignedMin", 71)},
    ],
}
PRESENTATION: Value = (
    "extendedVideoCapability",
    {"videoCapability": [("genericVideoCapability", H264)], "videoCapabilityExtension": [ROLE]},
)
G7221: Value = {"capabilityIdentifier": ("standard", "0.0.7.7221.1.0"), "maxBitRate": 32_000}
VENDOR: Value = {
    "nonStandardIdentifier": ("h221NonStandard", {"t35CountryCode": 181, "t35Extension": 0, "manufacturerCode": 9009}),
    "data": b"\x01\x02whatever",
}
PRESENTABLE: Value = {"messageIdentifier": ("standard", "0.0.8.239.2"), "subMessageIdentifier": 3}
TERMINAL: Value = {"mcuNumber": 1, "terminalNumber": 2}

STRANGE: tuple[Value, ...] = (
    ("genericControlCapability", H239_CONTROL),
    ("receiveAndTransmitVideoCapability", PRESENTATION),
    ("receiveAndTransmitDataApplicationCapability", H224),
    ("receiveAndTransmitDataApplicationCapability", T120),
    ("receiveAudioCapability", ("genericAudioCapability", G7221)),
    ("receiveAudioCapability", ("nonStandard", VENDOR)),
    ("receiveVideoCapability", ("nonStandard", VENDOR)),
    ("receiveVideoCapability", ("genericVideoCapability", {"capabilityIdentifier": ("standard", "0.0.8.265.0.0.1")})),
    ("receiveAudioCapability", ("g729AnnexA", 6)),
    ("conferenceCapability", {"chairControlCapability": True, "videoIndicateMixingCapability": False}),
    ("maxPendingReplacementFor", 4),
    ("nonStandard", VENDOR),
    ("receiveAndTransmitUserInputCapability", ("nonStandard", [VENDOR])),
    ("genericControlCapability", {"capabilityIdentifier": ("h221NonStandard", VENDOR)}),
    (
        "receiveRTPAudioToneCapability",
        {"dynamicRTPPayloadType": 110},
    ),
    ("fecCapability", {"protectedCapability": 1}),
)


class Talk:
    """A call between two units, one of which says what it is told to."""

    def __init__(self, bench: H323Bench) -> None:
        self.bench = bench
        self.ours, self.theirs = established(bench)

    def control(self, call: Call) -> Any:
        leg = call._leg
        assert isinstance(leg, H323Leg)
        assert leg.session is not None
        return leg.session.control

    def say(self, kind: str, name: str, content: Value) -> list[str]:
        """Let the far end say this; gives the names of what it hears then."""
        heard: list[str] = []
        control = self.control(self.theirs)
        before = control._dispatch

        def listen(kind: str, content: Value, now: float) -> None:
            heard.append(content[0])
            before(kind, content, now)

        control._dispatch = listen
        control._link._send(kind, name, content)
        settle(self.bench, 0.2)
        control._dispatch = before
        return [name for name in heard if not name.startswith("roundTrip")]

    def check(self) -> None:
        """Everything flows as before, and the call listens."""
        assert self.ours.state is self.theirs.state is State.ACTIVE
        assert directions(self.ours) == directions(self.theirs) == ALL
        check_agreement(self.ours, self.theirs)
        self.bench.far.digits.clear()
        self.ours.send_digit("7")
        settle(self.bench)
        assert self.bench.far.digits == ["7"]


@pytest.fixture(params=[True, False], ids=["tunnelled", "separate"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return Talk(H323Bench(tunnelling=request.param))


def test_a_set_that_is_full_of_strange_things(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = H323Bench()
    make = bench.far_endpoint._make_media

    def strange(flow: Flow) -> Any:
        media = make(flow)
        said = media.capability_set()
        table = [
            {"capabilityTableEntryNumber": number, "capability": capability}
            for number, capability in enumerate(STRANGE, 100)
        ]
        said["capabilityTable"] = table[:8] + said["capabilityTable"] + table[8:]
        (descriptor,) = said["capabilityDescriptors"]
        descriptor["simultaneousCapabilities"] += [[number] for number in range(100, 100 + len(STRANGE))]
        monkeypatch.setattr(media, "capability_set", lambda: said)
        return media

    monkeypatch.setattr(bench.far_endpoint, "_make_media", strange)
    talk = Talk(bench)
    assert len(talk.control(talk.ours).capabilities["capabilityTable"]) > len(STRANGE) + 5
    assert channel(talk.ours, Kind.VIDEO, Direction.SEND).codec.name == "H264"
    talk.check()


def open_channel(number: int, data_type: Value, parameters: Value, **more: Value) -> Value:
    forward = {"dataType": data_type, "multiplexParameters": ("h2250LogicalChannelParameters", parameters)}
    return {"forwardLogicalChannelNumber": number, "forwardLogicalChannelParameters": forward, **more}


def both_ways(data_type: Value) -> Value:
    return {"dataType": data_type, "multiplexParameters": ("h2250LogicalChannelParameters", H2250)}


@pytest.mark.parametrize(
    "request_",
    [
        open_channel(900, ("data", H224), H2250),
        open_channel(901, ("data", H224), H2250, reverseLogicalChannelParameters=both_ways(("data", H224))),
        open_channel(902, ("data", T120), H2250, reverseLogicalChannelParameters=both_ways(("data", T120))),
        open_channel(903, ("videoData", PRESENTATION), {**H2250, "sessionID": 0}),
        open_channel(904, ("videoData", PRESENTATION), {**H2250, "sessionID": 32}),
        open_channel(905, ("videoData", ("genericVideoCapability", H264)), {**H2250, "sessionID": 5}),
        open_channel(906, ("audioData", ("genericAudioCapability", G7221)), {**H2250, "sessionID": 1}),
        open_channel(907, ("audioData", ("nonStandard", VENDOR)), {**H2250, "sessionID": 1}),
        open_channel(908, ("nonStandard", VENDOR), H2250),
        open_channel(909, ("encryptionData", ("h233Encryption", None)), H2250),
        open_channel(910, ("audioData", ("g711Alaw64k", 20)), {**H2250, "sessionID": 9}),
    ],
    ids=lambda request: str(request["forwardLogicalChannelNumber"]),
)
def test_channels_that_we_have_no_use_for_are_refused(talk: Talk, request_: Value) -> None:
    assert talk.say("request", "openLogicalChannel", request_) == ["openLogicalChannelReject"]
    talk.check()


NOTHING_TO_SAY: tuple[tuple[str, str, Value], ...] = (
    ("command", "communicationModeCommand", {
        "communicationModeTable": [{
            "sessionID": 1,
            "sessionDescription": "Audio",
            "dataType": ("audioData", ("g711Alaw64k", 20)),
        }],
    }),
    ("command", "conferenceCommand", ("sendThisSource", TERMINAL)),
    ("command", "conferenceCommand", ("cancelSendThisSource", None)),
    ("command", "miscellaneousCommand", {"logicalChannelNumber": 1, "type": ("multipointModeCommand", None)}),
    ("command", "miscellaneousCommand", {"logicalChannelNumber": 1, "type": ("cancelMultipointModeCommand", None)}),
    ("command", "miscellaneousCommand", {"logicalChannelNumber": 1, "type": ("videoFreezePicture", None)}),
    ("command", "miscellaneousCommand", {"logicalChannelNumber": 2, "type": ("videoTemporalSpatialTradeOff", 31)}),
    ("command", "miscellaneousCommand", {"logicalChannelNumber": 2, "type": ("videoSendSyncEveryGOB", None)}),
    ("command", "miscellaneousCommand", {"logicalChannelNumber": 2, "type": ("equaliseDelay", None)}),
    ("command", "miscellaneousCommand", {"logicalChannelNumber": 2, "type": ("maxH223MUXPDUsize", 1)}),
    ("command", "nonStandard", {"nonStandardData": VENDOR}),
    ("indication", "miscellaneousIndication", {"logicalChannelNumber": 1, "type": ("logicalChannelInactive", None)}),
    ("indication", "miscellaneousIndication", {"logicalChannelNumber": 1, "type": ("logicalChannelActive", None)}),
    ("indication", "miscellaneousIndication", {"logicalChannelNumber": 9, "type": ("multipointConference", None)}),
    ("indication", "miscellaneousIndication", {"logicalChannelNumber": 2, "type": ("multipointZeroComm", None)}),
    ("indication", "miscellaneousIndication", {
        "logicalChannelNumber": 2,
        "type": ("videoNotDecodedMBs", {"firstMB": 1, "numberOfMBs": 99, "temporalReference": 3}),
    }),
    ("indication", "jitterIndication", {
        "scope": ("wholeMultiplex", None), "estimatedReceivedJitterMantissa": 1, "estimatedReceivedJitterExponent": 2,
    }),
    ("indication", "h2250MaximumSkewIndication", {
        "logicalChannelNumber1": 1, "logicalChannelNumber2": 2, "maximumSkew": 40,
    }),
    ("indication", "conferenceIndication", ("terminalNumberAssign", TERMINAL)),
    ("indication", "conferenceIndication", ("terminalJoinedConference", TERMINAL)),
    ("indication", "conferenceIndication", ("seenByAtLeastOneOther", None)),
    ("indication", "conferenceIndication", ("terminalYouAreSeeing", TERMINAL)),
    ("indication", "vendorIdentification", {"vendor": ("object", "1.2.3"), "productNumber": b"MCU"}),
    ("indication", "mcLocationIndication", {
        "signalAddress": ("unicastAddress", ("iPAddress", {"network": bytes(4), "tsapIdentifier": 1720})),
    }),
    ("indication", "functionNotSupported", {"cause": ("unknownFunction", None)}),
    ("indication", "functionNotUnderstood", ("command", ("sendTerminalCapabilitySet", ("genericRequest", None)))),
    ("indication", "genericIndication", PRESENTABLE),
    ("indication", "userInput", ("nonStandard", VENDOR)),
    ("indication", "userInput", ("alphanumeric", "words, not keys")),
    ("indication", "flowControlIndication", {
        "scope": ("wholeMultiplex", None), "restriction": ("noRestriction", None),
    }),
    ("indication", "nonStandard", {"nonStandardData": VENDOR}),
    ("response", "genericResponse", PRESENTABLE),
    ("response", "conferenceResponse", ("videoCommandReject", None)),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "content"), NOTHING_TO_SAY, ids=[f"{n}" for _, n, _ in NOTHING_TO_SAY])
def test_what_needs_no_answer_gets_none(talk: Talk, kind: str, name: str, content: Value) -> None:
    assert talk.say(kind, name, content) == []
    talk.check()


@pytest.mark.parametrize(
    ("kind", "name", "content", "answer"),
    [
        ("request", "genericRequest", PRESENTABLE, "functionNotSupported"),
        ("command", "genericCommand", PRESENTABLE, "functionNotSupported"),
        ("request", "conferenceRequest", ("terminalListRequest", None), "functionNotSupported"),
        ("request", "conferenceRequest", ("makeMeChair", None), "conferenceResponse"),
        ("request", "conferenceRequest", ("enterH243TerminalID", None), "functionNotSupported"),
        ("request", "communicationModeRequest", {}, "functionNotSupported"),
        ("request", "maintenanceLoopRequest", {"type": ("systemLoop", None)}, "maintenanceLoopReject"),
        (
            "request",
            "requestMode",
            {"sequenceNumber": 7, "requestedModes": [[{"type": ("dataMode", H224_MODE)}]]},
            "requestModeReject",
        ),
        (
            "request",
            "logicalChannelRateRequest",
            {"sequenceNumber": 1, "logicalChannelNumber": 2, "maximumBitRate": 100},
            "logicalChannelRateReject",
        ),
    ],
)
def test_what_asks_for_an_answer_gets_a_refusal(talk: Talk, kind: str, name: str, content: Value, answer: str) -> None:
    assert talk.say(kind, name, content) == [answer]
    talk.check()


# What real terminals said, told to a call of ours


def captured_sets() -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for path in sorted(CAPTURES.glob("*.pcap")):
        items = [item for item in captured(Path(path)) if item.type is h245.MESSAGE]
        for where, group in groupby(items, lambda item: item.where.partition(" frame ")[0]):
            messages = [h245.MESSAGE.decode(item.data) for item in group]
            sets = [content[1] for kind, content in messages if content[0] == "terminalCapabilitySet"]
            if sets:
                found.setdefault(where, []).extend(sets)
    return found


SETS = captured_sets()


@pytest.mark.parametrize("where", SETS)
def test_captured_sets_make_calls(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = H323Bench()
    bench.far.when_called = accept
    make = bench.far_endpoint._make_media
    (said, *_) = SETS[where]

    def theirs(flow: Flow) -> Any:
        media = make(flow)
        monkeypatch.setattr(media, "capability_set", lambda: said)
        return media

    monkeypatch.setattr(bench.far_endpoint, "_make_media", theirs)
    bench.unit.dial(bench.far)
    settle(bench)
    ours = bench.unit.call
    assert ours.state is State.ACTIVE
    sent = channel(ours, Kind.AUDIO, Direction.SEND)
    assert sent.remote is not None
    assert sent.remote[0] == FAR[0]
    names = {entry["capability"][0] for entry in said["capabilityTable"]}
    has_video = any(name in ("receiveVideoCapability", "receiveAndTransmitVideoCapability") for name in names)
    assert ((Kind.VIDEO, Direction.SEND) in directions(ours)) is has_video
    ours.hang_up()
    settle(bench, 3)
    bench.check_clean()


def test_there_are_captured_sets_with_strange_things() -> None:
    entries = [entry["capability"] for sets in SETS.values() for said in sets for entry in said["capabilityTable"]]
    assert len(SETS) >= 10
    assert {"receiveDataApplicationCapability", "receiveRTPAudioTelephonyEventCapability"} & {n for n, _ in entries}
