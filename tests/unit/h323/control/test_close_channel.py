"""Asking a sender to close its channel, both figures (H.245 C.6)."""

from __future__ import annotations

import pytest
from h245_bench import Bench, indication, request, response

from firmware.asn1 import Value
from firmware.h323.control.close_channel import (
    T108,
    IncomingClose,
    IncomingInput,
    IncomingOutput,
    State,
)
from firmware.h323.control.events import ChannelClosed, CloseRefused, CloseRequested
from firmware.h323.control.link import Link

ACK: Value = response("requestChannelCloseAck", number=101)
REJECT: Value = response("requestChannelCloseReject", number=101, cause=("unspecified", None))
CLOSE: Value = request("closeLogicalChannel", number=101, source=("user", None))


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.establish()
    bench.take(101)
    return bench


def test_they_close(bench: Bench) -> None:
    bench.control.request_close(101, bench.now)
    bench.control.request_close(101, bench.now)
    content = {"forwardLogicalChannelNumber": 101, "reason": ("normal", None)}
    assert bench.sent() == [("requestChannelClose", content)], "one at a time"
    bench.receive(ACK)
    bench.control.handle_timer(bench.now + T108)
    assert bench.events() == bench.sent() == []
    bench.receive(CLOSE)
    assert bench.events() == [ChannelClosed(101, ours=False)]
    bench.receive(ACK)
    assert bench.control.ignored["answer to no RequestChannelClose"] == 1


def test_they_refuse(bench: Bench) -> None:
    bench.control.request_close(101, bench.now)
    bench.receive(REJECT)
    assert bench.events() == [CloseRefused(101)]
    bench.receive(REJECT)
    assert bench.events() == []
    bench.sent()
    bench.control.request_close(101, bench.now)
    assert bench.names() == ["requestChannelClose"]


def test_they_say_nothing(bench: Bench) -> None:
    bench.control.request_close(101, bench.now)
    bench.sent()
    bench.pass_time(T108)
    assert bench.sent() == [("requestChannelCloseRelease", {"forwardLogicalChannelNumber": 101})]
    assert bench.events() == [CloseRefused(101)]
    bench.control.request_close(101, bench.now)
    assert bench.names() == ["requestChannelClose"], "it may be asked for again"


def test_channel_that_is_not_open_is_not_asked_for(bench: Bench) -> None:
    bench.control.request_close(5, bench.now)
    assert bench.sent() == []


def test_closed_while_we_ask(bench: Bench) -> None:
    bench.control.request_close(101, bench.now)
    bench.receive(CLOSE)
    bench.sent()
    bench.events()
    bench.pass_time(T108)
    assert "requestChannelCloseRelease" not in bench.names()
    assert CloseRefused(101) not in bench.events()


@pytest.mark.parametrize("reason", ["normal", "reopen", None])
def test_we_are_asked(bench: Bench, reason: str | None) -> None:
    number = bench.open()
    more: dict[str, Value] = {} if reason is None else {"reason": (reason, None)}
    bench.receive(request("requestChannelClose", number=number, **more))
    assert bench.sent() == [("requestChannelCloseAck", {"forwardLogicalChannelNumber": number})]
    assert bench.events() == [CloseRequested(number, reason or "unknown")]
    bench.control.close_channel(number, bench.now)
    assert bench.names() == ["closeLogicalChannel"]


def test_we_are_asked_for_what_we_do_not_send(bench: Bench) -> None:
    bench.receive(request("requestChannelClose", number=101))
    content = {"forwardLogicalChannelNumber": 101, "cause": ("unspecified", None)}
    assert bench.sent() == [("requestChannelCloseReject", content)]
    assert bench.events() == []


def test_release_does_nothing(bench: Bench) -> None:
    bench.receive(indication("requestChannelCloseRelease", number=101))
    assert bench.sent() == bench.events() == []


@pytest.mark.parametrize("is_open", [False, True])
def test_an_answer_is_the_end_of_it(is_open: bool) -> None:
    machine = IncomingClose(Link(), 5)
    machine.request_received({}, 0.0, is_open=is_open)
    assert machine.state is State.IDLE


class Undecided(IncomingClose):
    """Does not answer, as an owner of the figure might."""

    asked = 0

    def _put(self, output: IncomingOutput, now: float, /) -> None:
        if output is IncomingOutput.CLOSE_INDICATION:
            self.asked += 1
        else:
            super()._put(output, now)


def test_incoming_rows_of_an_owner_who_hesitates() -> None:
    link = Link()
    machine = Undecided(link, 5)
    machine.request_received({}, 0.0, is_open=True)
    machine.request_received({}, 0.0, is_open=True)
    assert machine.asked == 2
    assert (machine.state, link.errors["incoming CLCSE"]) == (State.AWAITING_RESPONSE, 1)
    machine.release_received(0.0)
    assert (machine.state, link.errors["incoming CLCSE"]) == (State.IDLE, 2)
    machine.request_received({}, 0.0, is_open=True)
    machine._take(IncomingInput.REJECT_REQUEST, 0.0)
    [(_, (name, _))] = link.messages
    assert name == "requestChannelCloseReject"
