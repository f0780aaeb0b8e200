"""The streams of a terminal and their bounds."""

from __future__ import annotations

from collections import Counter

import pytest

from firmware.errors import LocalProtocolError
from firmware.h323.identity import Identity
from firmware.h323.streams import MAX_MALFORMED, SILENCE, Stream, Streams
from firmware.sansio import Close, Flow, Open, Send

HERE, THERE = ("192.0.2.1", 1720), ("192.0.2.2", 1720)
FLOW = Flow("tcp", HERE, THERE)


class Owner:
    def stream_opened(self, now: float) -> None: ...

    def stream_received(self, payload: bytes, now: float) -> None: ...

    def stream_closed(self, stream: Stream, now: float) -> None: ...


def accepted(port: int, host: str = "192.0.2.2") -> Flow:
    return Flow("tcp", HERE, (host, port))


@pytest.fixture
def streams() -> Streams:
    return Streams(Identity((), max_streams=6, max_silent_per_host=3), Counter())


def test_each_stream_to_one_far_end_is_its_own(streams: Streams) -> None:
    one, two = streams.reserve(FLOW), streams.reserve(FLOW)
    assert one.flow != two.flow
    assert len(streams) == 0
    streams.connect(one)
    streams.connect(two)
    streams.send(two, b"x")
    streams.close(one)
    assert streams.actions == [
        Open(one.flow),
        Open(two.flow),
        Send(two.flow, bytes.fromhex("0300000578")),
        Close(one.flow),
    ]
    assert streams.get(two.flow) is two


def test_nothing_is_sent_on_a_closed_stream(streams: Streams) -> None:
    stream = streams.reserve(FLOW)
    streams.connect(stream)
    streams.close(stream)
    streams.actions.clear()
    streams.send(stream, b"x")
    streams.close(stream)
    streams.close(None)
    assert streams.actions == []
    assert not streams.is_open(stream)


def test_bound_of_all(streams: Streams) -> None:
    for _ in range(6):
        streams.connect(streams.reserve(FLOW))
    with pytest.raises(LocalProtocolError, match="6 connections"):
        streams.connect(streams.reserve(FLOW))
    assert streams.accept(accepted(1), Owner(), 0.0) is None
    assert streams.actions[-1] == Close(accepted(1))


def test_silent_ones_make_room(streams: Streams) -> None:
    for number in range(6):
        assert streams.accept(accepted(1, f"192.0.2.{number}"), None, float(number))
    assert streams.accept(accepted(1, "192.0.2.9"), None, 6.0)
    streams.connect(streams.reserve(FLOW))
    assert streams.accept(accepted(2, "192.0.2.9"), Owner(), 6.0)
    closed = [action.flow.remote[0] for action in streams.actions if isinstance(action, Close)]
    assert closed == ["192.0.2.0", "192.0.2.1", "192.0.2.2"]
    assert len(streams) == 6


def test_silent_ones_of_one_host_are_few(streams: Streams) -> None:
    for port in range(4):
        assert streams.accept(accepted(port), None, 0.0)
    assert streams.actions == [Close(accepted(0))]
    assert streams.accept(accepted(9, "192.0.2.3"), None, 0.0)
    assert streams.accept(accepted(10), Owner(), 0.0)
    first = streams.get(accepted(1))
    assert first
    streams.claim(first, Owner())
    assert streams.accept(accepted(11), None, 0.0)
    assert streams.actions == [Close(accepted(0))]


def test_who_stays_silent_is_closed(streams: Streams) -> None:
    silent = streams.accept(accepted(1), None, 5.0)
    claimed = streams.accept(accepted(2), None, 5.0)
    assert silent
    assert claimed
    streams.claim(claimed, Owner())
    assert streams.timer() == 5.0 + SILENCE
    streams.expire(5.0 + SILENCE - 0.1)
    assert len(streams) == 2
    streams.expire(5.0 + SILENCE)
    assert streams.actions == [Close(silent.flow)]
    assert streams.timer() is None
    assert len(streams) == 1


def test_much_that_is_no_message_is_enough(streams: Streams) -> None:
    stream = streams.reserve(FLOW)
    assert [streams.blame(stream) for _ in range(MAX_MALFORMED)] == [False] * (MAX_MALFORMED - 1) + [True]


def test_forget(streams: Streams) -> None:
    stream = streams.reserve(FLOW)
    streams.connect(stream)
    assert streams.forget(stream.flow) is stream
    assert streams.forget(stream.flow) is None
    assert len(streams) == 0
