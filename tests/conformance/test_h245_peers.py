"""What real terminals said in captured calls, each direction told to a Control as if it stood at the other end."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest
from conformance.h323_capture import CAPTURES, Captured, captured
from h245_bench import CAPABILITIES, Bench

from firmware.asn1 import Value
from firmware.h323 import h245
from firmware.h323.control.events import CapabilitiesReceived, ChannelRequested, Failed, SessionEnded


def direction(item: Captured) -> str:
    """Give the name of the connection and of the direction that a message came by."""
    return item.where.partition(" frame ")[0]


def said() -> dict[str, list[Value]]:
    """Give all H.245 messages of the captures, by connection and direction, in order."""
    found: dict[str, list[Value]] = {}
    for path in sorted(CAPTURES.glob("*.pcap")):
        items = [item for item in captured(Path(path)) if item.type is h245.MESSAGE]
        for where, group in groupby(items, direction):
            found.setdefault(where, []).extend(h245.MESSAGE.decode(item.data) for item in group)
    return found


SAID = said()


def names(messages: list[Value]) -> list[str]:
    return [name for _, (name, _) in messages]


def test_there_are_calls() -> None:
    assert len(SAID) >= 16
    assert {"openLogicalChannel", "endSessionCommand", "miscellaneousCommand"} <= {
        name for messages in SAID.values() for name in names(messages)
    }


@pytest.mark.parametrize("where", SAID)
@pytest.mark.parametrize("started", [False, True])
def test_all_is_taken(where: str, started: bool) -> None:
    bench = Bench()
    if started:
        bench.start()
    asked, events, answers = SAID[where], [], []
    for message in asked:
        bench.control.receive(message, bench.now)
        for event in bench.events():
            events.append(event)
            if isinstance(event, ChannelRequested):
                bench.control.accept_channel(event.number, {"sessionID": 1}, bench.now)
        answers += bench.names()
        bench.now += 0.01
    kinds = names(asked)
    assert not [event for event in events if isinstance(event, Failed)]
    assert "functionNotSupported" not in answers
    assert "terminalCapabilitySetReject" not in answers
    assert kinds.count("terminalCapabilitySet") == answers.count("terminalCapabilitySetAck")
    sets = [event for event in events if isinstance(event, CapabilitiesReceived)]
    assert all(event.capabilities["capabilityTable"] for event in sets)
    assert kinds.count("openLogicalChannel") == answers.count("openLogicalChannelAck")
    assert (SessionEnded() in events) is ("endSessionCommand" in kinds)


@pytest.mark.parametrize("where", [where for where in SAID if "openLogicalChannel" in names(SAID[where])])
def test_call_as_it_went(where: str) -> None:
    """The far end's own answers are given to what we ask, its numbers changed to ours."""
    bench = Bench()
    bench.start()
    ours: list[int] = []
    for message in SAID[where]:
        kind, (name, content) = message
        match name:
            case "masterSlaveDetermination":
                # So that our number gives the result that its own acknowledgement tells.
                content = {**content, "terminalType": 40 if told(where) == "master" else 240}
            case "terminalCapabilitySetAck":
                content = {**content, "sequenceNumber": 1}
            case "openLogicalChannelAck" if ours:
                content = {**content, "forwardLogicalChannelNumber": ours.pop(0)}
        bench.control.receive((kind, (name, content)), bench.now)
        for event in bench.events():
            if isinstance(event, ChannelRequested):
                data_type = event.parameters["forwardLogicalChannelParameters"]["dataType"]
                bench.control.accept_channel(event.number, {"sessionID": 1}, bench.now)
                ours.append(bench.control.open_channel(data_type, {"sessionID": 1}, bench.now))
        bench.sent()
    assert bench.control.errors == {}
    assert bench.control.ignored.total() == names(SAID[where]).count("miscellaneousIndication")
    # Asterisk never answered what H323Plus wanted to open.
    answers = "openLogicalChannelAck" in names(SAID[where])
    assert len(ours) == (0 if answers else 1)
    assert answers or where.startswith("ast-to-h323p.pcap")
    assert bench.control.master is (told(where) == "master")


def told(where: str) -> str:
    """Give what the far end says that we are."""
    decisions = [content["decision"][0] for _, (name, content) in SAID[where] if name == "masterSlaveDeterminationAck"]
    return str(decisions[-1])


def test_our_own_set_is_like_theirs() -> None:
    theirs = {name for messages in SAID.values() for _, (name, content) in messages if name == "terminalCapabilitySet"}
    assert theirs
    bench = Bench()
    bench.start(CAPABILITIES)
    assert bench.names()[0] in theirs
