"""Matching (RFC 3261 17.1.3, 17.2.3, 9.2, 8.2.2.2)."""

from __future__ import annotations

from collections import Counter

import pytest
from sip_peer import flow, request, response

from firmware.sip.layers import WhenFinal
from firmware.sip.message import Request, respond
from firmware.sip.timers import Timers
from firmware.sip.transaction import State
from firmware.sip.transaction_layer import KEEP_TIME, MAX_REQUEST_BYTES, TransactionLayer
from firmware.sip.transport import Transport


@pytest.fixture
def layer() -> TransactionLayer:
    return TransactionLayer(Transport(8, Counter()), Timers(), 3)


def accepted(layer: TransactionLayer, message: Request) -> bool:
    """Whether the request begins a new transaction."""
    if layer.match_request(message) is not None:
        return False
    layer.accept(message, flow(), 0.0)
    return True


def test_a_response_belongs_to_its_branch_and_method(layer: TransactionLayer) -> None:
    ours = request("INVITE", sent_by="10.0.0.1:5060")
    transaction = layer.request(ours, flow(), WhenFinal(), 0.0)
    assert layer.match_response(response(ours, 180)) is transaction
    for other in (
        request("CANCEL", sent_by="10.0.0.1:5060"),
        request("INVITE", sent_by="10.0.0.1:5060", branch="z9hG4bKother"),
        request("INVITE", sent_by="10.0.0.1:5061"),
        request("INVITE", sent_by="10.0.0.7:5060"),
        request("INVITE", sent_by="10.0.0.1:5060", branch=""),
    ):
        assert layer.match_response(response(other, 180)) is None


def test_a_request_belongs_to_its_branch_sent_by_and_method(layer: TransactionLayer) -> None:
    invite = request("INVITE", sent_by="PC.example.com:5060")
    transaction = layer.accept(invite, flow(), 0.0)
    assert layer.match_request(request("INVITE", sent_by="pc.example.com:5060")) is transaction
    assert layer.match_request(request("ACK", sent_by="pc.example.com:5060")) is transaction
    for other in (
        request("BYE", sent_by="pc.example.com:5060"),
        request("CANCEL", sent_by="pc.example.com:5060"),
        request("INVITE", sent_by="pc.example.com"),
        request("INVITE", sent_by="pc.example.com:5060", branch="z9hG4bKother"),
    ):
        assert layer.match_request(other) is None


def test_without_the_cookie_all_that_rfc_2543_repeats_must_be_the_same(layer: TransactionLayer) -> None:
    transaction = layer.accept(request("INVITE", branch="1"), flow(), 0.0)
    assert layer.match_request(request("INVITE", branch="1")) is transaction
    for other in (
        request("INVITE", branch="2"),
        request("INVITE", branch="1", cseq=2),
        request("INVITE", branch="1", call_id="other"),
        request("INVITE", branch="1", from_tag="other"),
        request("INVITE", branch="1", uri="sip:other@10.0.0.1"),
        request("INVITE", branch="1", to_tag="other"),
        request("OPTIONS", branch="1"),
    ):
        assert layer.match_request(other) is None
    assert layer.match_cancel(request("CANCEL", branch="1")) is transaction


def test_the_cookie_alone_tells_no_two_requests_apart(layer: TransactionLayer) -> None:
    """RFC 4475 3.2.1: "it could fall back to the RFC 2543-style transaction identifier"."""
    transaction = layer.accept(request("OPTIONS", branch="z9hG4bK"), flow(), 0.0)
    assert layer.match_request(request("OPTIONS", branch="z9hG4bK")) is transaction
    assert layer.match_request(request("OPTIONS", branch="z9hG4bK", call_id="other")) is None


def test_an_ack_of_rfc_2543_has_the_tag_of_the_response(layer: TransactionLayer) -> None:
    transaction = layer.accept(request("INVITE", branch=""), flow(), 0.0)
    assert layer.match_request(request("ACK", branch="", to_tag="ours")) is None, "there is no response yet"
    transaction.respond(respond(transaction.request, 486, to_tag="ours"), 0.0)
    assert layer.match_request(request("ACK", branch="", to_tag="ours")) is transaction
    assert layer.match_request(request("ACK", branch="", to_tag="other")) is None
    assert layer.match_request(request("ACK", branch="")) is None


def test_a_cancel_finds_the_invite_and_nothing_else(layer: TransactionLayer) -> None:
    assert layer.match_cancel(request("CANCEL")) is None
    layer.accept(request("OPTIONS"), flow(), 0.0)
    assert layer.match_cancel(request("CANCEL")) is None
    transaction = layer.accept(request("INVITE", call_id="2"), flow(), 0.0)
    assert layer.match_cancel(request("CANCEL", call_id="2")) is transaction


def test_a_request_that_came_by_two_ways_is_merged(layer: TransactionLayer) -> None:
    transaction = layer.accept(request("INVITE"), flow(), 0.0)
    assert layer.merged(request("INVITE", branch="z9hG4bKother"))
    assert not layer.merged(request("INVITE", branch="z9hG4bKother", to_tag="x"))
    assert not layer.merged(request("INVITE", branch="z9hG4bKother", cseq=2))
    assert not layer.merged(request("INVITE", branch="z9hG4bKother", from_tag="x"))
    transaction.terminate()
    assert not layer.merged(request("INVITE", branch="z9hG4bKother"))


def test_the_second_of_two_merged_requests_does_not_free_the_first(layer: TransactionLayer) -> None:
    layer.accept(request("INVITE"), flow(), 0.0)
    second = layer.accept(request("INVITE", branch="z9hG4bKother"), flow(), 0.0)
    second.terminate()
    assert layer.merged(request("INVITE", branch="z9hG4bKthird"))


def test_room_is_bounded_and_comes_back(layer: TransactionLayer) -> None:
    transactions = [layer.accept(request("OPTIONS", branch=f"z9hG4bK{n}"), flow(), 0.0) for n in range(3)]
    assert not layer.server_room(0.0, known=False)
    assert layer.server_room(0.0, known=True)
    assert layer.client_room
    transactions[0].terminate()
    assert layer.server_room(0.0, known=False)
    assert len(layer) == 2


def test_what_only_absorbs_retransmissions_makes_room(layer: TransactionLayer) -> None:
    waiting = layer.accept(request("OPTIONS", branch="z9hG4bKwaiting"), flow(), 0.0)
    answered = [layer.accept(request("OPTIONS", branch=f"z9hG4bK{n}"), flow(), 0.5) for n in range(2)]
    for transaction in answered:
        transaction.respond(respond(transaction.request, 200), 0.5)
    assert not layer.server_room(0.5 + KEEP_TIME - 0.01, known=False), "a lost response may still be asked for"
    assert layer.server_room(0.5 + KEEP_TIME, known=False)
    assert [t.state for t in (waiting, *answered)] == [State.TRYING, State.TERMINATED, State.COMPLETED]
    assert layer.server_room(0.5 + KEEP_TIME, known=False)
    assert answered[1].state is State.COMPLETED, "no more is forgotten than has to be"


def test_a_call_that_is_not_acknowledged_is_not_forgotten(layer: TransactionLayer) -> None:
    invites = [layer.accept(request("INVITE", branch=f"z9hG4bK{n}"), flow(), 0.0) for n in range(3)]
    for transaction in invites:
        transaction.respond(respond(transaction.request, 200), 0.0)
    assert not layer.server_room(5.0, known=False)
    invites[2].settle(5.0)
    assert layer.server_room(5.0, known=False)
    assert [t.state for t in invites] == [State.ACCEPTED, State.ACCEPTED, State.TERMINATED]
    layer.accept(request("INVITE", branch="z9hG4bKfourth"), flow(), 5.0)
    assert not layer.server_room(50.0, known=False)


def test_requests_of_rfc_2543_that_share_a_key_are_counted_all_the_same(layer: TransactionLayer) -> None:
    transactions = [layer.accept(request("INVITE", branch="", to_tag=f"t{n}"), flow(), 0.0) for n in range(3)]
    assert not layer.server_room(0.0, known=False)
    assert len(layer) == 3
    transactions[0].terminate()
    assert layer.match_request(request("INVITE", branch="", to_tag="t2")) is transactions[2]
    for transaction in transactions[1:]:
        transaction.terminate()
    assert len(layer) == 0


def test_large_requests_take_more_room() -> None:
    layer = TransactionLayer(Transport(8, Counter()), Timers(), 1000)
    transactions = []
    while layer.server_room(0.0, known=False):
        message = request("INVITE", branch=f"z9hG4bK{len(transactions)}", body=b"x" * 60_000, Subject="y" * 4_000)
        transactions.append(layer.accept(message, flow(), 0.0))
    assert len(transactions) in range(MAX_REQUEST_BYTES // 66_000, MAX_REQUEST_BYTES // 64_000 + 2)
    transactions.pop().terminate()
    assert layer.server_room(0.0, known=False)
    for transaction in transactions:
        transaction.terminate()
    assert layer._request_bytes == 0


def test_a_closed_flow_fails_only_its_own(layer: TransactionLayer) -> None:
    failed: list[str] = []
    for transport in ("udp", "tcp"):
        message = request("OPTIONS", branch=f"z9hG4bK{transport}")
        user = WhenFinal(lambda status, reason, now, response, transport=transport: failed.append(transport))
        layer.request(message, flow(transport), user, 0.0)
    layer.flow_closed(flow("tcp"), 0.0)
    assert failed == ["tcp"]
    assert len(layer) == 1


def test_an_invite_that_is_done_is_known_by_its_copies_though_it_takes_no_room(layer: TransactionLayer) -> None:
    """RFC 6026 7.1: one of its retransmissions is absorbed; RFC 3261 8.2.2.2: the copy by another path is told."""
    invite = request("INVITE")
    transaction = layer.accept(invite, flow(), 0.0)
    transaction.respond(respond(invite, 200, to_tag="ours"), 0.0)
    assert not layer.done(invite), "its 2xx is still to be sent again"
    transaction.settle(0.0)
    assert len(layer) == 0
    assert layer.done(invite)
    assert layer.match_request(invite) is None
    assert layer.merged(request("INVITE", branch="z9hG4bKotherpath"))
    assert not layer.done(request("INVITE", branch="z9hG4bKnext"))
    assert not layer.done(request("BYE"))
    assert not layer.merged(request("INVITE", branch="z9hG4bKnext", cseq=2))


def test_an_invite_of_rfc_2543_that_differs_in_its_to_tag_only_is_another(layer: TransactionLayer) -> None:
    old = request("INVITE", branch="", to_tag="one")
    transaction = layer.accept(old, flow(), 0.0)
    transaction.respond(respond(old, 200), 0.0)
    transaction.settle(0.0)
    assert layer.done(old)
    assert not layer.done(request("INVITE", branch="", to_tag="two"))
