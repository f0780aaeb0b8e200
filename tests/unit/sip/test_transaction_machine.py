"""What transactions do beside their tables; tests/conformance/test_transactions.py walks those."""

from __future__ import annotations

from collections import Counter

import pytest
from sip_peer import flow, request

from firmware.errors import LocalProtocolError
from firmware.sansio import Send
from firmware.sip.message import respond
from firmware.sip.timers import Timers
from firmware.sip.transaction import State
from firmware.sip.transaction_machine import ServerTransaction, companion
from firmware.sip.transport import Transport


def server(method: str) -> tuple[ServerTransaction, Transport, Timers]:
    transport, timers = Transport(8, Counter()), Timers()
    transaction = ServerTransaction(request(method), flow(), transport, timers, lambda _: None)
    transaction.receive(transaction.request, 0.0)
    return transaction, transport, timers


@pytest.mark.parametrize(("method", "status"), [("INVITE", 486), ("OPTIONS", 200), ("OPTIONS", 404)])
def test_there_is_one_final_response(method: str, status: int) -> None:
    transaction, transport, _ = server(method)
    transaction.respond(respond(transaction.request, status), 0.0)
    for again in (100, 200, 404):
        with pytest.raises(LocalProtocolError):
            transaction.respond(respond(transaction.request, again), 0.0)
    assert len(transport.actions) == 1


def test_a_terminated_transaction_responds_no_more() -> None:
    transaction, transport, timers = server("INVITE")
    transaction.terminate()
    transaction.terminate()
    assert transaction.state is State.TERMINATED
    assert len(timers) == 0
    with pytest.raises(LocalProtocolError):
        transaction.respond(respond(transaction.request, 200), 0.0)
    assert not transport.actions


def test_the_same_2xx_is_the_same_bytes() -> None:
    """RFC 3261 13.3.1.4: it is repeated; encoding it again would be waste."""
    transaction, transport, _ = server("INVITE")
    accepted = respond(transaction.request, 200, to_tag="ours")
    transaction.respond(accepted, 0.0)
    transaction.respond(accepted, 1.0)
    first, second = transport.actions
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    assert first.data is second.data


def test_a_tu_that_answers_in_time_sends_no_100() -> None:
    transaction, transport, timers = server("INVITE")
    transaction.respond(respond(transaction.request, 180, to_tag="ours"), 0.1)
    timers.fire(1.0)
    assert len(transport.actions) == 1


@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_what_goes_where_the_invite_went(method: str) -> None:
    """RFC 3261 9.1, 17.1.1.3."""
    invite = request("INVITE", Route="<sip:a;lr>", body=b"offer")
    made = companion(invite, method, "<sip:room@10.0.0.1>;tag=theirs")
    assert (made.method, str(made.uri), str(made.cseq)) == (method, str(invite.uri), f"1 {method}")
    assert (made.to.tag, made.from_, made.call_id) == ("theirs", invite.from_, invite.call_id)
    assert made.vias == (invite.via,)
    assert [str(route) for route in made.routes] == ["<sip:a;lr>"]
    assert made.body == b""
