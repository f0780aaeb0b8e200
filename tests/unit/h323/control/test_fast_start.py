"""Items of fastStart, written and read; those of real terminals too."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance.h323_capture import CAPTURES, captured
from h245_bench import AUDIO, VIDEO

from firmware.asn1 import Value
from firmware.h323.control.fast_start import FastChannel, read
from firmware.h323.h245 import OPEN_LOGICAL_CHANNEL

ADDRESS: Value = ("unicastAddress", ("iPAddress", {"network": bytes(4), "tsapIdentifier": 5000}))
PARAMETERS: dict[str, Value] = {"sessionID": 1, "mediaChannel": ADDRESS, "mediaControlChannel": ADDRESS}


def test_from_the_caller() -> None:
    assert FastChannel(7, True, AUDIO, PARAMETERS).value() == {
        "forwardLogicalChannelNumber": 7,
        "forwardLogicalChannelParameters": {
            "dataType": AUDIO,
            "multiplexParameters": ("h2250LogicalChannelParameters", PARAMETERS),
        },
    }


def test_to_the_caller() -> None:
    assert FastChannel(7, False, AUDIO, PARAMETERS).value() == {
        "forwardLogicalChannelNumber": 7,
        "forwardLogicalChannelParameters": {"dataType": ("nullData", None), "multiplexParameters": ("none", None)},
        "reverseLogicalChannelParameters": {
            "dataType": AUDIO,
            "multiplexParameters": ("h2250LogicalChannelParameters", PARAMETERS),
        },
    }


@pytest.mark.parametrize("from_caller", [False, True])
@pytest.mark.parametrize("data_type", [AUDIO, VIDEO])
def test_read_back_from_the_wire(from_caller: bool, data_type: Value) -> None:
    channel = FastChannel(65535, from_caller, data_type, PARAMETERS)
    assert read(OPEN_LOGICAL_CHANNEL.decode(OPEN_LOGICAL_CHANNEL.encode(channel.value()))) == channel


def changed(part: str, component: str, value: Value) -> Value:
    item = FastChannel(7, part.startswith("forward"), AUDIO, PARAMETERS).value()
    item[part][component] = value
    return item


@pytest.mark.parametrize(
    "item",
    [
        changed("forwardLogicalChannelParameters", "multiplexParameters", ("none", None)),
        changed("forwardLogicalChannelParameters", "multiplexParameters", ("+9", b"")),
        changed("forwardLogicalChannelParameters", "dataType", ("nullData", None)),
        changed("forwardLogicalChannelParameters", "dataType", ("+9", b"")),
        changed("reverseLogicalChannelParameters", "dataType", ("+9", b"")),
        {
            **FastChannel(7, False, AUDIO, PARAMETERS).value(),
            "forwardLogicalChannelParameters": {"dataType": AUDIO, "multiplexParameters": ("none", None)},
        },
        {
            **FastChannel(7, True, AUDIO, PARAMETERS).value(),
            "reverseLogicalChannelParameters": {"dataType": AUDIO},
        },
        {
            **FastChannel(7, False, AUDIO, PARAMETERS).value(),
            "reverseLogicalChannelParameters": {"dataType": AUDIO},
        },
    ],
)
def test_what_we_could_not_take(item: Value) -> None:
    assert read(item) is None


def test_real_terminals() -> None:
    items = [
        item for path in sorted(CAPTURES.glob("*.pcap")) for item in captured(Path(path))
        if item.type is OPEN_LOGICAL_CHANNEL
    ]  # fmt: skip
    directions = set()
    for item in items:
        channel = read(OPEN_LOGICAL_CHANNEL.decode(item.data))
        assert channel is not None, item.where
        assert channel.data_type[0] in {"audioData", "videoData", "data"}
        assert channel.parameters["sessionID"] in {1, 2, 3}
        if "setup" in item.where:
            assert "mediaControlChannel" in channel.parameters
            assert ("mediaChannel" in channel.parameters) is not channel.from_caller
        elif channel.from_caller:
            assert "mediaChannel" in channel.parameters
        directions.add((channel.from_caller, "setup" in item.where))
    assert len(directions) == 4
