"""Keys, sent and taken in both forms."""

from __future__ import annotations

import pytest
from h245_bench import Bench, capability_set, table

from firmware.asn1 import Value
from firmware.errors import LocalProtocolError
from firmware.h323.control.events import Digit
from firmware.h323.control.user_input import DIGITS, MAX_DIGITS


def taken(content: Value) -> list[Digit]:
    bench = Bench()
    bench.receive(("indication", ("userInput", content)))
    assert bench.sent() == []
    return bench.events()


@pytest.mark.parametrize(
    ("content", "digits"),
    [
        (("alphanumeric", "5"), [Digit("5")]),
        (("alphanumeric", "1*#D"), [Digit("1"), Digit("*"), Digit("#"), Digit("D")]),
        (("alphanumeric", ""), []),
        (("alphanumeric", "Hello, 5"), []),
        (("alphanumeric", "1" * MAX_DIGITS), [Digit("1")] * MAX_DIGITS),
        (("alphanumeric", "1" * (MAX_DIGITS + 1)), []),
        (("signal", {"signalType": "9"}), [Digit("9")]),
        (("signal", {"signalType": "!", "duration": 250}), [Digit("!", 0.25)]),
        (("signal", {"signalType": "3", "rtpPayloadIndication": None}), [Digit("3", None, in_rtp=True)]),
        (("signalUpdate", {"duration": 100}), []),
        (("extendedAlphanumeric", {"alphanumeric": "42"}), [Digit("4"), Digit("2")]),
        (("extendedAlphanumeric", {"alphanumeric": "4", "rtpPayloadIndication": None}), [Digit("4", in_rtp=True)]),
        (("userInputSupportIndication", ("basicString", None)), []),
        (("nonStandard", {"nonStandardIdentifier": ("object", "1.2.3"), "data": b"5"}), []),
        (("+30", b"5"), []),
    ],
)
def test_taken(content: Value, digits: list[Digit]) -> None:
    assert taken(content) == digits


def test_signal_of_no_key() -> None:
    bench = Bench()
    bench.control.receive(("indication", ("userInput", ("signal", {"signalType": "x"}))), 0.0)
    assert bench.events() == []


@pytest.mark.parametrize("digit", sorted(DIGITS))
def test_every_key_can_be_sent(digit: str) -> None:
    bench = Bench()
    bench.control.digit(digit, 0.0)
    assert bench.sent() == [("userInput", ("alphanumeric", digit))]
    bench.receive(capability_set(1, table(("receiveUserInputCapability", ("dtmf", None)))))
    bench.sent()
    bench.control.digit(digit, 0.0)
    assert bench.sent() == [("userInput", ("signal", {"signalType": digit}))]


@pytest.mark.parametrize(("duration", "milliseconds"), [(0.1, 100), (0.0, 1), (1000.0, 65535)])
def test_duration(duration: float, milliseconds: int) -> None:
    bench = Bench()
    bench.receive(capability_set(1, table(("receiveUserInputCapability", ("dtmf", None)))))
    bench.sent()
    bench.control.digit("1", 0.0, duration=duration)
    assert bench.sent() == [("userInput", ("signal", {"signalType": "1", "duration": milliseconds}))]


@pytest.mark.parametrize("digit", ["", "12", "x", "a", " "])
def test_no_key(digit: str) -> None:
    with pytest.raises(LocalProtocolError):
        Bench().control.digit(digit, 0.0)
