"""Numbers, bounds, what is refused unasked, and channels that fast connect opened."""

from __future__ import annotations

import pytest
from h245_bench import AUDIO, VIDEO, Bench, open_channel, request, response

from firmware.asn1 import Value
from firmware.errors import LocalProtocolError
from firmware.h323.control.channels import MAX_CHANNELS
from firmware.h323.control.events import (
    ChannelClosed,
    ChannelRequested,
)

T120: Value = (
    "data",
    {"application": ("t120", ("separateLANStack", None)), "maxBitRate": 100},
)
H2250: Value = ("h2250LogicalChannelParameters", {"sessionID": 3})
REVERSE: Value = {"dataType": T120, "multiplexParameters": H2250}


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.establish()
    return bench


def refusal(bench: Bench) -> str:
    [(name, content)] = bench.sent()
    assert name == "openLogicalChannelReject"
    return str(content["cause"][0])


def test_bidirectional_data_is_refused(bench: Bench) -> None:
    bench.receive(open_channel(5, T120, 3, reverseLogicalChannelParameters=REVERSE))
    assert refusal(bench) == "dataTypeNotSupported"
    assert bench.events() == []


def test_bidirectional_sound_is_refused(bench: Bench) -> None:
    reverse: Value = {"dataType": AUDIO, "multiplexParameters": H2250}
    bench.receive(open_channel(5, reverseLogicalChannelParameters=reverse))
    assert refusal(bench) == "unsuitableReverseParameters"


def test_channel_of_nothing_is_refused(bench: Bench) -> None:
    bench.receive(open_channel(5, ("nullData", None)))
    assert refusal(bench) == "dataTypeNotSupported"


def test_unknown_data_type_is_refused(bench: Bench) -> None:
    bench.receive(open_channel(5, ("+9", b"\0")))
    assert refusal(bench) == "unknownDataType"


def test_channel_of_another_multiplex_is_refused(bench: Bench) -> None:
    forward: Value = {"dataType": AUDIO, "multiplexParameters": ("none", None)}
    bench.receive(request("openLogicalChannel", number=5, forwardLogicalChannelParameters=forward))
    assert refusal(bench) == "unspecified"


def test_data_in_one_direction_is_the_owners_to_decide(bench: Bench) -> None:
    h224: Value = ("data", {"application": ("h224", ("hdlcFrameTunnelling", None)), "maxBitRate": 48})
    bench.receive(open_channel(5, h224, 4))
    [event] = bench.events()
    assert isinstance(event, ChannelRequested)


def test_too_many_of_theirs(bench: Bench) -> None:
    for number in range(1, MAX_CHANNELS + 1):
        bench.receive(open_channel(number))
    assert bench.sent() == []
    bench.receive(open_channel(1000))
    assert refusal(bench) == "dataTypeNotAvailable"
    bench.receive(open_channel(1))
    assert bench.sent() == [], "a number that is known already is no channel more"
    bench.receive(request("closeLogicalChannel", number=7, source=("user", None)))
    bench.sent()
    bench.receive(open_channel(1000))
    assert bench.sent() == []


def test_too_many_of_ours(bench: Bench) -> None:
    numbers = [bench.control.open_channel(AUDIO, {"sessionID": 1}, bench.now) for _ in range(MAX_CHANNELS)]
    assert len(set(numbers)) == MAX_CHANNELS
    with pytest.raises(LocalProtocolError):
        bench.control.open_channel(AUDIO, {"sessionID": 1}, bench.now)
    bench.receive(response("openLogicalChannelReject", number=numbers[3], cause=("unspecified", None)))
    assert bench.control.open_channel(AUDIO, {"sessionID": 1}, bench.now) not in numbers


def test_numbers_come_round(bench: Bench) -> None:
    kept = bench.open()
    bench.control._channels._last_number = 65534
    assert [bench.control.open_channel(AUDIO, {"sessionID": 1}, bench.now) for _ in range(2)] == [65535, kept + 1]


def test_directions_are_apart(bench: Bench) -> None:
    number = bench.open()
    bench.take(number)
    bench.receive(request("closeLogicalChannel", number=number, source=("user", None)))
    assert bench.events() == [ChannelClosed(number, ours=False)]
    assert number in bench.control._channels.outgoing


@pytest.mark.parametrize("name", ["openLogicalChannelAck", "closeLogicalChannelAck"])
def test_answer_to_nothing(bench: Bench, name: str) -> None:
    bench.receive(response(name, number=99))
    assert bench.events() == bench.sent() == []
    assert bench.control.ignored.total() == 1


def test_replacement_and_session_key(bench: Bench) -> None:
    number = bench.open()
    key: Value = {"synchFlag": 101, "h235Key": b"key"}
    bench.control.open_channel(VIDEO, {"sessionID": 2}, bench.now, replacement_for=number, encryption_sync=key)
    [(_, content)] = bench.sent()
    assert content["forwardLogicalChannelParameters"]["replacementFor"] == number
    assert content["encryptionSync"] == key
    bench.receive(open_channel(9))
    bench.control.accept_channel(9, {}, bench.now, encryption_sync=key)
    [(_, content)] = bench.sent()
    assert content["encryptionSync"] == key


def test_adopted_channels(bench: Bench) -> None:
    opened: Value = open_channel(101)[1][1]
    bench.control.adopt(101, opened, bench.now, ours=False)
    bench.control.adopt(1, opened, bench.now, ours=True)
    assert bench.sent() == []
    assert bench.control.open_channel(AUDIO, {"sessionID": 1}, bench.now) == 2
    bench.sent()
    bench.receive(request("closeLogicalChannel", number=101, source=("user", None)))
    bench.control.close_channel(1, bench.now)
    assert bench.names() == ["closeLogicalChannelAck", "closeLogicalChannel"]
    bench.receive(response("closeLogicalChannelAck", number=1))
    assert bench.events() == [ChannelClosed(101, ours=False), ChannelClosed(1, ours=True)]


def test_adopting_before_anything_else() -> None:
    bench = Bench()
    bench.control.adopt(7, {}, 0.0, ours=True)
    bench.control.adopt(7, {}, 0.0, ours=False)
    for number in (7, 0, 65536):
        with pytest.raises(LocalProtocolError):
            bench.control.adopt(number, {}, 0.0, ours=True)
    for number in range(100, 100 + MAX_CHANNELS - 1):
        bench.control.adopt(number, {}, 0.0, ours=True)
    with pytest.raises(LocalProtocolError):
        bench.control.adopt(200, {}, 0.0, ours=True)
