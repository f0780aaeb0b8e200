"""Transfers between three endpoints of either protocol: A has B leave their call for C."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import h323_exchange
import pytest
import sip_exchange
from parties import ALL, check_agreement, directions, ended

from firmware.call.call import Call, EndReason, State
from firmware.errors import CallError

Exchange = sip_exchange.Exchange | h323_exchange.Exchange
Make = Callable[[], Exchange]

SIP, H323 = sip_exchange.Exchange, h323_exchange.Exchange
PROTOCOLS: dict[str, Make] = {"SIP": SIP, "H.323": H323}
WAYS: dict[str, Make] = PROTOCOLS | {
    "SIP by TCP": partial(SIP, transport="tcp"),
    "SIP by TLS": partial(SIP, transport="tls"),
    "SIP, delayed offer": partial(SIP, delayed_offer=True),
    "H.323 without tunnel": partial(H323, tunnelling=False),
    "H.323, fast connect": partial(H323, fast_connect=True),
    "H.323 by TLS": partial(H323, secure=True),
}
IN_EVERY_WAY = pytest.mark.parametrize("exchange", WAYS, indirect=True)

REFUSALS = {
    "SIP": {"busy": "486 Busy Here", "not there": "503 Service Unavailable", "unwilling": "603 Decline"},
    "H.323": {
        "busy": "establishmentFailure",
        "not there": "establishmentFailure",
        "unwilling": "supplementaryServiceInteractionNotAllowed",
    },
}
"""What A hears, by protocol."""


@pytest.fixture(params=PROTOCOLS)
def exchange(request: pytest.FixtureRequest) -> Exchange:
    return WAYS[request.param]()


def said(exchange: Exchange, why: str) -> list[str]:
    return [REFUSALS[exchange["A"].endpoint.name][why]]


def address(exchange: Exchange, host: str) -> str:
    """Where somebody is reached as C is, but on another host."""
    return exchange["C"].address.replace("192.0.2.3", host)


@IN_EVERY_WAY
@pytest.mark.parametrize("b_calls_a", [False, True])
def test_without_consultation(exchange: Exchange, b_calls_a: bool) -> None:
    if b_calls_a:
        theirs, ours = exchange.call("B", "A")
    else:
        ours, theirs = exchange.call("A", "B")
    ours.transfer(exchange["C"].address)
    assert ours.transferring
    exchange.settle(3.0)
    assert ended(ours, EndReason.TRANSFERRED)
    assert ended(theirs, EndReason.TRANSFERRED)
    new, at_c = exchange["B"].call, exchange["C"].call
    assert new.remote == exchange["C"].address
    assert new.state is at_c.state is State.ACTIVE
    assert directions(new) == directions(at_c) == ALL
    check_agreement(new, at_c)
    exchange.check_clean()


@IN_EVERY_WAY
@pytest.mark.parametrize("c_calls_a", [False, True])
def test_with_consultation(exchange: Exchange, c_calls_a: bool) -> None:
    with_b, b_with_a = exchange.call("A", "B")
    with_b.hold(True)
    exchange.settle()
    if c_calls_a:
        c_with_a, with_c = exchange.call("C", "A")
    else:
        with_c, c_with_a = exchange.call("A", "C")
    with_b.transfer(with_c)
    exchange.settle(3.0)
    for call in (with_b, b_with_a, with_c, c_with_a):
        assert ended(call, EndReason.TRANSFERRED)
    new, at_c = exchange["B"].call, exchange["C"].call
    assert at_c.replaces is c_with_a
    assert new.state is at_c.state is State.ACTIVE
    check_agreement(new, at_c)
    exchange.check_clean()


def test_c_is_busy_and_then_not(exchange: Exchange) -> None:
    ours, theirs = exchange.call("A", "B")
    exchange["C"].when_called = lambda call: call.hang_up(EndReason.BUSY)
    ours.transfer(exchange["C"].address)
    exchange.settle()
    assert exchange["A"].refusals == said(exchange, "busy")
    assert ours.state is theirs.state is State.ACTIVE
    assert not ours.transferring
    assert directions(ours) == ALL
    exchange["C"].when_called = Call.accept
    ours.transfer(exchange["C"].address)
    exchange.settle(3.0)
    assert ended(ours, EndReason.TRANSFERRED)
    exchange.check_clean()


@pytest.mark.parametrize("exchange", ["SIP by TCP", "H.323"], indirect=True)
def test_c_is_not_there(exchange: Exchange) -> None:
    ours, theirs = exchange.call("A", "B")
    ours.transfer(address(exchange, "192.0.2.99"))
    exchange.settle(40)
    assert exchange["A"].refusals == said(exchange, "not there")
    assert ours.state is theirs.state is State.ACTIVE
    exchange.check_clean()


def test_b_does_not_want_to(exchange: Exchange) -> None:
    ours, _ = exchange.call("A", "B")
    exchange["B"].follows = False
    ours.transfer(exchange["C"].address)
    exchange.settle()
    assert exchange["A"].refusals == said(exchange, "unwilling")
    assert exchange["C"].calls == []


def test_a_hangs_up_before_c_has_answered(exchange: Exchange) -> None:
    ours, theirs = exchange.call("A", "B")
    exchange["C"].when_called = Call.alert
    ours.transfer(exchange["C"].address)
    exchange.settle()
    ours.hang_up()
    exchange.settle()
    assert ended(theirs, EndReason.HUNG_UP)
    exchange["C"].call.accept()
    exchange.settle()
    assert exchange["B"].call.state is State.ACTIVE
    exchange.check_clean()


@pytest.mark.parametrize("leaves_first", [False, True])
def test_consultation_with_somebody_who_leaves(exchange: Exchange, leaves_first: bool) -> None:
    with_b, _ = exchange.call("A", "B")
    with_c, c_with_a = exchange.call("A", "C")
    if leaves_first:
        c_with_a.hang_up()
    with_b.transfer(with_c)
    if not leaves_first:
        c_with_a.hang_up()
    exchange.settle(20)
    assert with_b.state is State.ACTIVE
    assert len(exchange["A"].refusals) == 1
    assert not with_b.transferring
    exchange.check_clean()


@pytest.mark.parametrize(("name", "other"), [("SIP", "H.323"), ("H.323", "SIP")])
def test_far_ends_of_two_protocols_cannot_be_joined(name: str, other: str) -> None:
    ours, _ = WAYS[name]().call("A", "B")
    with_other, _ = WAYS[other]().call("A", "B")
    with pytest.raises(CallError):
        ours.transfer(with_other)
    assert not ours.transferring
    assert not with_other.transferring


@pytest.mark.parametrize("text", ["", "4711", "{}:", "{}:" + "x" * 3000, "{}:\n@192.0.2.3"])
def test_addresses_that_are_none(exchange: Exchange, text: str) -> None:
    ours, _ = exchange.call("A", "B")
    sent = len(exchange.wire.sent)
    with pytest.raises(CallError):
        ours.transfer(text.format(exchange["C"].address.partition(":")[0]))
    assert not ours.transferring
    assert len(exchange.wire.sent) == sent
