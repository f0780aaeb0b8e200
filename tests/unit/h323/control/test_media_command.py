"""Flow control, key frames, freezing and muting, each on the channel that is meant."""

from __future__ import annotations

import pytest
from h245_bench import VIDEO, Bench, command, indication

from firmware.asn1 import Value
from firmware.h323.control.events import (
    ChannelActive,
    FreezeRequested,
    KeyFrameRequested,
    KeyGiven,
    KeyRequested,
    Limited,
)
from firmware.h323.control.media_command import MAX_UNITS


@pytest.fixture
def bench() -> Bench:
    """Channel 1 is ours, channel 101 theirs."""
    bench = Bench()
    bench.establish()
    assert bench.open(VIDEO) == 1
    bench.take(101, VIDEO)
    return bench


def miscellaneous(number: int, kind: str, content: Value = None) -> Value:
    return command("miscellaneousCommand", logicalChannelNumber=number, type=(kind, content))


KEY_FRAME_COMMANDS: list[tuple[str, Value]] = [
    ("videoFastUpdatePicture", None),
    ("videoFastUpdateGOB", {"firstGOB": 0, "numberOfGOBs": 5}),
    ("videoFastUpdateMB", {"numberOfMBs": 8}),
    ("videoBadMBs", {"firstMB": 1, "numberOfMBs": 5, "temporalReference": 6}),
    ("lostPicture", [("pictureNumber", 5)]),
    ("lostPartialPicture", {"pictureReference": ("pictureNumber", 5), "firstMB": 1, "numberOfMBs": 5}),
]


@pytest.mark.parametrize(("kind", "content"), KEY_FRAME_COMMANDS)
def test_key_frame_wanted(bench: Bench, kind: str, content: Value) -> None:
    bench.receive(miscellaneous(1, kind, content))
    assert bench.events() == [KeyFrameRequested(1)]
    bench.receive(miscellaneous(55, kind, content))
    assert bench.events() == [KeyFrameRequested(None)]
    assert bench.sent() == []


def test_freeze(bench: Bench) -> None:
    bench.receive(miscellaneous(101, "videoFreezePicture"))
    assert bench.events() == [FreezeRequested(101)]
    bench.receive(miscellaneous(1, "videoFreezePicture"))
    assert bench.events() == []


@pytest.mark.parametrize(
    "kind", ["equaliseDelay", "zeroDelay", "multipointModeCommand", "switchReceiveMediaOff", "videoSendSyncEveryGOB"]
)
def test_other_commands_are_passed_over(bench: Bench, kind: str) -> None:
    bench.receive(miscellaneous(1, kind))
    assert bench.events() == bench.sent() == []
    assert bench.control.ignored[f"miscellaneousCommand {kind}"] == 1


@pytest.mark.parametrize(
    ("scope", "restriction", "event"),
    [
        (("logicalChannelNumber", 1), ("maximumBitRate", 3840), Limited(1, 384_000)),
        (("logicalChannelNumber", 1), ("maximumBitRate", 0), Limited(1, 0)),
        (("logicalChannelNumber", 1), ("noRestriction", None), Limited(1, None)),
        (("wholeMultiplex", None), ("maximumBitRate", 10), Limited(None, 1000)),
        (("logicalChannelNumber", 101), ("maximumBitRate", 10), None),
        (("resourceID", 1), ("maximumBitRate", 10), None),
    ],
)
def test_limited(bench: Bench, scope: Value, restriction: Value, event: Limited | None) -> None:
    bench.receive(command("flowControlCommand", scope=scope, restriction=restriction))
    assert bench.events() == ([] if event is None else [event])
    assert bench.sent() == []


@pytest.mark.parametrize(
    ("number", "bitrate", "scope", "restriction"),
    [
        (101, 384_000, ("logicalChannelNumber", 101), ("maximumBitRate", 3840)),
        (101, 199, ("logicalChannelNumber", 101), ("maximumBitRate", 1)),
        (101, 99, ("logicalChannelNumber", 101), ("maximumBitRate", 1)),
        (101, 0, ("logicalChannelNumber", 101), ("maximumBitRate", 0)),
        (101, 10**12, ("logicalChannelNumber", 101), ("maximumBitRate", MAX_UNITS)),
        (None, None, ("wholeMultiplex", None), ("noRestriction", None)),
    ],
)
def test_limiting(bench: Bench, number: int | None, bitrate: int | None, scope: Value, restriction: Value) -> None:
    bench.control.limit(number, bitrate, bench.now)
    assert bench.sent() == [("flowControlCommand", {"scope": scope, "restriction": restriction})]


def test_asking_for_a_key_frame(bench: Bench) -> None:
    bench.control.request_key_frame(101, bench.now)
    content = {"logicalChannelNumber": 101, "type": ("videoFastUpdatePicture", None)}
    assert bench.sent() == [("miscellaneousCommand", content)]


@pytest.mark.parametrize("active", [False, True])
def test_muting(bench: Bench, active: bool) -> None:
    kind = "logicalChannelActive" if active else "logicalChannelInactive"
    bench.control.indicate_activity(1, active, bench.now)
    assert bench.sent() == [("miscellaneousIndication", {"logicalChannelNumber": 1, "type": (kind, None)})]
    for number in (1, 101):
        bench.receive(indication("miscellaneousIndication", logicalChannelNumber=number, type=(kind, None)))
    assert bench.events() == [ChannelActive(101, active)]
    assert bench.control.ignored[f"miscellaneousIndication {kind}"] == 1


SYNC = {"synchFlag": 106, "h235Key": b"key"}


def key_command(number: int, kind: str, content: Value, direction: str | None) -> Value:
    said = {} if direction is None else {"direction": (direction, None)}
    return command("miscellaneousCommand", logicalChannelNumber=number, type=(kind, content), **said)


def directions(bench: Bench) -> tuple[str, str]:
    """Names of the direction in which we send, and of the other."""
    return ("masterToSlave", "slaveToMaster") if bench.control.master else ("slaveToMaster", "masterToSlave")


def test_another_key_is_asked_for(bench: Bench) -> None:
    sending, receiving = directions(bench)
    for number, direction, expected in (
        (1, sending, [KeyRequested(1, ours=True)]),
        (101, receiving, [KeyRequested(101, ours=False)]),
        (101, None, [KeyRequested(101, ours=False)]),
        (1, None, [KeyRequested(1, ours=True)]),
        (1, receiving, []),
        (55, None, []),
    ):
        bench.receive(key_command(number, "encryptionUpdateRequest", {}, direction))
        assert bench.events() == expected
    assert bench.sent() == []


@pytest.mark.parametrize(
    ("kind", "content"), [("encryptionUpdateCommand", {"encryptionSync": SYNC}), ("encryptionUpdate", SYNC)]
)
def test_another_key_is_given(bench: Bench, kind: str, content: Value) -> None:
    sending, receiving = directions(bench)
    bench.receive(key_command(1, kind, content, sending))
    bench.receive(key_command(101, kind, content, receiving))
    assert bench.events() == [KeyGiven(1, True, SYNC), KeyGiven(101, False, SYNC)]


def test_giving_a_key_and_saying_that_it_is_in_use(bench: Bench) -> None:
    sending, receiving = directions(bench)
    bench.control.give_key(101, SYNC, bench.now, ours=False)
    bench.control.acknowledge_key(1, 106, bench.now, ours=True)
    assert bench.sent() == [
        key_command(101, "encryptionUpdateCommand", {"encryptionSync": SYNC}, receiving)[1],
        key_command(1, "encryptionUpdateAck", {"synchFlag": 106}, sending)[1],
    ]
