"""Controls of H.245 on a clock of their own: one against a far end written in the test, or two joined.

All that is sent is encoded and decoded again on the way, and must come out as it went in.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any

from firmware.asn1 import Value
from firmware.h323 import h245
from firmware.h323.control.control import Control

AUDIO: Value = ("audioData", ("g711Alaw64k", 20))
_H261: Value = {
    "qcifMPI": 1,
    "temporalSpatialTradeOffCapability": False,
    "maxBitRate": 3840,
    "stillImageTransmission": False,
}
VIDEO: Value = ("videoData", ("h261VideoCapability", _H261))


def table(*capabilities: Value, first: int = 1) -> dict[str, Value]:
    """Give a set of these capabilities, all of them together."""
    numbers = range(first, first + len(capabilities))
    return {
        "capabilityTable": [
            {"capabilityTableEntryNumber": number, "capability": capability}
            for number, capability in zip(numbers, capabilities, strict=True)
        ],
        "capabilityDescriptors": [
            {"capabilityDescriptorNumber": 0, "simultaneousCapabilities": [[number] for number in numbers]}
        ],
    }


CAPABILITIES = table(
    ("receiveAudioCapability", AUDIO[1]),
    ("receiveVideoCapability", VIDEO[1]),
    ("receiveAndTransmitUserInputCapability", ("dtmf", None)),
)
PROTOCOL = {"protocolIdentifier": "0.0.8.245.0.8"}


def capability_set(sequence: int, content: dict[str, Value] = CAPABILITIES) -> Value:
    """Give the far end's TerminalCapabilitySet."""
    return ("request", ("terminalCapabilitySet", {"sequenceNumber": sequence, **PROTOCOL, **content}))


def request(name: str, **content: Value) -> Value:
    return ("request", (name, named(content)))


def response(name: str, **content: Value) -> Value:
    return ("response", (name, named(content)))


def command(name: str, **content: Value) -> Value:
    return ("command", (name, named(content)))


def indication(name: str, **content: Value) -> Value:
    return ("indication", (name, named(content)))


def named(content: dict[str, Value]) -> dict[str, Value]:
    """Write ``number`` for what most messages have in common."""
    if "number" in content:
        content["forwardLogicalChannelNumber"] = content.pop("number")
    return content


def open_channel(number: int, data_type: Value = AUDIO, session: int = 1, **more: Value) -> Value:
    """Give the far end's OpenLogicalChannel."""
    forward = {"dataType": data_type, "multiplexParameters": ("h2250LogicalChannelParameters", {"sessionID": session})}
    return request("openLogicalChannel", number=number, forwardLogicalChannelParameters=forward, **more)


def over_the_wire(message: Value) -> Value:
    """Encode and decode a message, which must not change it."""
    decoded = h245.MESSAGE.decode(h245.MESSAGE.encode(message))
    assert decoded == message
    return decoded


class Bench:
    """One Control, its far end written in the test."""

    def __init__(self, *, seed: int = 1, terminal_type: int = 50) -> None:
        self.control = Control(random.Random(seed), terminal_type=terminal_type)
        self.now = 0.0

    def start(self, capabilities: dict[str, Value] = CAPABILITIES) -> None:
        """Start, in a call that is answered."""
        self.control.start(capabilities, self.now)
        self.control.answered(self.now)

    def receive(self, *messages: Value) -> None:
        for message in messages:
            self.control.receive(over_the_wire(message), self.now)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        until = self.now + seconds
        for _ in range(1000):
            timer = self.control.timer()
            if timer is None or timer > until:
                self.now = until
                return
            self.now = max(self.now, timer)
            self.control.handle_timer(self.now)
        raise AssertionError("timers without end")

    def sent(self) -> list[tuple[str, Value]]:
        """Give name and content of what was sent since the last time."""
        return [over_the_wire(message)[1] for message in self.control.outgoing()]

    def names(self) -> list[str]:
        """Give the names of what was sent since the last time."""
        return [name for name, _ in self.sent()]

    def events(self) -> list[Any]:
        return self.control.events()

    def establish(self) -> None:
        """Start, and let the far end do all that it must: we are master, and the far end answers round trips."""
        self.start()
        sequence = dict(self.sent())["terminalCapabilitySet"]["sequenceNumber"]
        self.receive(
            capability_set(1),
            response("terminalCapabilitySetAck", sequenceNumber=sequence),
            request("masterSlaveDetermination", terminalType=40, statusDeterminationNumber=7),
            response("masterSlaveDeterminationAck", decision=("master", None)),
        )
        self.answer_round_trip()
        assert self.control.ready
        self.events()

    def answer_round_trip(self) -> None:
        """Answer the question that was asked last."""
        asked = [content for name, content in self.sent() if name == "roundTripDelayRequest"]
        self.receive(response("roundTripDelayResponse", sequenceNumber=asked[-1]["sequenceNumber"]))

    def open(self, data_type: Value = AUDIO) -> int:
        """Open a channel of ours, and let the far end take it."""
        number = self.control.open_channel(data_type, {"sessionID": 1}, self.now)
        self.receive(response("openLogicalChannelAck", number=number))
        self.sent()
        self.events()
        return number

    def take(self, number: int, data_type: Value = AUDIO) -> int:
        """Let the far end open a channel, and take it."""
        self.receive(open_channel(number, data_type))
        self.control.accept_channel(number, {"sessionID": 1}, self.now)
        self.sent()
        self.events()
        return number


Owner = Callable[[Control, Any, float], None]


class Pair:
    """Two Controls, joined; every message takes *delay* seconds, unless it is *lost* (sender's number, message)."""

    def __init__(
        self,
        *,
        delay: float = 0.1,
        seeds: tuple[int, int] = (1, 2),
        terminal_types: tuple[int, int] = (50, 50),
        lost: Callable[[int, Value], bool] = lambda sender, message: False,
        owner: Owner = lambda control, event, now: None,
    ) -> None:
        self.controls = tuple(
            Control(random.Random(seed), terminal_type=kind) for seed, kind in zip(seeds, terminal_types, strict=True)
        )
        self.events: tuple[list[Any], list[Any]] = ([], [])
        self.sent: list[tuple[float, int, str]] = []
        """Time, sender and name of all messages, those lost too."""
        self.now = 0.0
        self.delay = delay
        self.lost = lost
        self.owner = owner
        self._queue: list[tuple[float, int, int, Value]] = []
        self._order = itertools.count()

    def start(self, *starters: int) -> None:
        """Start these, or both."""
        for number in starters or (0, 1):
            self.controls[number].start(CAPABILITIES, self.now)
            self.controls[number].answered(self.now)

    def run(self, until: float) -> None:
        """Advance the clock, step by step."""
        while True:
            self._collect()
            due = [timer for control in self.controls if (timer := control.timer()) is not None]
            due += [self._queue[0][0]] if self._queue else []
            if not due or min(due) > until:
                self.now = until
                return
            self.now = max(self.now, min(due))
            while self._queue and self._queue[0][0] <= self.now:
                _, _, receiver, message = heapq.heappop(self._queue)
                self.controls[receiver].receive(message, self.now)
                self._collect()
            for control in self.controls:
                control.handle_timer(self.now)

    def names(self, sender: int) -> list[str]:
        """Give the names of all that one sent."""
        return [name for _, by, name in self.sent if by == sender]

    def of(self, number: int, kind: type) -> list[Any]:
        """Give the events of one kind that one reported."""
        return [event for event in self.events[number] if isinstance(event, kind)]

    def _collect(self) -> None:
        again = True
        while again:
            again = False
            for number, control in enumerate(self.controls):
                for event in control.events():
                    again = True
                    self.events[number].append(event)
                    self.owner(control, event, self.now)
                for message in control.outgoing():
                    self.sent.append((self.now, number, message[1][0]))
                    decoded = over_the_wire(message)
                    if not self.lost(number, decoded):
                        heapq.heappush(self._queue, (self.now + self.delay, next(self._order), 1 - number, decoded))
