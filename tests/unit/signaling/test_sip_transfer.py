"""Transfers in SIP: what is said, what far ends may name; see tests/conformance/test_transfer.py."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from parties import ALL, directions, ended
from sip_exchange import Exchange

from firmware.call.call import Call, EndReason, State
from firmware.call.media import Encryption
from firmware.signaling.fair import is_fair
from firmware.signaling.sip_leg import SipLeg
from firmware.signaling.sip_location import Candidate
from firmware.sip.refer import Referral
from firmware.sip.uri import Uri

C = "sip:room@192.0.2.3"


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


def test_what_the_transferor_hears(exchange: Exchange) -> None:
    """RFC 3515 2.4.4: 202, a NOTIFY at once, and one with the outcome, which ends the subscription."""
    ours, _ = exchange.call("A", "B")
    ours.transfer(C)
    exchange.settle(3.0)
    assert len(exchange.sent("SIP/2.0 202", "B")) == 1
    first, last = exchange.sent("NOTIFY", "B")
    assert "Subscription-State: active;expires=" in first
    assert first.endswith("\r\n\r\nSIP/2.0 100 Trying\r\n")
    assert "Subscription-State: terminated;reason=noresource" in last
    assert last.endswith("\r\n\r\nSIP/2.0 200 OK\r\n")
    [refer] = exchange.sent("REFER", "A")
    assert f"Refer-To: <{C}>" in refer
    assert "Referred-By: <sip:room@192.0.2.1:5060>" in refer
    [invite] = exchange.sent("INVITE", "B")
    assert "Referred-By: <sip:room@192.0.2.1:5060>" in invite  # RFC 3892 2.2


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (EndReason.BUSY, "486 Busy Here"),
        (EndReason.DECLINED, "603 Decline"),
        (EndReason.NOT_FOUND, "404 Not Found"),
        (EndReason.NO_COMMON_MEDIA, "488 Not Acceptable Here"),
    ],
)
def test_c_refuses(exchange: Exchange, reason: EndReason, words: str) -> None:
    ours, theirs = exchange.call("A", "B")
    exchange["C"].when_called = lambda call: call.hang_up(reason)
    ours.transfer(C)
    exchange.settle()
    assert exchange["A"].refusals == [words]
    assert ours.state is theirs.state is State.ACTIVE
    assert not ours.transferring
    assert directions(ours) == ALL
    exchange.check_clean()


def test_after_a_refusal_another_is_tried(exchange: Exchange) -> None:
    ours, _ = exchange.call("A", "B")
    exchange["C"].when_called = lambda call: call.hang_up(EndReason.BUSY)
    ours.transfer(C)
    exchange.settle()
    exchange["C"].when_called = Call.accept
    ours.transfer(C)
    exchange.settle(3.0)
    assert ended(ours, EndReason.TRANSFERRED)
    # RFC 3515 2.4.6: from the second REFER of a dialog on, the subscriptions have names.
    number = exchange.sent("REFER", "A")[1].partition("CSeq: ")[2].split()[0]
    assert [f"Event: refer;id={number}\r\n" in notify for notify in exchange.sent("NOTIFY", "B")] == [0, 0, 1, 1]
    exchange.check_clean()


def test_who_refuses_at_once_notifies_nobody(exchange: Exchange) -> None:
    ours, _ = exchange.call("A", "B")
    exchange["B"].follows = False
    ours.transfer(C)
    exchange.settle()
    assert exchange["A"].refusals == ["603 Decline"]
    assert exchange.sent("NOTIFY") == []


@pytest.mark.parametrize(
    ("target", "goes_to"),
    [
        ("sip:bob@192.0.2.3", "sip:bob@192.0.2.3"),
        ("sip:bob@192.0.2.3;transport=tcp", "sip:bob@192.0.2.3;transport=tcp"),
        ("sip:bob@c.example.com", "sip:bob@c.example.com"),
        ("sip:bob@127.0.0.1", None),
        ("sip:bob@[::1]", None),
        ("sip:bob@0.0.0.0", None),
        ("sip:bob@[::ffff:127.0.0.1]", None),
        ("sip:bob@224.2.2.2", None),
        ("sip:bob@192.0.2.3;transport=carrier-pigeon", None),
        ("sip:bob@192.0.2.3;method=BYE", None),
        ("tel:4711", None),
        ("mailto:bob@example.com", None),
    ],
)
def test_whom_far_ends_may_name(exchange: Exchange, target: str, goes_to: str | None) -> None:
    ours, theirs = exchange.call("A", "B")
    targets: list[str] = []

    def refuse(call: Call) -> None:
        targets.append(call.transfer_target)
        call.refuse_transfer(EndReason.REFUSED)

    theirs.on_transfer_request = refuse
    exchange["A"].session(ours).referral.refer(Uri.parse(target), exchange.wire.now)
    exchange.settle()
    assert targets == ([goes_to] if goes_to else [])
    assert "603 Decline" in exchange.sent("SIP/2.0 603", "B")[0]


@pytest.mark.parametrize(
    ("target", "goes"), [("sip:room@192.0.2.3;transport=tls", False), ("sips:room@192.0.2.3", True)]
)
def test_a_call_by_sips_goes_on_by_sips(target: str, goes: bool) -> None:
    """RFC 5630 4: where it is not wanted on every hop, it would be less safe than it began."""
    exchange = Exchange(transport="tls")
    ours, theirs = by_sips(exchange)
    exchange["A"].session(ours).referral.refer(Uri.parse(target), exchange.wire.now)
    exchange.settle()
    assert bool(exchange["C"].calls) is goes
    assert (theirs.state, theirs.end_reason) == ((State.ENDED, EndReason.TRANSFERRED) if goes else (State.ACTIVE, None))
    exchange.check_clean()


def by_sips(exchange: Exchange) -> tuple[Call, Call]:
    ours = exchange["A"].sip.dial("sips:room@192.0.2.2")
    exchange["A"]._watch(ours)
    exchange.settle()
    return ours, exchange["B"].call


def test_a_transfer_into_the_clear_is_none_where_encryption_is_required() -> None:
    """By TLS keys are told; where signalling is not encrypted there is no way to agree on any, and so no call."""
    exchange = Exchange(transport="tls", encryption=Encryption.REQUIRED, ways=("sdes",))
    ours, theirs = exchange.call("A", "B")
    assert theirs.encrypted
    ours.transfer("sip:room@192.0.2.3;transport=udp")
    exchange.settle()
    assert exchange["C"].calls == []
    assert not exchange.sent("INVITE sip:room@192.0.2.3;transport=udp", "B")
    assert (ours.state, theirs.state, len(exchange["A"].refusals)) == (State.ACTIVE, State.ACTIVE, 1)
    ours.transfer("sip:room@192.0.2.3;transport=tls")
    exchange.settle()
    assert exchange["C"].call.encrypted
    exchange.check_clean()


def test_a_name_that_leads_to_this_machine(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is_fair can't know of a name is asked again of each of its addresses."""
    assert is_fair("pbx.example.com", "192.0.2.1")
    ours, _ = exchange.call("A", "B")
    ours.transfer("sip:room@localhost")

    def search(leg: SipLeg, search: Coroutine[Any, Any, Any], then: Callable[[list[Candidate]], None]) -> None:
        search.close()
        then([Candidate("udp", ("127.0.0.1", 5060))])

    monkeypatch.setattr(exchange["B"].sip, "_search", search)
    exchange.settle()
    assert exchange["A"].refusals == ["503 Service Unavailable"]


def test_a_far_end_that_never_says_what_came_of_it(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = exchange.call("A", "B")
    theirs.on_transfer_request = lambda call: None
    monkeypatch.setattr(Referral, "notify", lambda *_: None)
    ours.transfer(C)
    exchange.settle(10)
    assert ours.transferring
    exchange.settle(700)
    assert exchange["A"].refusals == ["408 Request Timeout"]
    assert ours.state is State.ACTIVE
