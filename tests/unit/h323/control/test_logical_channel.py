"""The opening and closing of channels, both figures (H.245 C.4)."""

from __future__ import annotations

import pytest
from h245_bench import AUDIO, Bench, open_channel, request, response

from firmware.asn1 import Value
from firmware.h323.control.events import (
    NO_RESPONSE,
    ChannelClosed,
    ChannelOpened,
    ChannelRefused,
    ChannelRequested,
)
from firmware.h323.control.link import Link
from firmware.h323.control.logical_channel import T103, IncomingChannel, State

PARAMETERS: dict[str, Value] = {
    "sessionID": 1,
    "mediaControlChannel": ("unicastAddress", ("iPAddress", {"network": bytes(4), "tsapIdentifier": 5001})),
}
ACK: dict[str, Value] = {
    "mediaChannel": ("unicastAddress", ("iPAddress", {"network": bytes(4), "tsapIdentifier": 5000}))
}


def ack(number: int) -> Value:
    parameters = ("h2250LogicalChannelAckParameters", ACK)
    return response("openLogicalChannelAck", number=number, forwardMultiplexAckParameters=parameters)


def reject(number: int, cause: str = "dataTypeNotSupported") -> Value:
    return response("openLogicalChannelReject", number=number, cause=(cause, None))


def close_ack(number: int) -> Value:
    return response("closeLogicalChannelAck", number=number)


def close(number: int) -> Value:
    return request("closeLogicalChannel", number=number, source=("user", None))


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.establish()
    return bench


def asked(bench: Bench) -> int:
    """Ask for a channel."""
    number = bench.control.open_channel(AUDIO, PARAMETERS, bench.now)
    bench.sent()
    return number


def closing(source: str, number: int) -> tuple[str, Value]:
    content = {"forwardLogicalChannelNumber": number, "source": (source, None), "reason": ("unknown", None)}
    return ("closeLogicalChannel", content)


def no_channels(bench: Bench) -> bool:
    """Whether all channels that there were are forgotten."""
    return not (bench.control._channels.outgoing or bench.control._channels.incoming)


# Ours


def test_opening(bench: Bench) -> None:
    number = bench.control.open_channel(AUDIO, PARAMETERS, bench.now)
    [(name, content)] = bench.sent()
    assert name == "openLogicalChannel"
    assert content == {
        "forwardLogicalChannelNumber": number,
        "forwardLogicalChannelParameters": {
            "dataType": AUDIO,
            "multiplexParameters": ("h2250LogicalChannelParameters", PARAMETERS),
        },
    }
    bench.receive(ack(number))
    [event] = bench.events()
    assert isinstance(event, ChannelOpened)
    assert event.number == number
    assert event.ack["forwardMultiplexAckParameters"][1] == ACK


@pytest.mark.parametrize("cause", ["dataTypeNotSupported", "masterSlaveConflict", "securityDenied"])
def test_refused(bench: Bench, cause: str) -> None:
    number = asked(bench)
    bench.receive(reject(number, cause))
    assert bench.events() == [ChannelRefused(number, cause)]
    assert no_channels(bench)


def test_never_answered(bench: Bench) -> None:
    number = asked(bench)
    timer = bench.now + T103
    bench.control.handle_timer(timer - 0.01)
    assert bench.events() == []
    bench.control.handle_timer(timer)
    assert closing("lcse", number) in bench.sent()
    assert bench.events() == [ChannelRefused(number, NO_RESPONSE)]
    assert bench.control.errors == {"outgoing LCSE D": 1}
    assert no_channels(bench)


def test_opening_answered_by_a_closing(bench: Bench) -> None:
    number = asked(bench)
    bench.receive(close_ack(number))
    assert bench.events() == [ChannelRefused(number, NO_RESPONSE)]
    assert bench.control.errors == {"outgoing LCSE C": 1}
    assert no_channels(bench)


def test_withdrawn_before_the_answer(bench: Bench) -> None:
    number = asked(bench)
    bench.control.close_channel(number, bench.now)
    assert bench.sent() == [closing("user", number)]
    bench.receive(ack(number))
    assert bench.events() == [], "the acknowledgement crossed the closing"
    bench.receive(close_ack(number))
    assert bench.events() == [ChannelClosed(number, ours=True)]
    assert no_channels(bench)


def test_withdrawn_and_refused(bench: Bench) -> None:
    number = asked(bench)
    bench.control.close_channel(number, bench.now)
    bench.receive(reject(number), close_ack(number))
    assert bench.events() == [ChannelClosed(number, ours=True)]
    assert bench.control.ignored["CloseLogicalChannelAck of no channel"] == 1
    assert no_channels(bench)


def test_closing(bench: Bench) -> None:
    number = bench.open()
    bench.control.close_channel(number, bench.now)
    bench.control.close_channel(number, bench.now)
    assert bench.sent() == [closing("user", number)]
    bench.receive(close_ack(number))
    assert bench.events() == [ChannelClosed(number, ours=True)]
    bench.control.close_channel(number, bench.now)
    assert bench.sent() == []
    assert no_channels(bench)


def test_closing_never_answered(bench: Bench) -> None:
    number = bench.open()
    bench.control.close_channel(number, bench.now)
    bench.control.handle_timer(bench.now + T103)
    assert bench.events() == [ChannelClosed(number, ours=True)]
    assert bench.control.errors == {"outgoing LCSE D": 1}
    assert no_channels(bench)


@pytest.mark.parametrize(("message", "code"), [(reject, "B"), (close_ack, "C")])
def test_open_channel_refused_or_closed_unasked(bench: Bench, message: Value, code: str) -> None:
    number = bench.open()
    bench.receive(message(number))
    assert bench.events() == [ChannelClosed(number, ours=True)]
    assert bench.control.errors == {f"outgoing LCSE {code}": 1}
    assert no_channels(bench)


def test_second_acknowledgement_does_nothing(bench: Bench) -> None:
    number = bench.open()
    bench.receive(ack(number))
    assert bench.events() == bench.sent() == []


# Theirs


def test_requested_and_accepted(bench: Bench) -> None:
    message = open_channel(101)
    bench.receive(message)
    assert bench.events() == [ChannelRequested(101, message[1][1])]
    assert bench.sent() == []
    bench.control.accept_channel(101, ACK, bench.now)
    parameters = ("h2250LogicalChannelAckParameters", ACK)
    content = {"forwardLogicalChannelNumber": 101, "forwardMultiplexAckParameters": parameters}
    assert bench.sent() == [("openLogicalChannelAck", content)]
    bench.control.accept_channel(101, ACK, bench.now)
    bench.control.reject_channel(101, "unspecified", bench.now)
    assert bench.sent() == [], "it is open"


def test_requested_and_refused(bench: Bench) -> None:
    bench.receive(open_channel(101))
    bench.control.reject_channel(101, "insufficientBandwidth", bench.now)
    content = {"forwardLogicalChannelNumber": 101, "cause": ("insufficientBandwidth", None)}
    assert bench.sent() == [("openLogicalChannelReject", content)]
    bench.control.accept_channel(101, ACK, bench.now)
    assert bench.sent() == [], "it is gone"
    assert no_channels(bench)


def test_requested_and_withdrawn(bench: Bench) -> None:
    bench.receive(open_channel(101), close(101))
    assert bench.sent() == [("closeLogicalChannelAck", {"forwardLogicalChannelNumber": 101})]
    requested, closed = bench.events()
    assert isinstance(requested, ChannelRequested)
    assert closed == ChannelClosed(101, ours=False)
    bench.control.accept_channel(101, ACK, bench.now)
    assert bench.sent() == []
    assert no_channels(bench)


def test_closed_by_the_far_end(bench: Bench) -> None:
    bench.take(101)
    bench.receive(close(101))
    assert bench.sent() == [("closeLogicalChannelAck", {"forwardLogicalChannelNumber": 101})]
    assert bench.events() == [ChannelClosed(101, ours=False)]
    assert no_channels(bench)


def test_unknown_channel_closed(bench: Bench) -> None:
    bench.receive(close(4711))
    assert bench.sent() == [("closeLogicalChannelAck", {"forwardLogicalChannelNumber": 4711})]
    assert bench.events() == []
    assert no_channels(bench)


@pytest.mark.parametrize("established", [False, True])
def test_opened_again(bench: Bench, established: bool) -> None:
    if established:
        bench.take(101)
    else:
        bench.receive(open_channel(101))
        bench.events()
    message = open_channel(101, session=2)
    bench.receive(message)
    assert bench.events() == [ChannelClosed(101, ours=False), ChannelRequested(101, message[1][1])]
    bench.control.accept_channel(101, ACK, bench.now)
    assert bench.names() == ["openLogicalChannelAck"]


def test_closing_of_what_is_released_leaves_it_so() -> None:
    channel = IncomingChannel(Link(), 5)
    channel.close_received(0.0)
    assert channel.state is State.RELEASED
