"""H.245 messages that are right by the syntax and nonsense otherwise: nothing raises, and nothing grows."""

from __future__ import annotations

import random

import pytest
from asn1_values import random_value
from h245_bench import CAPABILITIES, Bench, over_the_wire

from firmware.h323 import h245
from firmware.h323.control.channels import MAX_CHANNELS
from firmware.h323.control.events import ChannelRequested, Failed

MESSAGES = 150
"""For each bench."""


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("stage", ["new", "started", "established"])
def test_random_messages(stage: str, seed: int) -> None:
    bench = Bench(seed=seed)
    if stage == "started":
        bench.start()
    elif stage == "established":
        bench.establish()
    rng = random.Random(seed)
    for _ in range(MESSAGES):
        message = random_value(h245.MESSAGE, rng)
        if message == ("command", ("endSessionCommand", message[1][1])):
            continue
        bench.control.receive(over_the_wire(message), bench.now)
        bench.sent()
        for event in bench.events():
            if isinstance(event, ChannelRequested):
                bench.control.accept_channel(event.number, {"sessionID": 1}, bench.now)
        bench.pass_time(rng.random())
    assert len(bench.control._channels.incoming) <= MAX_CHANNELS
    assert len(bench.control.ignored) < 300


def test_every_kind_of_message_is_known_to_come() -> None:
    """The random messages above reach every alternative of the schema at the upper two levels."""
    rng = random.Random(1)
    seen = {(kind, content[0]) for kind, content in (random_value(h245.MESSAGE, rng) for _ in range(3000))}
    assert len(seen) >= 16 + 25 + 13 + 24 - 4


def test_every_channel_number_is_asked_for() -> None:
    bench = Bench()
    bench.establish()
    rng = random.Random(1)
    for number in range(1, 3000):
        bench.now += 0.02
        name = rng.choice(["requestChannelClose", "closeLogicalChannel"])
        content: dict[str, object] = {"forwardLogicalChannelNumber": number}
        if name == "closeLogicalChannel":
            content["source"] = ("user", None)
        bench.control.receive(("request", (name, content)), bench.now)
        assert len(bench.sent()) == 1
    assert not bench.control._channels.incoming
    assert not bench.control._channels._our_closes


def test_sets_without_end_hold_nothing_more() -> None:
    bench = Bench()
    for number in range(2000):
        bench.now += 0.02
        entry = {"capabilityTableEntryNumber": number + 1, "capability": ("h233EncryptionTransmitCapability", True)}
        content = {"sequenceNumber": number % 256, "protocolIdentifier": "0.0.8.245.0.3", "capabilityTable": [entry]}
        bench.control.receive(("request", ("terminalCapabilitySet", content)), bench.now)
        bench.sent()
        bench.events()
    assert len(bench.control.capabilities["capabilityTable"]) == 256


def test_owner_that_collects_nothing_is_bounded_by_the_allowance() -> None:
    bench = Bench()
    bench.start(CAPABILITIES)
    key = ("indication", ("userInput", ("alphanumeric", "1" * 64)))
    for _ in range(100_000):
        bench.control.receive(key, 0.0)
    events = bench.events()
    assert isinstance(events[-1], Failed)
    assert len(events) < 70_000
