"""Transfers in H.323: what far ends may name, and who is lost on the way; see tests/conformance/test_transfer.py."""

from __future__ import annotations

import pytest
from h323_exchange import Exchange
from parties import ended

from firmware.asn1 import Value
from firmware.call.call import Call, EndReason, State
from firmware.h323.address import Alias, encode_transport
from firmware.h323.call_message import facility
from firmware.h323.h450_transfer import Transfer
from firmware.h323.q931 import MessageType
from firmware.h323.session import Session
from firmware.sansio import Address

C = "h323:192.0.2.3"


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


def session_of(exchange: Exchange, name: str, call: Call) -> Session:
    leg = exchange[name].h323.leg_of(call)
    assert leg is not None
    assert leg.session is not None
    return leg.session


def test_somebody_behind_an_address(exchange: Exchange) -> None:
    ours, _ = exchange.call("A", "B")
    ours.transfer("h323:4711@192.0.2.3")
    exchange.settle()
    assert exchange["B"].call.remote == "h323:4711@192.0.2.3"
    assert exchange["C"].call.state is State.ACTIVE


def transports(exchange: Exchange, by: str) -> set[str]:
    """By what a member has called others, and taken their calls."""
    return {flow.transport for _, flow, _ in exchange.wire.sent if flow.local[0] == by}


def test_by_tls_without_consultation() -> None:
    exchange = Exchange(secure=True)
    ours, _ = exchange.call("A", "B")
    ours.transfer("h323s:192.0.2.3")
    exchange.settle(3.0)
    assert ended(ours, EndReason.TRANSFERRED)
    assert exchange["B"].call.remote == "h323s:192.0.2.3"
    assert exchange["C"].call.state is State.ACTIVE
    assert transports(exchange, "192.0.2.3") == {"tls"}
    exchange.check_clean()


@pytest.mark.parametrize("c_calls_a", [False, True])
def test_by_tls_with_consultation(c_calls_a: bool) -> None:
    exchange = Exchange(secure=True)
    with_b, _ = exchange.call("A", "B")
    if c_calls_a:
        c_with_a, with_c = exchange.call("C", "A")
    else:
        with_c, c_with_a = exchange.call("A", "C")
    with_b.transfer(with_c)
    exchange.settle(3.0)
    assert exchange["A"].refusals == []
    assert ended(c_with_a, EndReason.TRANSFERRED)
    assert exchange["C"].call.replaces is c_with_a
    assert transports(exchange, "192.0.2.3") == {"tls"}
    exchange.check_clean()


def test_consultation_with_b_that_does_not_want_to(exchange: Exchange) -> None:
    with_b, _ = exchange.call("A", "B")
    with_c, _ = exchange.call("A", "C")
    exchange["B"].follows = False
    with_b.transfer(with_c)
    exchange.settle(3.0)
    assert exchange["A"].refusals == ["supplementaryServiceInteractionNotAllowed"]
    assert with_b.state is with_c.state is State.ACTIVE
    assert session_of(exchange, "C", exchange["C"].call).services.transfer.identity == ""  # abandoned
    exchange.check_clean()


@pytest.mark.parametrize("seconds", [0.0, 1.0], ids=["before C has answered", "then"])
def test_b_is_lost_while_it_is_being_joined_with_c(exchange: Exchange, seconds: float) -> None:
    with_b, b_with_a = exchange.call("A", "B")
    with_c, _ = exchange.call("A", "C")
    exchange["B"].endpoint.on_call = lambda call: None
    b_with_a.on_transfer_request = lambda call: None
    with_b.transfer(with_c)
    exchange.settle(seconds)
    session_of(exchange, "B", b_with_a).release(41, exchange.wire.now)
    exchange.settle()
    assert with_b.state is State.ENDED
    assert with_b.end_reason is not EndReason.TRANSFERRED
    assert with_c.state is State.ACTIVE
    assert not with_c.transferring
    assert session_of(exchange, "C", exchange["C"].call).services.transfer.identity == ""  # abandoned
    with_c.transfer("h323:192.0.2.99")
    exchange.check_clean()


def test_b_is_lost_and_c_gives_no_number(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transfer, "_identified", lambda *_: None)
    with_b, b_with_a = exchange.call("A", "B")
    with_c, _ = exchange.call("A", "C")
    with_b.transfer(with_c)
    session_of(exchange, "B", b_with_a).release(41, exchange.wire.now)
    exchange.settle(20)
    assert exchange["A"].refusals == [], "nobody is there any more who could have been transferred"
    assert not with_c.transferring


@pytest.mark.parametrize(
    ("aliases", "address", "goes_to"),
    [
        ((), ("192.0.2.3", 1720), C),
        ((("h323-ID", "Room C"),), ("192.0.2.3", 1720), "h323:Room%20C@192.0.2.3"),
        ((("url-ID", "h323:bob@192.0.2.3:1720"),), None, "h323:bob@192.0.2.3"),
        ((("dialledDigits", "4711"), ("h323-ID", "C")), None, "h323:4711@192.0.2.1"),
        ((("url-ID", "h323:bob@c.example.com"),), None, "h323:bob@c.example.com"),
        ((("url-ID", "sip:bob@192.0.2.3"),), None, None),
        ((), ("127.0.0.1", 1720), None),
        ((("url-ID", "h323:127.0.0.1:80"),), None, None),
        ((("url-ID", "h323:[::ffff:127.0.0.1]:80"),), None, None),
        ((("url-ID", "h323:0.0.0.0"),), None, None),
        ((("url-ID", "h323:224.2.2.2"),), None, None),
        ((("url-ID", "h323s:192.0.2.3"),), None, "h323s:192.0.2.3"),
        ((), ("::1", 1720), None),
    ],
)
def test_whom_far_ends_may_name(
    exchange: Exchange, aliases: tuple[Alias, ...], address: Address | None, goes_to: str | None
) -> None:
    ours, theirs = exchange.call("A", "B")
    session_of(exchange, "A", ours).services.transfer.transfer(aliases, address, exchange.wire.now)
    targets: list[str] = []
    theirs.on_transfer_request = lambda call: targets.append(call.transfer_target)
    exchange.settle()
    assert targets == ([goes_to] if goes_to else [])
    assert exchange["A"].refusals == ([] if goes_to else ["invalidReroutingNumber"])


def forward(exchange: Exchange, body: dict[str, Value]) -> Call:
    """Let B forward a call of A's, before it is answered."""
    exchange["B"].when_called = Call.alert
    ours = exchange["A"].dial(exchange["B"])
    exchange.settle()
    session = session_of(exchange, "B", exchange["B"].call)
    session.send(MessageType.FACILITY, {**facility("callForwarded"), **body})
    exchange.settle(3.0)
    return ours


def test_forwarded_call(exchange: Exchange) -> None:
    ours = forward(exchange, {"alternativeAddress": encode_transport(("192.0.2.3", 1720))})
    assert ours.state is State.ENDED
    new = exchange["A"].call
    assert new is not ours
    assert new.remote == C
    assert new.state is State.ACTIVE
    exchange.check_clean()


def test_forwarded_call_that_is_not_followed(exchange: Exchange) -> None:
    exchange["A"].follows = False
    ours = forward(exchange, {"alternativeAddress": encode_transport(("192.0.2.3", 1720))})
    assert ours.state is State.ENDED
    assert exchange["A"].calls == [ours]
    exchange.check_clean()
