"""Digits by INFO."""

from __future__ import annotations

import pytest
from sip_exchange import Exchange

from firmware.call.call import State
from firmware.signaling.sip_digits import MAX_WAITING
from firmware.signaling.sip_info import DTMF, DTMF_RELAY
from firmware.sip.identity import Identity


def takes(exchange: Exchange, name: str, *types: str) -> None:
    """Let a member take INFO bodies of these types only."""
    layers = exchange[name].agent._layers
    layers.identity = Identity("room", info_types=types)  # type: ignore[misc]


def sent_types(exchange: Exchange) -> list[str]:
    return [
        next(line for line in message.split("\r\n") if line.startswith("Content-Type")).partition(": ")[2]
        for message in exchange.sent("INFO", "A")
    ]


def test_one_after_the_other() -> None:
    exchange = Exchange("AB")
    ours, _ = exchange.call("A", "B")
    for digit in "123":
        ours.send_digit(digit)
    exchange.settle(0.005)
    assert sent_types(exchange) == [DTMF_RELAY]
    exchange.settle()
    assert exchange["B"].digits == list("123")
    assert sent_types(exchange) == [DTMF_RELAY] * 3


@pytest.mark.parametrize("seed", range(5))
def test_a_bad_network_does_not_change_their_order(seed: int) -> None:
    exchange = Exchange("AB")
    ours, _ = exchange.call("A", "B")
    exchange.wire.lost = lambda number, _: (number + seed) % 3 == 0
    for digit in "0123456789":
        ours.send_digit(digit)
    exchange.settle(60)
    assert exchange["B"].digits == list("0123456789")


def test_who_knows_only_the_other_type() -> None:
    """415, and from then on the type that is taken."""
    exchange = Exchange("AB")
    ours, _ = exchange.call("A", "B")
    takes(exchange, "B", DTMF)
    for digit in "12#":
        ours.send_digit(digit)
    exchange.settle()
    assert exchange["B"].digits == list("12#")
    assert sent_types(exchange) == [DTMF_RELAY, DTMF, DTMF, DTMF]


def test_who_knows_none() -> None:
    exchange = Exchange("AB")
    ours, _ = exchange.call("A", "B")
    takes(exchange, "B")
    for digit in "12":
        ours.send_digit(digit)
    exchange.settle()
    assert exchange["B"].digits == []
    assert ours.state is State.ACTIVE
    assert len(sent_types(exchange)) == 3
    takes(exchange, "B", DTMF)
    ours.send_digit("3")
    exchange.settle()
    assert exchange["B"].digits == ["3"], "what was refused is not repeated"


def test_who_does_not_answer_is_not_flooded() -> None:
    exchange = Exchange("AB", delayed_offer=True)  # with an offer the INVITE is too long for UDP, which loses things
    ours, _ = exchange.call("A", "B")
    exchange.wire.lost = lambda number, data: True
    for _ in range(10 * MAX_WAITING):
        ours.send_digit("1")
    assert exchange["A"].agent.sizes["transactions"] <= 3
    exchange.settle(40)
    assert ours.state is State.ENDED, "RFC 3261 12.2.1.2: 408"


def test_key_frames_do_not_disturb_them() -> None:
    exchange = Exchange("AB")
    ours, _ = exchange.call("A", "B")
    ours.send_digit("1")
    ours.request_key_frame()
    ours.send_digit("2")
    exchange.settle()
    assert exchange["B"].digits == ["1", "2"]
    assert exchange["B"].key_frames == 1
