"""What transactions do beside their tables; tests/conformance/test_transactions.py walks those."""

from __future__ import annotations

from collections import Counter

import pytest
from sip_peer import flow, request, response

from firmware.errors import LocalProtocolError
from firmware.sansio import Open, Send
from firmware.sip.layers import WhenFinal
from firmware.sip.message import parse, respond
from firmware.sip.timers import Timers
from firmware.sip.transaction import State
from firmware.sip.transaction_machine import STREAM_PATIENCE, ClientTransaction, ServerTransaction, companion
from firmware.sip.transport import Transport


def server(method: str) -> tuple[ServerTransaction, Transport, Timers]:
    transport, timers = Transport(8, Counter()), Timers()
    transaction = ServerTransaction(request(method), flow(), transport, timers, lambda _: None, 0.0)
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


class Bench:
    """A client transaction, and what its TU heard."""

    def __init__(self, method: str, size: int) -> None:
        self.transport, self.timers = Transport(8, Counter()), Timers()
        message = request(method, sent_by="10.0.0.1:5060")
        message.body = b"x" * (size - len(message.encode()) - len(str(size)) + 1)  # Content-Length has digits too
        assert len(message.encode()) == size
        heard = WhenFinal(lambda status, reason, now, response: self.heard.append((now, status)))
        self.heard: list[tuple[float, int]] = []
        self.transaction = ClientTransaction(message, flow(), heard, self.transport, self.timers, lambda _: None)
        self.transaction.start(0.0)

    def sent(self) -> list[tuple[str, str]]:
        """Transport of the flow and of the top Via of all that was sent since."""
        actions, self.transport.actions = self.transport.actions, []
        return [(each.flow.transport, parse(each.data).via.transport) for each in actions if isinstance(each, Send)]

    def run(self, until: float) -> list[float]:
        """Let the time pass; when something was sent."""
        times = []
        while (at := self.timers.next()) is not None and at <= until:
            self.timers.fire(at)
            times += [at for _ in self.sent()]
        return times


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_request_too_large_for_a_datagram_takes_a_stream(method: str) -> None:
    """RFC 3261 18.1.1."""
    assert Bench(method, 1300).sent() == [("udp", "UDP")]
    bench = Bench(method, 1301)
    assert bench.transport.actions[0] == Open(flow("tcp"))
    assert bench.sent() == [("tcp", "TCP")]
    bench.transport.flow_opened(flow("tcp"))
    assert bench.run(100) == []
    assert bench.heard == [(32.0, 408)]


@pytest.mark.parametrize(
    ("method", "repeated"), [("INVITE", [1.5, 2.5, 4.5, 8.5, 16.5]), ("OPTIONS", [1.5, 2.5, 4.5, 8.5, 12.5])]
)
def test_a_large_request_goes_by_udp_where_no_stream_is_to_be_had(method: str, repeated: list[float]) -> None:
    bench = Bench(method, 2000)
    bench.sent()
    bench.transaction.transport_failed(1.0)
    assert bench.sent() == [("udp", "UDP")]
    assert bench.run(31.9)[:5] == repeated
    bench.run(100)
    assert bench.heard == [(32.0, 408)], "Timer B and F run from the first attempt"
    bench = Bench(method, 2000)
    bench.transaction.transport_failed(1.0)
    bench.transaction.transport_failed(2.0)
    assert bench.heard == [(2.0, 503)], "no third way"
    bench.run(100)
    assert len(bench.timers) == 0


def test_a_stream_that_does_not_open_is_not_waited_for() -> None:
    """A firewall that drops what it does not know says nothing for as long as anybody waits."""
    bench = Bench("INVITE", 2000)
    bench.sent()
    assert bench.run(STREAM_PATIENCE - 0.01) == []
    bench.timers.fire(STREAM_PATIENCE)
    assert bench.sent() == [("udp", "UDP")]
    bench.transaction.receive(response(bench.transaction.request, 100), 1.1)
    assert bench.run(30) == []
    assert bench.heard == []


def test_a_large_request_that_is_answered_is_not_sent_again() -> None:
    bench = Bench("OPTIONS", 2000)
    bench.transaction.receive(response(bench.transaction.request, 100), 0.5)
    bench.sent()
    bench.transaction.transport_failed(1.0)
    assert bench.sent() == []
    assert bench.heard == [(1.0, 503)]


@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_what_goes_where_the_invite_went(method: str) -> None:
    """RFC 3261 9.1, 17.1.1.3."""
    invite = request("INVITE", Route="<sip:a;lr>", body=b"offer")
    made = companion(invite, method, "<sip:room@10.0.0.1>;tag=theirs")
    assert (made.method, str(made.uri), str(made.cseq)) == (method, str(invite.uri), f"1 {method}")
    assert (made.to.tag, made.from_, made.call_id) == ("theirs", invite.from_, invite.call_id)
    assert made.vias == (invite.via,)
    assert [str(route) for route in made.routes] == ["<sip:a;lr>"]
    assert made.max_forwards == 70
    assert made.body == b""
